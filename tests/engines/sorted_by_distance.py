"""Operation classes, levels from the root."""

import math


class Node:
    """Each operation is a subclass that knows its forward value and its slopes."""

    def __init__(self, value):
        self.inputs = ()
        self.value = value
        self.gradient = 0.0

    def slopes(self):
        return ()

    def __add__(self, other): return Add(self, other)
    def __radd__(self, other): return Add(other, self)
    def __sub__(self, other): return Sub(self, other)
    def __rsub__(self, other): return Sub(other, self)
    def __mul__(self, other): return Mul(self, other)
    def __rmul__(self, other): return Mul(other, self)
    def __truediv__(self, other): return Div(self, other)
    def __rtruediv__(self, other): return Div(other, self)
    def __pow__(self, k): return Pow(self, k)
    def __neg__(self): return Mul(self, -1.0)
    def cos(self): return Cos(self)

    def sorted_inputs(self, seen):
        if id(self) in seen:
            return []
        seen.add(id(self))
        result = []
        for n in self.inputs:
            result += n.sorted_inputs(seen)
        return result + [self]

    def backward(self):  # BUG
        self.gradient = 1.0
        level = {id(self): 0}
        found = [self]
        for node in found:
            for n in node.inputs:
                if id(n) not in level:
                    level[id(n)] = level[id(node)] + 1
                    found.append(n)
        for node in sorted(found, key=lambda n: level[id(n)]):
            for n, slope in zip(node.inputs, node.slopes()):
                n.gradient += slope * node.gradient


class Operation(Node):
    def __init__(self, *inputs):
        super().__init__(0.0)
        self.inputs = tuple(x if isinstance(x, Node) else Node(x) for x in inputs)
        self.value = self.forward(*(x.value for x in self.inputs))


class Add(Operation):
    def forward(self, x, y):
        return x + y

    def slopes(self):
        return 1.0, 1.0


class Sub(Operation):
    def forward(self, x, y):
        return x - y

    def slopes(self):
        return 1.0, -1.0


class Mul(Operation):
    def forward(self, x, y):
        return x * y

    def slopes(self):
        x, y = self.inputs
        return y.value, x.value


class Div(Operation):
    def forward(self, x, y):
        return x / y

    def slopes(self):
        x, y = self.inputs
        return 1.0 / y.value, -x.value / y.value ** 2


class Pow(Operation):
    def __init__(self, x, k):
        self.k = k
        super().__init__(x)

    def forward(self, x):
        return x ** self.k

    def slopes(self):
        x, = self.inputs
        return (self.k * x.value ** (self.k - 1),)


class Cos(Operation):
    def forward(self, x):
        return math.cos(x)

    def slopes(self):
        x, = self.inputs
        return (-math.sin(x.value),)
