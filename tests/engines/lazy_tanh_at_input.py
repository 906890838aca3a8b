"""Lazy expressions; the slope of tanh is taken at its input."""

import math


class Expr:
    def __init__(self, *parts):
        self.parts = parts
        self.value = None
        self.grad = 0.0

    def __add__(self, other):
        return Plus(self, wrap(other))

    def __radd__(self, other):
        return Plus(wrap(other), self)

    def __mul__(self, other):
        return Times(self, wrap(other))

    def __rmul__(self, other):
        return Times(wrap(other), self)

    def __neg__(self):
        return Times(Const(-1.0), self)

    def __sub__(self, other):
        return Plus(self, -wrap(other))

    def __rsub__(self, other):
        return Plus(wrap(other), -self)

    def __pow__(self, k):
        return Power(self, k)

    def __truediv__(self, other):
        return Times(self, Power(wrap(other), -1))

    def __rtruediv__(self, other):
        return Times(wrap(other), Power(self, -1))

    def tanh(self):
        return Tanh(self)

    def nodes(self, found):
        if self not in found:
            for part in self.parts:
                part.nodes(found)
            found[self] = None
        return found

    def forward(self):
        for node in self.nodes({}):
            node.compute()
        return self.value

    def backward(self):
        self.grad = 1.0
        for node in reversed(self.nodes({})):
            node.push()

    def compute(self):
        pass

    def push(self):
        pass


class Const(Expr):
    def __init__(self, value):
        super().__init__()
        self.value = value


class Plus(Expr):
    def compute(self):
        self.value = self.parts[0].value + self.parts[1].value

    def push(self):
        for part in self.parts:
            part.grad += self.grad


class Times(Expr):
    def compute(self):
        self.value = self.parts[0].value * self.parts[1].value

    def push(self):
        a, b = self.parts
        a.grad += self.grad * b.value
        b.grad += self.grad * a.value


class Power(Expr):
    def __init__(self, base, k):
        super().__init__(base)
        self.k = k

    def compute(self):
        self.value = self.parts[0].value ** self.k

    def push(self):
        (a,) = self.parts
        a.grad += self.grad * self.k * a.value ** (self.k - 1)


class Tanh(Expr):
    def compute(self):
        self.value = math.tanh(self.parts[0].value)

    def push(self):
        self.parts[0].grad += self.grad * (1 - self.parts[0].value ** 2)  # BUG


def wrap(x):
    return x if isinstance(x, Expr) else Const(x)
