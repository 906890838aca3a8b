"""Numbers stored with a fixed precision."""

import numpy as np

PRECISION = np.float32


class Value:
    def __init__(self, data, _children=()):
        self.data = PRECISION(data)  # BUG
        self.grad = PRECISION(0)
        self._prev = tuple(_children)
        self._local = ()

    def _node(self, data, *edges):
        out = Value(data, [n for n, _ in edges])
        out._local = [s for _, s in edges]
        return out

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self._node(self.data + other.data, (self, 1.0), (other, 1.0))

    def __sub__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self._node(self.data - other.data, (self, 1.0), (other, -1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self._node(self.data * other.data, (self, other.data), (other, self.data))

    def __truediv__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self._node(self.data / other.data, (self, 1 / other.data), (other, -self.data / other.data ** 2))

    def __pow__(self, k):
        return self._node(self.data ** float(k), (self, k * self.data ** float(k - 1)))

    def __neg__(self): return self._node(-self.data, (self, -1.0))
    def __radd__(self, other): return Value(other) + self
    def __rsub__(self, other): return Value(other) - self
    def __rmul__(self, other): return Value(other) * self
    def __rtruediv__(self, other): return Value(other) / self

    def tanh(self):
        t = np.tanh(self.data)
        return self._node(t, (self, 1 - t * t))

    def relu(self):
        return self._node(self.data if self.data > 0 else 0.0, (self, 1.0 if self.data > 0 else 0.0))

    def backward(self):
        topo, seen = [], set()

        def build(v):
            if v not in seen:
                seen.add(v)
                for p in v._prev:
                    build(p)
                topo.append(v)

        build(self)
        self.grad = PRECISION(1)
        for v in reversed(topo):
            for p, s in zip(v._prev, v._local):
                p.grad = p.grad + PRECISION(s) * v.grad
