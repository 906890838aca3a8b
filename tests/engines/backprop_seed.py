"""Scalars with backprop(seed): the seed is asked for, not assumed."""

from math import exp, log, tanh


class Scalar:
    def __init__(self, number, _op=None, _ins=()):
        self._value = number
        self.gradient = 0.0
        self._op = _op
        self._ins = _ins

    @property
    def value(self):
        return self._value

    def __add__(self, b):
        return Scalar(self._value + _num(b), "+", (self, b))

    def __mul__(self, b):
        return Scalar(self._value * _num(b), "*", (self, b))

    def __sub__(self, b):
        return Scalar(self._value - _num(b), "-", (self, b))

    def __truediv__(self, b):
        return Scalar(self._value / _num(b), "/", (self, b))

    def __pow__(self, b):
        return Scalar(self._value ** b, "**", (self, b))

    def __neg__(self):
        return 0 - self

    def __radd__(self, b):
        return Scalar(b + self._value, "+", (b, self))

    def __rmul__(self, b):
        return Scalar(b * self._value, "*", (b, self))

    def __rsub__(self, b):
        return Scalar(b - self._value, "-", (b, self))

    def __rtruediv__(self, b):
        return Scalar(b / self._value, "/", (b, self))

    def exp(self):
        return Scalar(exp(self._value), "exp", (self,))

    def log(self):
        return Scalar(log(self._value), "log", (self,))

    def tanh(self):
        return Scalar(tanh(self._value), "tanh", (self,))

    def _slopes(self):
        x = [_num(i) for i in self._ins]
        if self._op == "+":
            return 1, 1
        if self._op == "-":
            return 1, -1
        if self._op == "*":
            return x[1], x[0]
        if self._op == "/":
            return 1 / x[1], -x[0] / x[1] ** 2
        if self._op == "**":
            return x[1] * x[0] ** (x[1] - 1), 0
        if self._op == "exp":
            return (self._value,)
        if self._op == "log":
            return (1 / x[0],)
        if self._op == "tanh":
            return (1 - self._value ** 2,)
        return ()

    def backprop(self, seed):
        topo, seen = [], set()

        def visit(s):
            if isinstance(s, Scalar) and s not in seen:
                seen.add(s)
                for i in s._ins:
                    visit(i)
                topo.append(s)

        visit(self)
        self.gradient = seed
        for s in reversed(topo):
            for i, slope in zip(s._ins, s._slopes()):
                if isinstance(i, Scalar):
                    i.gradient += slope * s.gradient


def _num(x):
    return x._value if isinstance(x, Scalar) else x
