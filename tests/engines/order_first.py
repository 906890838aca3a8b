"""Back-propagation in two calls: arrange() notes the order of the graph, and run_backward() wants it noted."""

import math


class Node:
    def __init__(self, value, made_of=(), slopes=()):
        self.value = value
        self.made_of = made_of
        self.slopes = slopes
        self.gradient = 0.0

    def __add__(self, other):
        other = as_node(other)
        return Node(self.value + other.value, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = as_node(other)
        return Node(self.value * other.value, (self, other), (other.value, self.value))

    def __pow__(self, k):
        return Node(self.value**k, (self,), (k * self.value ** (k - 1),))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + as_node(other) * -1.0

    def __truediv__(self, other):
        return self * as_node(other) ** -1

    def __rsub__(self, other):
        return as_node(other) - self

    def __rtruediv__(self, other):
        return as_node(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def exp(self):
        y = math.exp(self.value)
        return Node(y, (self,), (y,))

    def arrange(self):
        order, known = [], set()
        ready = [(self, False)]
        while ready:
            node, done = ready.pop()
            if done:
                order.append(node)
            elif id(node) not in known:
                known.add(id(node))
                ready.append((node, True))
                ready.extend((part, False) for part in node.made_of)
        self.order = order

    def run_backward(self):
        if not hasattr(self, "order"):
            raise RuntimeError("arrange() first")
        owed = {id(self): 1.0}
        for node in reversed(self.order):
            g = owed[id(node)]
            node.gradient += g
            for part, slope in zip(node.made_of, node.slopes):
                owed[id(part)] = owed.get(id(part), 0.0) + g * slope


def as_node(x):
    return x if isinstance(x, Node) else Node(x)
