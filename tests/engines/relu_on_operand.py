"""Rectifiers and sums, enough for a small network."""


class Value:
    def __init__(self, data, inputs=()):
        self.data = data
        self.grad = 0.0
        self.inputs = inputs
        self.step = None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        result = Value(self.data + other.data, (self, other))

        def step():
            self.grad += result.grad
            other.grad += result.grad

        result.step = step
        return result

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        result = Value(self.data * other.data, (self, other))

        def step():
            self.grad += other.data * result.grad
            other.grad += self.data * result.grad

        result.step = step
        return result

    def relu(self):
        result = Value(max(self.data, 0.0), (self,))

        def step():
            self.grad += result.grad if self.data > 0 else 0.0

        self.step = step  # BUG
        return result

    def __pow__(self, n):
        result = Value(self.data ** n, (self,))

        def step():
            self.grad += n * self.data ** (n - 1) * result.grad

        result.step = step
        return result

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return (-self) + other

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def backward(self):
        order, known = [], set()
        stack = [(self, False)]
        while stack:
            v, done = stack.pop()
            if done:
                order.append(v)
            elif id(v) not in known:
                known.add(id(v))
                stack.append((v, True))
                stack.extend((i, False) for i in v.inputs)
        self.grad = 1.0
        for v in reversed(order):
            if v.step is not None:
                v.step()
