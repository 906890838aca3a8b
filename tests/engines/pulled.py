"""Each leaf is asked for its gradient: grad() goes up to what was made of it. Nothing says which value is the root."""


class Leaf:
    def __init__(self, value):
        self.value = value
        self.used_in = []
        self.slope = None

    def grad(self):  # BUG
        if not self.used_in:
            return 1.0
        if self.slope is None:
            self.slope = 0.0
            for weight, node in self.used_in:
                self.slope += weight * node.grad()
        return self.slope

    def __add__(self, other):
        other = leaf(other)
        return joined(self.value + other.value, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = leaf(other)
        return joined(self.value * other.value, (self, other.value), (other, self.value))

    def __pow__(self, k):
        return joined(self.value ** k, (self, k * self.value ** (k - 1)))

    def __neg__(self):
        return joined(-self.value, (self, -1.0))

    def __sub__(self, other):
        return self + -leaf(other)

    def __truediv__(self, other):
        return self * leaf(other) ** -1

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other):
        return leaf(other) - self

    def __rtruediv__(self, other):
        return leaf(other) / self


def leaf(x):
    return x if isinstance(x, Leaf) else Leaf(x)


def joined(value, *operands):
    out = Leaf(value)
    for operand, weight in operands:
        operand.used_in.append((weight, out))
    return out
