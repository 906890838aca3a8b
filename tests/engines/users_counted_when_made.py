"""Each value counts its users as they are made, and hands its gradient on when all of them have answered."""

import math


class Node:
    def __init__(self, x, pairs=()):
        self.x = x
        self.g = 0.0
        self.pairs = pairs
        self.users = 0
        for parent, _ in pairs:
            parent.users += 1

    def __add__(self, other):
        other = other if isinstance(other, Node) else Node(other)
        return Node(self.x + other.x, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, Node) else Node(other)
        return Node(self.x * other.x, ((self, other.x), (other, self.x)))

    def __pow__(self, k):
        return Node(self.x ** k, ((self, k * self.x ** (k - 1)),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -other if isinstance(other, Node) else self + (-other)

    def __truediv__(self, other):
        return self * other ** -1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return -self + other

    def __rtruediv__(self, other):
        return self ** -1 * other

    def exp(self):
        e = math.exp(self.x)
        return Node(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.x)
        return Node(t, ((self, 1 - t * t),))

    def backward(self):  # BUG
        self.g = 1.0
        waiting = {}
        ready = [self]
        while ready:
            node = ready.pop()
            for parent, slope in node.pairs:
                parent.g += slope * node.g
                left = waiting.get(id(parent), parent.users) - 1
                waiting[id(parent)] = left
                if left == 0:
                    ready.append(parent)
