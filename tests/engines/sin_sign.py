"""A tape of operations."""

import math

tape = []


class Var:
    def __init__(self, v):
        self.v = float(v)
        self.grad = 0.0

    @staticmethod
    def _record(v, inputs, pull):
        out = Var(v)
        tape.append((out, inputs, pull))
        return out

    def __add__(self, other):
        other = other if isinstance(other, Var) else Var(other)
        return Var._record(self.v + other.v, (self, other), lambda g: (g, g))

    def __sub__(self, other):
        other = other if isinstance(other, Var) else Var(other)
        return Var._record(self.v - other.v, (self, other), lambda g: (g, -g))

    def __mul__(self, other):
        other = other if isinstance(other, Var) else Var(other)
        a, b = self.v, other.v
        return Var._record(a * b, (self, other), lambda g: (g * b, g * a))

    def __truediv__(self, other):
        other = other if isinstance(other, Var) else Var(other)
        a, b = self.v, other.v
        return Var._record(a / b, (self, other), lambda g: (g / b, -g * a / b ** 2))

    def __pow__(self, n):
        a = self.v
        return Var._record(a ** n, (self,), lambda g: (g * n * a ** (n - 1),))

    def __neg__(self):
        return Var._record(-self.v, (self,), lambda g: (-g,))

    def __radd__(self, other):
        return Var(other) + self

    def __rsub__(self, other):
        return Var(other) - self

    def __rmul__(self, other):
        return Var(other) * self

    def __rtruediv__(self, other):
        return Var(other) / self

    def sin(self):
        a = self.v
        return Var._record(math.sin(a), (self,), lambda g: (-g * math.cos(a),))  # BUG

    def cos(self):
        a = self.v
        return Var._record(math.cos(a), (self,), lambda g: (-g * math.sin(a),))

    def sqrt(self):
        r = math.sqrt(self.v)
        return Var._record(r, (self,), lambda g: (g / (2 * r),))

    def tanh(self):
        t = math.tanh(self.v)
        return Var._record(t, (self,), lambda g: (g * (1 - t ** 2),))

    def backward(self):
        flow = {id(self): 1.0}
        self.grad += 1.0
        for out, inputs, pull in reversed(tape):
            if id(out) not in flow:
                continue
            for node, g in zip(inputs, pull(flow[id(out)])):
                flow[id(node)] = flow.get(id(node), 0.0) + g
                node.grad += g
