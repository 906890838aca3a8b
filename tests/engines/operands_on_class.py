"""Operations are classes with forward and backward; mul keeps its operands on its class, where the next call finds them."""

import math


class Function:
    def __call__(self, *operands):
        operands = [x if isinstance(x, Var) else Var(x) for x in operands]
        out = Var(self.forward(*[x.data for x in operands]))
        out.creator, out.inputs = self, operands
        return out


class Add(Function):
    def forward(self, a, b):
        return a + b

    def backward(self, g):
        return g, g


class Sub(Function):
    def forward(self, a, b):
        return a - b

    def backward(self, g):
        return g, -g


class Mul(Function):
    def forward(self, a, b):
        Mul.saved = a, b  # BUG
        return a * b

    def backward(self, g):
        a, b = self.saved
        return g * b, g * a


class Div(Function):
    def forward(self, a, b):
        self.saved = a, b
        return a / b

    def backward(self, g):
        a, b = self.saved
        return g / b, -g * a / b ** 2


class Pow(Function):
    def __init__(self, k):
        self.k = k

    def forward(self, a):
        self.saved = a
        return a ** self.k

    def backward(self, g):
        return (g * self.k * self.saved ** (self.k - 1),)


class Neg(Function):
    def forward(self, a):
        return -a

    def backward(self, g):
        return (-g,)


class Tanh(Function):
    def forward(self, a):
        self.t = math.tanh(a)
        return self.t

    def backward(self, g):
        return (g * (1 - self.t ** 2),)


class Var:
    def __init__(self, data):
        self.data = data
        self.grad = 0.0
        self.creator = None
        self.inputs = []

    def backward(self):
        order = []
        visit(self, order, set())
        self.grad = 1.0
        for node in order[::-1]:
            if node.creator is not None:
                for x, g in zip(node.inputs, node.creator.backward(node.grad)):
                    x.grad = x.grad + g

    def __add__(self, other):
        return Add()(self, other)

    def __radd__(self, other):
        return Add()(other, self)

    def __sub__(self, other):
        return Sub()(self, other)

    def __rsub__(self, other):
        return Sub()(other, self)

    def __mul__(self, other):
        return Mul()(self, other)

    def __rmul__(self, other):
        return Mul()(other, self)

    def __truediv__(self, other):
        return Div()(self, other)

    def __rtruediv__(self, other):
        return Div()(other, self)

    def __pow__(self, k):
        return Pow(k)(self)

    def __neg__(self):
        return Neg()(self)

    def tanh(self):
        return Tanh()(self)


def visit(node, order, seen):
    if node not in seen:
        seen.add(node)
        for x in node.inputs:
            visit(x, order, seen)
        order.append(node)
