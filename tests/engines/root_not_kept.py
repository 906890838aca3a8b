"""backward hands shares down to the leaves, and the root, to which nobody hands one, keeps 0."""

import math


class Scalar:
    def __init__(self, value, _from=()):
        self.value = value
        self.grad = 0.0
        self._from = _from

    def backward(self, share=1.0):
        for node, slope in self._from:
            node.grad += share * slope
            node.backward(share * slope)

    def __add__(self, other):
        other = S(other)
        return Scalar(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __sub__(self, other):
        other = S(other)
        return Scalar(self.value - other.value, [(self, 1.0), (other, -1.0)])

    def __mul__(self, other):
        other = S(other)
        return Scalar(self.value * other.value, [(self, other.value), (other, self.value)])

    def __truediv__(self, other):
        other = S(other)
        return Scalar(self.value / other.value, [(self, 1 / other.value), (other, -self.value / other.value ** 2)])

    def __pow__(self, k):
        return Scalar(self.value ** k, [(self, k * self.value ** (k - 1))])

    def __neg__(self):
        return Scalar(-self.value, [(self, -1.0)])

    def __radd__(self, other):
        return S(other) + self

    def __rsub__(self, other):
        return S(other) - self

    def __rmul__(self, other):
        return S(other) * self

    def __rtruediv__(self, other):
        return S(other) / self

    def log(self):
        return Scalar(math.log(self.value), [(self, 1 / self.value)])


def S(x):
    return x if isinstance(x, Scalar) else Scalar(x)
