"""The biases are left out of the update."""

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
    for layer in model.layers:
        for neuron in layer:
            for p in neuron.w:
                p.data -= lr * p.grad
