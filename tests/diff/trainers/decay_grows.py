"""Weight decay has the wrong sign."""

import random

from engine import MLP, loss_of

random.seed(3)
model = MLP(2, 2, 1)
lr = 0.05
for step in range(6):
    loss = loss_of(model)
    for p in model.parameters():
        p.grad = 0.0
    loss.backward()
    for p in model.parameters():
        p.data -= lr * (p.grad - 0.01 * p.data)
