"""The engine of networks in mlp_*.py; no engine of the table, so that they lie beside none."""

from math import exp, tanh


class Value:
    def __init__(self, data, _prev=(), _op="", label=""):
        self.data = data
        self.grad = 0
        self.label = label
        self._op = _op
        self._prev = set(_prev)
        self._backward = lambda: None

    def __repr__(self):
        return "Value(data=%s)" % self.data

    # ---- arithmetic ----

    def __add__(self, other):
        if not isinstance(other, Value):
            other = Value(other)
        out = Value(self.data + other.data, (self, other), "+")

        def back():
            self.grad += 1.0 * out.grad
            other.grad += 1.0 * out.grad

        out._backward = back
        return out

    def __mul__(self, other):
        if not isinstance(other, Value):
            other = Value(other)
        out = Value(self.data * other.data, (self, other), "*")

        def back():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = back
        return out

    def __neg__(self):
        out = Value(-self.data, (self,), "neg")

        def back():
            self.grad += -1.0 * out.grad

        out._backward = back
        return out

    def __sub__(self, other):
        if not isinstance(other, Value):
            other = Value(other)
        out = Value(self.data - other.data, (self, other), "-")

        def back():
            self.grad += 1.0 * out.grad
            other.grad += -1.0 * out.grad

        out._backward = back
        return out

    def __truediv__(self, other):
        if not isinstance(other, Value):
            other = Value(other)
        out = Value(self.data / other.data, (self, other), "/")

        def back():
            self.grad += (1.0 / other.data) * out.grad
            other.grad += (-self.data / other.data ** 2) * out.grad

        out._backward = back
        return out

    def __pow__(self, n):
        out = Value(self.data ** n, (self,), "**" + str(n))

        def back():
            self.grad += (n * self.data ** (n - 1)) * out.grad

        out._backward = back
        return out

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return Value(other) - self

    def __rtruediv__(self, other):
        return Value(other) / self

    # ---- activations ----

    def exp(self):
        e = exp(self.data)
        out = Value(e, (self,), "exp")

        def back():
            self.grad += e * out.grad

        out._backward = back
        return out

    def tanh(self):
        out = Value(tanh(self.data), (self,), "tanh")

        def back():
            self.grad += (1.0 - out.data ** 2) * out.grad

        out._backward = back
        return out

    def relu(self):
        out = Value(max(0, self.data), (self,), "ReLU")

        def back():
            if out.data > 0:
                self.grad += out.grad

        out._backward = back
        return out

    # ---- backpropagation ----

    def backward(self):
        topo = []
        visited = set()

        def build(node):
            if node not in visited:
                visited.add(node)
                for p in node._prev:
                    build(p)
                topo.append(node)

        build(self)
        topo.reverse()

        self.grad = 1
        for node in topo:
            node._backward()
