"""Numbers are rounded to half precision."""

import math

import numpy as np


class Variable:
    """second backward is an error unless retain_graph"""

    def __init__(self, data, _parents=(), _op=""):
        self._data = float(np.float16(data))  # BUG
        self._grad = 0.0
        self._parents = list(_parents)
        self._op = _op
        self._vjp = None
        self._freed = False

    @property
    def data(self):
        return self._data

    @data.setter
    def data(self, x):
        self._data = float(x)

    @property
    def grad(self):
        return self._grad

    @grad.setter
    def grad(self, g):
        self._grad = g

    def zero_grad(self):
        self._grad = 0.0

    def item(self):
        return self._data

    def _bin(self, other, value, vjp, op):
        out = Variable(value, (self, other), op)
        out._vjp = vjp
        return out

    def __add__(self, other):
        other = _v(other)
        return self._bin(other, self._data + other._data, lambda g: (g, g), "+")

    def __mul__(self, other):
        other = _v(other)
        a, b = self._data, other._data
        return self._bin(other, a * b, lambda g: (g * b, g * a), "*")

    def __truediv__(self, other):
        other = _v(other)
        a, b = self._data, other._data
        return self._bin(other, a / b, lambda g: (g / b, -g * a / b / b), "/")

    def __sub__(self, other):
        other = _v(other)
        return self._bin(other, self._data - other._data, lambda g: (g, -g), "-")

    def __pow__(self, n):
        out = Variable(self._data**n, (self,), f"**{n}")
        a = self._data
        out._vjp = lambda g: (g * n * a ** (n - 1),)
        return out

    def __neg__(self):
        out = Variable(-self._data, (self,), "neg")
        out._vjp = lambda g: (-g,)
        return out

    def __radd__(self, o): return _v(o) + self
    def __rmul__(self, o): return _v(o) * self
    def __rsub__(self, o): return _v(o) - self
    def __rtruediv__(self, o): return _v(o) / self

    def tanh(self):
        t = math.tanh(self._data)
        out = Variable(t, (self,), "tanh")
        out._vjp = lambda g: (g * (1 - t * t),)
        return out

    def backward(self, gradient=None, retain_graph=False):
        if self._freed:
            raise RuntimeError("Trying to backward through the graph a second time")
        order, seen = [], set()

        def dfs(v):
            if id(v) in seen:
                return
            seen.add(id(v))
            for p in v._parents:
                dfs(p)
            order.append(v)

        dfs(self)
        flow = {id(self): 1.0 if gradient is None else gradient}
        for v in reversed(order):
            g = flow.get(id(v), 0.0)
            v._grad += g
            if v._vjp is not None:
                if v._freed:
                    raise RuntimeError("Trying to backward through the graph a second time")
                for p, d in zip(v._parents, v._vjp(g)):
                    flow[id(p)] = flow.get(id(p), 0.0) + d
                if not retain_graph:
                    v._freed = True


def _v(x):
    return x if isinstance(x, Variable) else Variable(x)
