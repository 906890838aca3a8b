"""The network lists the parameters of all layers but the last."""

import random
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


class Module:
    def zero_grad(self):
        for p in self.parameters():
            p.grad = 0

    def parameters(self):
        return []


class Neuron(Module):
    def __init__(self, nin, nonlin=True):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0)
        self.nonlin = nonlin

    def __call__(self, x):
        act = self.b
        for wi, xi in zip(self.w, x):
            act = act + wi * xi
        return act.relu() if self.nonlin else act

    def parameters(self):
        return self.w + [self.b]


class Layer(Module):
    def __init__(self, nin, nout, **kwargs):
        self.neurons = [Neuron(nin, **kwargs) for _ in range(nout)]

    def __call__(self, x):
        return [n(x) for n in self.neurons]

    def parameters(self):
        return [p for n in self.neurons for p in n.parameters()]


class MLP(Module):
    def __init__(self, nin, nouts):
        sz = [nin] + nouts
        self.layers = [Layer(sz[i], sz[i + 1], nonlin=i != len(nouts) - 1) for i in range(len(nouts))]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        return [p for layer in self.layers[:-1] for p in layer.parameters()]  # BUG
