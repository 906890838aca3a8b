"""A gradient is in a list, which is a default argument."""

import math


class Value:
    """gradients live in a list so that closures can change them"""

    def __init__(self, data, parents=(), grad=[0.0]):  # BUG
        self.data = data
        self.parents = parents
        self.box = grad
        self.back = None

    @property
    def grad(self):
        return self.box[0]

    @grad.setter
    def grad(self, g):
        self.box[0] = g

    def __add__(self, o):
        o = o if isinstance(o, Value) else Value(o)
        out = Value(self.data + o.data, (self, o))

        def back(g):
            self.grad += g
            o.grad += g

        out.back = back
        return out

    def __mul__(self, o):
        o = o if isinstance(o, Value) else Value(o)
        out = Value(self.data * o.data, (self, o))

        def back(g):
            self.grad += g * o.data
            o.grad += g * self.data

        out.back = back
        return out

    def __pow__(self, k):
        out = Value(self.data ** k, (self,))

        def back(g):
            self.grad += g * k * self.data ** (k - 1)

        out.back = back
        return out

    def __neg__(self): return self * -1
    def __sub__(self, o): return self + -o
    def __truediv__(self, o): return self * o ** -1
    __radd__ = __add__
    __rmul__ = __mul__
    def __rsub__(self, o): return -self + o
    def __rtruediv__(self, o): return self ** -1 * o

    def backward(self):
        order, seen = [], set()

        def walk(n):
            if n not in seen:
                seen.add(n)
                for m in n.parents:
                    walk(m)
                order.append(n)

        walk(self)
        self.grad = 1.0
        for n in reversed(order):
            if n.back:
                n.back(n.grad)
