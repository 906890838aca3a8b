"""Vectors only: the data is a list."""


class Tensor:
    def __init__(self, data, parents=()):
        self.data = [float(x) for x in data]
        self.grad = [0.0] * len(self.data)
        self.parents = parents
        self._backward = lambda: None

    def __add__(self, other):
        out = Tensor([a + b for a, b in zip(self.data, other.data)], (self, other))

        def _backward():
            for i, g in enumerate(out.grad):
                self.grad[i] += g
                other.grad[i] += g

        out._backward = _backward
        return out

    def __mul__(self, other):
        out = Tensor([a * b for a, b in zip(self.data, other.data)], (self, other))

        def _backward():
            for i, g in enumerate(out.grad):
                self.grad[i] += g * other.data[i]
                other.grad[i] += g * self.data[i]

        out._backward = _backward
        return out

    def backward(self):
        order, seen = [], set()

        def visit(t):
            if t not in seen:
                seen.add(t)
                for p in t.parents:
                    visit(p)
                order.append(t)

        visit(self)
        self.grad = [1.0] * len(self.data)
        for t in reversed(order):
            t._backward()
