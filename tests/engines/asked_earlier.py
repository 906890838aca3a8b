"""Each value is asked for its gradient; what was made of it in earlier expressions counts for ever."""

import math


class Quantity:
    def __init__(self, number):
        self.number = number
        self.users = []
        self.sensitivity = None

    def gradient(self):  # BUG
        if self.sensitivity is None:
            owed = 0.0
            for slope, user in self.users:
                owed += slope * user.gradient()
            self.sensitivity = owed
        return self.sensitivity

    def __add__(self, other):
        other = quantity(other)
        out = Quantity(self.number + other.number)
        self.users.append((1.0, out))
        other.users.append((1.0, out))
        return out

    def __mul__(self, other):
        other = quantity(other)
        out = Quantity(self.number * other.number)
        self.users.append((other.number, out))
        other.users.append((self.number, out))
        return out

    def __pow__(self, k):
        out = Quantity(self.number ** k)
        self.users.append((k * self.number ** (k - 1), out))
        return out

    def exp(self):
        out = Quantity(math.exp(self.number))
        self.users.append((out.number, out))
        return out

    def tanh(self):
        t = math.tanh(self.number)
        out = Quantity(t)
        self.users.append((1 - t * t, out))
        return out

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + quantity(other) * -1

    def __truediv__(self, other):
        return self * quantity(other) ** -1

    def __radd__(self, other):
        return self + other

    def __rsub__(self, other):
        return quantity(other) - self

    def __rmul__(self, other):
        return self * other

    def __rtruediv__(self, other):
        return quantity(other) / self


def quantity(x):
    return x if isinstance(x, Quantity) else Quantity(x)
