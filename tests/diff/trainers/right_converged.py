"""Correct: it goes on long after the last bit has settled; two parameters, and momentum."""

from engine import Value

lr, momentum = 0.05, 0.5
w, b = Value(0.5), Value(-0.25)
velocity = [0.0, 0.0]
for step in range(150):
    loss = (w * 2.0 + b - 1.0) ** 2 + (w * -1.0 + b - 0.5) ** 2
    w.grad = b.grad = 0.0
    loss.backward()
    velocity = [momentum * v + p.grad for v, p in zip(velocity, (w, b))]
    for p, v in zip((w, b), velocity):
        p.data -= lr * v
