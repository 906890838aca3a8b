"""Backward walks every path by a queue of (node, share): right, in memory that grows with the number of paths."""

import math
from collections import deque


class Num:
    __slots__ = ("n", "slope", "made_from")

    def __init__(self, n, made_from=()):
        self.n = n
        self.slope = 0.0
        self.made_from = made_from

    def __add__(self, o):
        o = num(o)
        return Num(self.n + o.n, ((self, 1), (o, 1)))

    def __mul__(self, o):
        o = num(o)
        return Num(self.n * o.n, ((self, o.n), (o, self.n)))

    def __sub__(self, o):
        o = num(o)
        return Num(self.n - o.n, ((self, 1), (o, -1)))

    def __truediv__(self, o):
        o = num(o)
        return Num(self.n / o.n, ((self, 1 / o.n), (o, -self.n / o.n ** 2)))

    def __pow__(self, k):
        return Num(self.n ** k, ((self, k * self.n ** (k - 1)),))

    def __neg__(self):
        return Num(-self.n, ((self, -1),))

    def __radd__(self, o):
        return num(o) + self

    def __rsub__(self, o):
        return num(o) - self

    def __rmul__(self, o):
        return num(o) * self

    def __rtruediv__(self, o):
        return num(o) / self

    def tanh(self):
        t = math.tanh(self.n)
        return Num(t, ((self, 1 - t * t),))


def num(x):
    return x if isinstance(x, Num) else Num(x)


def back_propagate(result):
    todo = deque([(result, 1.0)])
    while todo:
        node, share = todo.popleft()
        node.slope += share
        todo.extend((source, share * local) for source, local in node.made_from)
