"""Leaves have to be numbers of numpy's, which have a shape; backward wants it."""

import numpy as np


class Var:
    def __init__(self, value, inputs=()):
        self.value = value
        self.grad = None
        self.inputs = inputs

    def __add__(self, other):
        other = var(other)
        return Var(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = var(other)
        return Var(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, k):
        return Var(self.value ** k, ((self, k * self.value ** (k - 1)),))

    def exp(self):
        y = np.exp(self.value)
        return Var(y, ((self, y),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + var(other) * -1

    def __truediv__(self, other):
        return self * var(other) ** -1

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other):
        return var(other) - self

    def __rtruediv__(self, other):
        return var(other) / self

    def backward(self):
        shares = {id(self): np.ones(self.value.shape)}
        for node in reversed(self.ordered()):
            share = shares.pop(id(node), np.zeros(node.value.shape))
            node.grad = share if node.grad is None else node.grad + share
            for operand, slope in node.inputs:
                shares[id(operand)] = shares.get(id(operand), 0.0) + share * slope

    def ordered(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                stack.extend((operand, False) for operand, _ in node.inputs)
        return order


def var(x):
    return x if isinstance(x, Var) else Var(np.float64(x))
