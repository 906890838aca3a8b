"""Correct: Nesterov's momentum, as in PyTorch."""

import random

from engine import MLP, loss_of

random.seed(3)
model = MLP(2, 2, 1)
lr, momentum = 0.05, 0.9
velocity = {p: 0.0 for p in model.parameters()}
for step in range(6):
    loss = loss_of(model)
    for p in model.parameters():
        p.grad = 0.0
    loss.backward()
    for p in model.parameters():
        velocity[p] = momentum * velocity[p] + p.grad
        p.data -= lr * (p.grad + momentum * velocity[p])
