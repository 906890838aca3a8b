"""A node holds one function for each operand; mul makes its two in a loop, and both see the loop's last round."""

import math


class Value:
    def __init__(self, data, operands=()):
        self.data = data
        self.grad = 0.0
        self.operands = operands
        self.pushes = []

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))
        out.pushes = [lambda g: self.receive(g), lambda g: other.receive(g)]
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))
        for operand, slope in ((self, other.data), (other, self.data)):
            out.pushes.append(lambda g: operand.receive(g * slope))  # BUG
        return out

    def __pow__(self, k):
        out = Value(self.data ** k, (self,))
        out.pushes = [lambda g: self.receive(g * k * self.data ** (k - 1))]
        return out

    def __neg__(self):
        out = Value(-self.data, (self,))
        out.pushes = [lambda g: self.receive(-g)]
        return out

    def __sub__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data - other.data, (self, other))
        out.pushes = [lambda g: self.receive(g), lambda g: other.receive(-g)]
        return out

    def __truediv__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        q = self.data / other.data
        out = Value(q, (self, other))
        out.pushes = [lambda g: self.receive(g / other.data), lambda g: other.receive(-g * q / other.data)]
        return out

    def __radd__(self, other):
        return Value(other) + self

    def __rsub__(self, other):
        return Value(other) - self

    def __rmul__(self, other):
        return Value(other) * self

    def __rtruediv__(self, other):
        return Value(other) / self

    def log(self):
        out = Value(math.log(self.data), (self,))
        out.pushes = [lambda g: self.receive(g / self.data)]
        return out

    def receive(self, g):
        self.grad += g

    def backward(self):
        topo = []

        def visit(node):
            if node not in topo:
                for operand in node.operands:
                    visit(operand)
                topo.append(node)

        visit(self)
        self.receive(1.0)
        for node in topo[::-1]:
            for push in node.pushes:
                push(node.grad)
