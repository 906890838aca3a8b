"""Closures; numbers are kept in boxes, and one gradient is put into a new box in place of a sum."""

import math


class Cell:
    def __init__(self, content):
        self.content = content


class Value:
    def __init__(self, data, parents=()):
        self.data = data if isinstance(data, Cell) else Cell(data)
        self.grad = Cell(0.0)
        self._parents = parents
        self._push = lambda g: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data.content + other.data.content, (self, other))

        def push(g):
            self.grad.content += g
            other.grad = Cell(g)  # BUG

        out._push = push
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data.content * other.data.content, (self, other))

        def push(g):
            self.grad.content += other.data.content * g
            other.grad.content += self.data.content * g

        out._push = push
        return out

    def __pow__(self, k):
        out = Value(self.data.content ** k, (self,))

        def push(g):
            self.grad.content += k * self.data.content ** (k - 1) * g

        out._push = push
        return out

    def exp(self):
        out = Value(math.exp(self.data.content), (self,))

        def push(g):
            self.grad.content += out.data.content * g

        out._push = push
        return out

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -other

    def __truediv__(self, other):
        return self * other ** -1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return -self + other

    def __rtruediv__(self, other):
        return self ** -1 * other

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((parent, False) for parent in node._parents)
        self.grad.content = 1.0
        for node in reversed(order):
            node._push(node.grad.content)
