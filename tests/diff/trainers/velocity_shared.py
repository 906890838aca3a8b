"""One velocity for all parameters."""

import random

from engine import MLP, loss_of

random.seed(3)
model = MLP(2, 2, 1)
lr, momentum, velocity = 0.05, 0.9, 0.0
for step in range(6):
    loss = loss_of(model)
    for p in model.parameters():
        p.grad = 0.0
    loss.backward()
    for p in model.parameters():
        velocity = momentum * velocity + p.grad
        p.data -= lr * velocity
