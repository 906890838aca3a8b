"""Correct: each layer has its own step size."""

import random

from engine import MLP, loss_of

random.seed(3)
model = MLP(2, 2, 1)
for step in range(6):
    loss = loss_of(model)
    for p in model.parameters():
        p.grad = 0.0
    loss.backward()
    for layer, lr in zip(model.layers, (0.1, 0.02)):
        for neuron in layer:
            for p in neuron.parameters():
                p.data -= lr * p.grad
