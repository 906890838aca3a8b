"""Functions as callable objects."""

import math


class Var:
    def __init__(self, of, parents=(), fn=None):
        self.of = of
        self.derivative = 0.0
        self.parents = list(parents)
        self.fn = fn

    def __add__(self, other):
        return add(self, other)

    def __radd__(self, other):
        return add(other, self)

    def __sub__(self, other):
        return add(self, neg(other))

    def __rsub__(self, other):
        return add(other, neg(self))

    def __mul__(self, other):
        return mul(self, other)

    def __rmul__(self, other):
        return mul(other, self)

    def __truediv__(self, other):
        return mul(self, power(tensor(other), -1))

    def __rtruediv__(self, other):
        return mul(other, power(self, -1))

    def __neg__(self):
        return neg(self)

    def __pow__(self, k):
        return power(self, k)


def tensor(x):
    return x if isinstance(x, Var) else Var(x)


def add(a, b):
    a, b = tensor(a), tensor(b)
    out = Var(a.of + b.of, (a, b))

    def fn():
        a.derivative += out.derivative
        b.derivative += out.derivative

    out.fn = fn
    return out


def mul(a, b):
    a, b = tensor(a), tensor(b)
    out = Var(a.of * b.of, (a, b))

    def fn():
        a.derivative += b.of * out.derivative
        b.derivative += a.of * out.derivative

    out.fn = fn
    return out


def neg(a):
    a = tensor(a)
    out = Var(-a.of, (a,))

    def fn():
        a.derivative -= out.derivative

    out.fn = fn
    return out


def power(a, k):
    out = Var(a.of ** k, (a,))

    def fn():
        a.derivative += k * a.of ** (k - 1) * out.derivative

    out.fn = fn
    return out


class Unary:
    def __call__(self, a):
        out = Var(self.forward(a.of), (a,))

        def fn():
            a.derivative += self.slope(a.of, out.of) * out.derivative

        out.fn = fn
        return out


class TanhFunction(Unary):
    def forward(self, x):
        return math.tanh(x)

    def slope(self, x, y):
        return 1 - y * y


class ExpFunction(Unary):
    def forward(self, x):
        return math.exp(x)

    def slope(self, x, y):
        return y


class ReluFunction(Unary):
    def forward(self, x):
        return x if x > 0 else 0.0

    def slope(self, x, y):
        return 1.0 if x > 0 else 0.0


Tanh = TanhFunction()
Exp = ExpFunction()
ReLU = ReluFunction()


def back_prop(root):
    order, seen = [], set()

    def sort(node):
        if node in seen:
            return
        seen.add(node)
        for p in node.parents:
            sort(p)
        order.append(node)

    sort(root)
    root.derivative = 1.0
    for node in reversed(order):
        if node.fn is not None:
            node.fn()
