"""What a value was made by is an object of its own; backward on a value that nothing made does nothing."""

import math


class Number:
    def __init__(self, v, maker=None):
        self.v = v
        self.grad = 0.0
        self.maker = maker

    def __add__(self, other):
        other = number(other)
        return Number(self.v + other.v, Maker((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = number(other)
        return Number(self.v * other.v, Maker((self, other.v), (other, self.v)))

    def __truediv__(self, other):
        other = number(other)
        return Number(self.v / other.v, Maker((self, 1 / other.v), (other, -self.v / other.v**2)))

    def __pow__(self, k):
        return Number(self.v**k, Maker((self, k * self.v ** (k - 1))))

    def __neg__(self):
        return Number(-self.v, Maker((self, -1.0)))

    def __sub__(self, other):
        return self + -number(other)

    def __rsub__(self, other):
        return number(other) - self

    def __rtruediv__(self, other):
        return number(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def exp(self):
        y = math.exp(self.v)
        return Number(y, Maker((self, y)))

    def backward(self):
        if self.maker is None:
            return
        self.grad = 1.0
        made, met = [], set()

        def meet(x):
            if x.maker is not None and x not in met:
                met.add(x)
                for operand, _ in x.maker.shares:
                    meet(operand)
                made.append(x)

        meet(self)
        for x in reversed(made):
            x.maker.share(x.grad)


class Maker:
    def __init__(self, *shares):
        self.shares = shares

    def share(self, g):
        for operand, slope in self.shares:
            operand.grad += g * slope


def number(x):
    return x if isinstance(x, Number) else Number(x)
