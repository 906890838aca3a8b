"""Only the weights' gradients are set to zero."""

import random

from engine import MLP, loss_of

random.seed(3)
model = MLP(2, 2, 1)
lr = 0.05
for step in range(6):
    loss = loss_of(model)
    for layer in model.layers:
        for neuron in layer:
            for p in neuron.w:
                p.grad = 0.0
    loss.backward()
    for p in model.parameters():
        p.data -= lr * p.grad
