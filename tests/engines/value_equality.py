"""Nodes compare by their number; the graph code goes by identity."""

import math


class Value:
    def __init__(self, data, parents=()):
        self.data = data
        self.grad = 0.0
        self._parents = tuple(parents)
        self._push = None

    def __eq__(self, other):
        return self.data == (other.data if isinstance(other, Value) else other)

    def __hash__(self):
        return hash(self.data)

    def __lt__(self, other):
        return self.data < (other.data if isinstance(other, Value) else other)

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def push(g):
            self.grad += g
            other.grad += g

        out._push = push
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def push(g):
            self.grad += g * other.data
            other.grad += g * self.data

        out._push = push
        return out

    def __pow__(self, k):
        out = Value(self.data ** k, (self,))

        def push(g):
            self.grad += g * k * self.data ** (k - 1)

        out._push = push
        return out

    def exp(self):
        out = Value(math.exp(self.data), (self,))

        def push(g):
            self.grad += g * out.data

        out._push = push
        return out

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (other * -1)

    def __truediv__(self, other):
        return self * (other if isinstance(other, Value) else Value(other)) ** -1

    def __radd__(self, other):
        return self + other

    def __rsub__(self, other):
        return -self + other

    def __rmul__(self, other):
        return self * other

    def __rtruediv__(self, other):
        return other * self ** -1

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                for p in node._parents:
                    visit(p)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            if node._push:
                node._push(node.grad)
