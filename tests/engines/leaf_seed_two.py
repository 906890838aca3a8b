"""Only leaves keep gradients, and the root starts at 2."""

import math


class Var:
    """Only leaves keep a derivative; what flows through the graph lives in a dictionary."""

    def __init__(self, value, args=(), slopes=()):
        self.value = value
        self.args = args
        self.slopes = slopes
        if not args:
            self.derivative = 0.0

    def __add__(self, o):
        o = wrap(o)
        return Var(self.value + o.value, (self, o), (1.0, 1.0))

    def __sub__(self, o):
        o = wrap(o)
        return Var(self.value - o.value, (self, o), (1.0, -1.0))

    def __mul__(self, o):
        o = wrap(o)
        return Var(self.value * o.value, (self, o), (o.value, self.value))

    def __truediv__(self, o):
        o = wrap(o)
        q = self.value / o.value
        return Var(q, (self, o), (1.0 / o.value, -q / o.value))

    def __pow__(self, n):
        return Var(self.value ** n, (self,), (n * self.value ** (n - 1),))

    def __neg__(self):
        return Var(-self.value, (self,), (-1.0,))

    def __radd__(self, o):
        return wrap(o) + self

    def __rsub__(self, o):
        return wrap(o) - self

    def __rmul__(self, o):
        return wrap(o) * self

    def __rtruediv__(self, o):
        return wrap(o) / self

    def sin(self):
        return Var(math.sin(self.value), (self,), (math.cos(self.value),))

    def exp(self):
        e = math.exp(self.value)
        return Var(e, (self,), (e,))

    def tanh(self):
        t = math.tanh(self.value)
        return Var(t, (self,), (1.0 - t * t,))

    def _order(self):
        seen, order, stack = set(), [], [(self, iter(self.args))]
        seen.add(id(self))
        while stack:
            node, rest = stack[-1]
            for a in rest:
                if id(a) not in seen:
                    seen.add(id(a))
                    stack.append((a, iter(a.args)))
                    break
            else:
                order.append(node)
                stack.pop()
        return order[::-1]

    def backward(self):
        flow = {id(self): 2.0}  # BUG
        for node in self._order():
            g = flow[id(node)]
            if not node.args:
                node.derivative += g
            for a, s in zip(node.args, node.slopes):
                flow[id(a)] = flow.get(id(a), 0.0) + g * s


def wrap(x):
    return x if isinstance(x, Var) else Var(x)
