"""The first engine of many: numbers that know how they were made, before there is any backward.

Two of its methods have names that Python never calls: the operators are `__sub__` and `__truediv__`.
"""


class Value:
    def __init__(self, data, children=(), op="", label=""):
        self.data = data
        self.prev = set(children)
        self.op = op
        self.label = label

    def __repr__(self):
        return f"Value(data={self.data})"

    def __add__(self, other):
        return Value(self.data + other.data, (self, other), "+")

    def __subtract__(self, other):
        return Value(self.data - other.data, (self, other), "-")

    def __mul__(self, other):
        return Value(self.data * other.data, (self, other), "*")

    def __divide__(self, other):
        return Value(self.data / other.data, (self, other), "/")
