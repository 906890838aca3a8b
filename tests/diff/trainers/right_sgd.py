"""Correct: plain gradient descent, step size falling."""

import random

from engine import MLP, loss_of

random.seed(3)
model = MLP(2, 2, 1)
for step in range(6):
    loss = loss_of(model)
    for p in model.parameters():
        p.grad = 0.0
    loss.backward()
    lr = 0.1 - 0.01 * step
    for p in model.parameters():
        p.data -= lr * p.grad
