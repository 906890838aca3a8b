"""The update makes new values by ops, so that the graph goes on from step to step."""

from engine import Value

lr = 0.05
parameters = [Value(0.5), Value(-0.25)]
for step in range(6):
    w, b = parameters
    loss = (w * 2.0 + b - 1.0) ** 2 + (w * -1.0 + b - 0.5) ** 2
    loss.backward()
    parameters = [p - lr * p.grad for p in parameters]
