"""Functions on Tensors, backprop(root) at the end."""

import math


class Tensor:
    def __init__(self, data, prev=(), fn=None):
        self.data = data
        self.gradient = 0.0
        self.prev = list(prev)
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
    return x if isinstance(x, Tensor) else Tensor(x)


def add(a, b):
    a, b = tensor(a), tensor(b)
    out = Tensor(a.data + b.data, (a, b))

    def fn():
        a.gradient += out.gradient
        b.gradient += out.gradient

    out.fn = fn
    return out


def mul(a, b):
    a, b = tensor(a), tensor(b)
    out = Tensor(a.data * b.data, (a, b))

    def fn():
        a.gradient += b.data * out.gradient
        b.gradient += a.data * out.gradient

    out.fn = fn
    return out


def neg(a):
    a = tensor(a)
    out = Tensor(-a.data, (a,))

    def fn():
        a.gradient -= out.gradient

    out.fn = fn
    return out


def power(a, k):
    out = Tensor(a.data ** k, (a,))

    def fn():
        a.gradient += k * a.data ** (k - 1) * out.gradient

    out.fn = fn
    return out


def tanh(a):
    out = Tensor(math.tanh(a.data), (a,))

    def fn():
        a.gradient += (1 - out.data ** 2) * out.gradient

    out.fn = fn
    return out


def exp(a):
    out = Tensor(math.exp(a.data), (a,))

    def fn():
        a.gradient += out.data * out.gradient

    out.fn = fn
    return out


def ln(a):
    out = Tensor(math.log(a.data), (a,))

    def fn():
        a.gradient += out.gradient / a.data

    out.fn = fn
    return out


def relu(a):
    out = Tensor(max(a.data, 0.0), (a,))

    def fn():
        if a.data > 0:
            a.gradient += out.gradient

    out.fn = fn
    return out


def backprop(root):
    order, seen = [], set()

    def sort(node):
        if node in seen:
            return
        seen.add(node)
        for p in node.prev:
            sort(p)
        order.append(node)

    sort(root)
    root.gradient = 1.0
    for node in reversed(order):
        if node.fn is not None:
            node.fn()
