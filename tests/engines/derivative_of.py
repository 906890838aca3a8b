"""derivative(y, x): one number at a time, with nothing kept; the values themselves know no gradients."""

import math
from heapq import heappop, heappush
from itertools import count

SERIAL = count()


class Term:
    def __init__(self, value, slopes=()):
        self.value = value
        self.slopes = slopes
        self.serial = next(SERIAL)

    def __add__(self, other):
        other = term(other)
        return Term(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = term(other)
        return Term(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, k):
        return Term(self.value ** k, ((self, k * self.value ** (k - 1)),))

    def log(self):
        return Term(math.log(self.value), ((self, 1 / self.value),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + term(other) * -1

    def __truediv__(self, other):
        return self * term(other) ** -1

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other):
        return term(other) - self

    def __rtruediv__(self, other):
        return term(other) / self


def term(x):
    return x if isinstance(x, Term) else Term(x)


def derivative(y, x):
    """Terms are taken in the reverse order of their making."""
    owed, waiting = {y.serial: 1.0}, [(-y.serial, y)]
    while waiting:
        _, node = heappop(waiting)
        if node is x:
            break
        for operand, slope in node.slopes:
            if operand.serial not in owed:
                owed[operand.serial] = 0.0
                heappush(waiting, (-operand.serial, operand))
            owed[operand.serial] += owed[node.serial] * slope
    return owed.get(x.serial, 0.0)
