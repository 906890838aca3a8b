"""Adam's step count is one ahead."""

import random

from engine import MLP, loss_of

random.seed(3)
model = MLP(2, 2, 1)
lr, beta1, beta2 = 0.02, 0.9, 0.999
m = {p: 0.0 for p in model.parameters()}
v = {p: 0.0 for p in model.parameters()}
for step in range(1, 7):
    loss = loss_of(model)
    for p in model.parameters():
        p.grad = 0.0
    loss.backward()
    for p in model.parameters():
        m[p] = beta1 * m[p] + (1 - beta1) * p.grad
        v[p] = beta2 * v[p] + (1 - beta2) * p.grad**2
        p.data -= lr * (m[p] / (1 - beta1 ** (step + 1))) / ((v[p] / (1 - beta2 ** (step + 1))) ** 0.5 + 1e-8)
