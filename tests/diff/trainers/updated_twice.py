"""A parameter list has every parameter twice."""

import random

from engine import MLP, loss_of

random.seed(3)
model = MLP(2, 2, 1)
lr = 0.05
parameters = model.parameters()
for layer in model.layers:
    for neuron in layer:
        parameters += neuron.parameters()
for step in range(6):
    loss = loss_of(model)
    for p in parameters:
        p.grad = 0.0
    loss.backward()
    for p in parameters:
        p.data -= lr * p.grad
