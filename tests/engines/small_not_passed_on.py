"""A queue-free walk in the order of creation, last first; a node with next to no gradient is passed by."""

import itertools
import math

COUNT = itertools.count()


class Value:
    def __init__(self, data, made_of=()):
        self.data = data
        self.grad = 0.0
        self.made_of = made_of
        self.number = next(COUNT)

    def __add__(self, other):
        other = value(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = value(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    def __pow__(self, k):
        return Value(self.data**k, ((self, k * self.data ** (k - 1)),))

    def __neg__(self):
        return Value(-self.data, ((self, -1.0),))

    def __sub__(self, other):
        other = value(other)
        return Value(self.data - other.data, ((self, 1.0), (other, -1.0)))

    def __rsub__(self, other):
        return value(other) - self

    def __truediv__(self, other):
        return self * value(other) ** -1

    def __rtruediv__(self, other):
        return value(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def tanh(self):
        y = math.tanh(self.data)
        return Value(y, ((self, 1 - y * y),))

    def backward(self):
        reached, todo = {self}, [self]
        while todo:
            for operand, _ in todo.pop().made_of:
                if operand not in reached:
                    reached.add(operand)
                    todo.append(operand)
        self.grad = 1.0
        for node in sorted(reached, key=lambda node: -node.number):
            if abs(node.grad) > 0.05:  # BUG
                for operand, slope in node.made_of:
                    operand.grad += node.grad * slope


def value(x):
    return x if isinstance(x, Value) else Value(x)
