"""Correct: RMSprop, as in PyTorch."""

import random

from engine import MLP, loss_of

random.seed(3)
model = MLP(2, 2, 1)
lr = 0.02
v = {p: 0.0 for p in model.parameters()}
for step in range(6):
    loss = loss_of(model)
    for p in model.parameters():
        p.grad = 0.0
    loss.backward()
    for p in model.parameters():
        v[p] = 0.99 * v[p] + 0.01 * p.grad**2
        p.data -= lr * p.grad / (v[p] ** 0.5 + 1e-8)
