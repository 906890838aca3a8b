"""Values only: no plain number is taken beside one. A node is put in the order at every visit."""

import math


class Cell:
    def __init__(self, data, made_from=()):
        self.data = data
        self.grad = 0.0
        self.made_from = made_from
        self.share = lambda: None

    def __add__(self, other):
        out = Cell(self.data + other.data, (self, other))

        def share():
            self.grad += out.grad
            other.grad += out.grad

        out.share = share
        return out

    def __mul__(self, other):
        out = Cell(self.data * other.data, (self, other))

        def share():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.share = share
        return out

    def tanh(self):
        out = Cell(math.tanh(self.data), (self,))

        def share():
            self.grad += (1 - out.data**2) * out.grad

        out.share = share
        return out

    def backward(self):
        order = []
        met = set()

        def meet(cell):
            if cell not in met:
                met.add(cell)
                for source in cell.made_from:
                    meet(source)
            order.append(cell)  # BUG

        meet(self)
        self.grad = 1.0
        for cell in reversed(order):
            cell.share()
