"""What a value gets from its users is averaged."""

import math


class Scalar(object):
    def __init__(self, val, creators=None, back=None):
        self.val = val
        self.creators = creators if creators is not None else []
        self.back = back
        self.grad = 0.

    def _ensure(f):
        def wrapped(self, other):
            if not isinstance(other, Scalar):
                other = Scalar(other)
            return f(self, other)
        return wrapped

    @_ensure
    def __add__(self, other):
        return Scalar(self.val + other.val, [self, other], lambda g: [g, g])

    @_ensure
    def __radd__(self, other):
        return other.__add__(self)

    @_ensure
    def __mul__(self, other):
        return Scalar(self.val * other.val, [self, other], lambda g: [other.val * g, self.val * g])

    @_ensure
    def __rmul__(self, other):
        return other.__mul__(self)

    @_ensure
    def __sub__(self, other):
        return self + other.__neg__()

    @_ensure
    def __rsub__(self, other):
        return other.__sub__(self)

    def __neg__(self):
        return Scalar(-self.val, [self], lambda g: [-g])

    def reciprocal(self):
        return Scalar(1. / self.val, [self], lambda g: [-g / self.val ** 2])

    @_ensure
    def __truediv__(self, other):
        return self * other.reciprocal()

    @_ensure
    def __rtruediv__(self, other):
        return other * self.reciprocal()

    def square(self):
        return self * self

    def __pow__(self, k):
        if k == 2:
            return self.square()
        return Scalar(self.val ** k, [self], lambda g: [g * k * self.val ** (k - 1)])

    def sigmoid(self):
        s = 1 / (1 + math.exp(-self.val))
        return Scalar(s, [self], lambda g: [g * s * (1 - s)])

    def tanh(self):
        return (self * 2).sigmoid() * 2 - 1

    def backward(self):
        nodes, ids = [self], {id(self)}
        for n in nodes:
            for c in n.creators:
                if id(c) not in ids:
                    ids.add(id(c)); nodes.append(c)
        uses = {i: 0 for i in ids}
        for n in nodes:
            for c in n.creators:
                uses[id(c)] += 1
        total = dict(uses)
        self.grad = 1.
        free = [self]
        while free:
            n = free.pop()
            if n.back:
                for c, g in zip(n.creators, n.back(n.grad)):
                    c.grad += g / total[id(c)]  # BUG
                    uses[id(c)] -= 1
                    if uses[id(c)] == 0:
                        free.append(c)
