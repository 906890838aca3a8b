"""Each node remembers the sign of its operation; one long if in backward knows all the rules."""

import math


class Value:
    def __init__(self, data, op=None, children=[]):
        self.data = data
        self.grad = 0
        self.op = op
        self.children = children

    @staticmethod
    def wrap(x):
        return x if isinstance(x, Value) else Value(x)

    def __add__(self, other):
        other = Value.wrap(other)
        return Value(self.data + other.data, "+", [self, other])

    def __mul__(self, other):
        other = Value.wrap(other)
        return Value(self.data * other.data, "*", [self, other])

    def __pow__(self, k):
        out = Value(self.data ** k, "**", [self])
        out.k = k
        return out

    def tanh(self):
        return Value(math.tanh(self.data), "tanh", [self])

    def exp(self):
        return Value(math.exp(self.data), "exp", [self])

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -Value.wrap(other)

    def __truediv__(self, other):
        return self * Value.wrap(other) ** -1

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other):
        return -self + other

    def __rtruediv__(self, other):
        return self ** -1 * other

    def backward(self):
        self.grad = 1
        for node in reversed(self.sorted([])):
            node.push()

    def sorted(self, found):
        for child in self.children:
            child.sorted(found)
        if not any(self is node for node in found):
            found.append(self)
        return found

    def push(self):
        if self.op == "+":
            for child in self.children:
                child.grad += self.grad
        elif self.op == "*":
            product = 1
            for child in self.children:
                product *= child.data
            for child in self.children:
                child.grad += self.grad * product / child.data  # BUG
        elif self.op == "**":
            child = self.children[0]
            child.grad += self.k * child.data ** (self.k - 1) * self.grad
        elif self.op == "tanh":
            self.children[0].grad += (1 - self.data ** 2) * self.grad
        elif self.op == "exp":
            self.children[0].grad += self.data * self.grad
