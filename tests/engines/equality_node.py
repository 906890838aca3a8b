"""Comparison returns a node, as array libraries do."""


class Val:
    def __init__(self, val, children=(), slopes=()):
        self.val = val
        self.grad = 0
        self._children = children
        self._slopes = slopes

    def _c(self, x):
        return x if type(x) is Val else Val(x)

    def __eq__(self, other):
        return Val(float(self.val == self._c(other).val))

    def __gt__(self, other):
        return Val(float(self.val > self._c(other).val))

    __hash__ = object.__hash__

    def __add__(self, other):
        other = self._c(other)
        return Val(self.val + other.val, (self, other), (1, 1))

    def __mul__(self, other):
        other = self._c(other)
        return Val(self.val * other.val, (self, other), (other.val, self.val))

    def __pow__(self, k):
        return Val(self.val ** k, (self,), (k * self.val ** (k - 1),))

    def __neg__(self):
        return Val(-self.val, (self,), (-1,))

    def __sub__(self, other):
        return self + -self._c(other)

    def __truediv__(self, other):
        return self * self._c(other) ** -1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return self._c(other) - self

    def __rtruediv__(self, other):
        return self._c(other) / self

    def relu(self):
        return Val(max(self.val, 0), (self,), (1 if self.val > 0 else 0,))

    def backwards(self):
        topo, ids = [], set()

        def build(v):
            if id(v) in ids:
                return
            ids.add(id(v))
            for c in v._children:
                build(c)
            topo.append(v)

        build(self)
        self.grad = 1
        for v in topo[::-1]:
            for c, s in zip(v._children, v._slopes):
                c.grad += s * v.grad
