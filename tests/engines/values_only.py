"""Numbers with operators, and nothing that goes backwards; the absolute value calls what is not there."""


class Number:
    def __init__(self, value, operands=()):
        self.value = value
        self.operands = operands

    def __add__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.value + other.value, (self, other))

    def __mul__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.value * other.value, (self, other))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + other * -1

    def __abs__(self):
        return self if self.value >= 0 else self.negated()

    __radd__ = __add__
    __rmul__ = __mul__
