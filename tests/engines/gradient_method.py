"""As in PyTorch, a function object behind each result; grad() asks it for the gradient."""

import math


class Accumulator:
    def __init__(self):
        self.g = 0.0

    def inputs(self):
        return []

    def push(self):
        pass


class Rule(Accumulator):
    """Inputs, and their slopes."""

    def __init__(self, *pairs):
        super().__init__()
        self.pairs = pairs

    def inputs(self):
        return [node.fn for node, _ in self.pairs]

    def push(self):
        for node, slope in self.pairs:
            node.fn.g += self.g * slope


class Value:
    def __init__(self, value, fn=None):
        self.value = float(value)
        self.fn = fn or Accumulator()

    def grad(self):
        return self.fn.g

    def zero_grad(self):
        self.fn.g = 0.0

    def backward(self):
        order, seen = [], set()

        def walk(fn):
            if fn in seen:
                return
            seen.add(fn)
            for other in fn.inputs():
                walk(other)
            order.append(fn)

        walk(self.fn)
        self.fn.g += 1.0
        while order:
            order.pop().push()

    def __add__(self, other):
        other = lift(other)
        return Value(self.value + other.value, Rule((self, 1.0), (other, 1.0)))

    def __sub__(self, other):
        other = lift(other)
        return Value(self.value - other.value, Rule((self, 1.0), (other, -1.0)))

    def __mul__(self, other):
        other = lift(other)
        return Value(self.value * other.value, Rule((self, other.value), (other, self.value)))

    def __truediv__(self, other):
        other = lift(other)
        q = self.value / other.value
        return Value(q, Rule((self, 1 / other.value), (other, -q / other.value)))

    def __pow__(self, k):
        return Value(self.value ** k, Rule((self, k * self.value ** (k - 1))))

    def __neg__(self):
        return Value(-self.value, Rule((self, -1.0)))

    def __radd__(self, other):
        return lift(other) + self

    def __rsub__(self, other):
        return lift(other) - self

    def __rmul__(self, other):
        return lift(other) * self

    def __rtruediv__(self, other):
        return lift(other) / self

    def exp(self):
        y = math.exp(self.value)
        return Value(y, Rule((self, y)))

    def relu(self):
        on = self.value > 0
        return Value(self.value * on, Rule((self, float(on))))


def lift(x):
    return x if isinstance(x, Value) else Value(x)
