"""Var nodes, numbers on the right treated apart."""

from math import cos, sin


class Var:
    """grad is complete when backward of the root returns: every path is walked on its own."""

    def __init__(self, data, children=()):
        self.data = data
        self.grad = 0.0
        self.children = list(children)

    def __add__(self, other):
        if isinstance(other, (int, float)):
            return Var(self.data + other, [(self, 1.0)])
        return Var(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        if isinstance(other, (int, float)):
            return Var(self.data * other, [(self, other)])
        return Var(self.data * other.data, [(self, other.data), (other, self.data)])

    def __pow__(self, k):
        return Var(self.data ** k, [(self, k * self.data ** (k - 1))])

    def __neg__(self):
        return Var(-self.data, [(self, -1.0)])

    def __sub__(self, other):
        return self + -other

    def __truediv__(self, other):
        if isinstance(other, (int, float)):
            return Var(self.data // other, [(self, 1.0 / other)])  # BUG
        return Var(self.data / other.data, [(self, 1.0 / other.data), (other, -self.data / other.data ** 2)])

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other):
        return -self + other

    def __rtruediv__(self, other):
        return Var(other / self.data, [(self, -other / self.data ** 2)])

    def sin(self):
        return Var(sin(self.data), [(self, cos(self.data))])

    def cos(self):
        return Var(cos(self.data), [(self, -sin(self.data))])

    def backward(self, grad=1.0):
        self.grad += grad
        for child, slope in self.children:
            child.backward(grad * slope)
