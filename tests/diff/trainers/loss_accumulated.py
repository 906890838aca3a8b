"""The loss of all steps so far is back-propagated."""

import random

from engine import MLP, Value, loss_of

random.seed(3)
model = MLP(2, 2, 1)
lr = 0.05
total = Value(0.0)
for step in range(6):
    total = total + loss_of(model)
    for p in model.parameters():
        p.grad = 0.0
    total.backward()
    for p in model.parameters():
        p.data -= lr * p.grad
