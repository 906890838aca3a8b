"""Correct: two losses share a part of the graph, one update; then the gradients are checked."""

import random

from engine import MLP, loss_of

random.seed(3)
model = MLP(2, 2, 1)
lr = 0.05
for step in range(4):
    for p in model.parameters():
        p.grad = 0.0
    loss = loss_of(model)
    loss.backward()
    first = model.parameters()[0]
    kept, found = first.data, first.grad
    first.data = kept + 1e-5
    above = loss_of(model).data
    first.data = kept - 1e-5
    below = loss_of(model).data
    first.data = kept
    assert abs((above - below) / 2e-5 - found) < 1e-3
    penalty = sum(p * p for p in model.parameters()) * 0.01
    penalty.backward()
    for p in model.parameters():
        p.data -= lr * p.grad
