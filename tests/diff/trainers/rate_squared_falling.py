"""The step size falls, and is multiplied in twice."""

import random

from engine import MLP, loss_of

random.seed(3)
model = MLP(2, 2, 1)
for step in range(6):
    lr = 0.1 * 0.9**step
    loss = loss_of(model)
    for p in model.parameters():
        p.grad = 0.0
    loss.backward()
    for p in model.parameters():
        p.data -= lr * (lr * p.grad)
