"""Operators are hung on the class by helpers, in loops over tables at top level."""

import math
import operator as op


class Scalar:
    def __init__(self, data, parents=(), weights=()):
        self.data, self.parents, self.weights = data, parents, weights
        self.grad = 0

    def backward(self):
        topo, stack, seen = [], [(self, False)], set()
        while stack:
            node, finished = stack.pop()
            if finished:
                topo.append(node)
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                stack.extend((p, False) for p in node.parents)
        self.grad = 1
        for node in topo[::-1]:
            for p, w in zip(node.parents, node.weights):
                p.grad = p.grad + w * node.grad


BINARY = {
    "add": (op.add, lambda a, b, y: (1, 1)),
    "sub": (op.sub, lambda a, b, y: (1, -1)),
    "mul": (op.mul, lambda a, b, y: (b, a)),
    "truediv": (op.truediv, lambda a, b, y: (1 / b, -y / b)),
    "pow": (op.pow, lambda a, b, y: (b * a ** (b - 1) if b else 0.0, y * math.log(a) if a > 0 else 0.0)),
}
UNARY = {
    "__neg__": (op.neg, lambda a, y: -1),
    "exp": (math.exp, lambda a, y: y),
    "log": (math.log, lambda a, y: 1 / a),
    "tanh": (math.tanh, lambda a, y: 1 - y * y),
    "relu": (lambda a: a if a > 0 else 0.0, lambda a, y: 1.0 if a > 0 else 0.0),
}


def _binary(name, f, df):
    def forward(self, other):
        other = other if isinstance(other, Scalar) else Scalar(other)
        y = f(self.data, other.data)
        return Scalar(y, (self, other), df(self.data, other.data, y))

    def reverse(self, other):
        return forward(Scalar(other), self)

    setattr(Scalar, f"__{name}__", forward)
    setattr(Scalar, f"__r{name}__", reverse)


def _unary(name, f, df):
    def forward(self):
        y = f(self.data)
        return Scalar(y, (self,), (df(self.data, y),))

    setattr(Scalar, name, forward)


for _name, _pair in BINARY.items():
    _binary(_name, *_pair)
for _name, _pair in UNARY.items():
    _unary(_name, *_pair)
