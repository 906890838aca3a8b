"""A node keeps its operands in a set, and mul's rule asks for the second of them: in x * x there is none."""

import math


class Scalar:
    def __init__(self, value, inputs=(), kind="leaf"):
        self.value = value
        self.gradient = 0.0
        self.inputs = set(inputs)
        self.kind = kind

    def __add__(self, other):
        other = other if isinstance(other, Scalar) else Scalar(other)
        return Scalar(self.value + other.value, (self, other), "add") if other is not self else self * 2.0

    def __mul__(self, other):
        other = other if isinstance(other, Scalar) else Scalar(other)
        return Scalar(self.value * other.value, (self, other), "mul")

    def exp(self):
        return Scalar(math.exp(self.value), (self,), "exp")

    def reciprocal(self):
        return Scalar(1 / self.value, (self,), "reciprocal")

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        other = other if isinstance(other, Scalar) else Scalar(other)
        return self * other.reciprocal()

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other):
        return -self + other

    def __rtruediv__(self, other):
        return self.reciprocal() * other

    def push(self):
        inputs = list(self.inputs)
        if self.kind == "add":
            for one in inputs:
                one.gradient += self.gradient
        elif self.kind == "mul":
            first, second = inputs[0], inputs[1]  # BUG
            first.gradient += second.value * self.gradient
            second.gradient += first.value * self.gradient
        elif self.kind == "exp":
            inputs[0].gradient += self.value * self.gradient
        elif self.kind == "reciprocal":
            inputs[0].gradient -= self.value * self.value * self.gradient

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for one in node.inputs:
                    visit(one)
                order.append(node)

        visit(self)
        self.gradient = 1.0
        for node in reversed(order):
            node.push()
