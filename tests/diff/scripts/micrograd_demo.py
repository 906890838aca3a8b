"""micrograd's demo in small: two moons, a max-margin loss with L2, gradient descent with a falling step size."""

import math
import random

import matplotlib.pyplot as plt
from micrograd.engine import Value
from micrograd.nn import MLP

random.seed(1337)
points, labels = [], []
for k in range(6):
    angle = math.pi * k / 5
    points += [[math.cos(angle), math.sin(angle)], [1 - math.cos(angle), 0.5 - math.sin(angle)]]
    labels += [1, -1]
plt.figure(figsize=(5, 5))
plt.scatter([x for x, _ in points], [y for _, y in points], c=labels, s=20, cmap="jet")

model = MLP(2, [4, 1])
print(model)
print("number of parameters", len(model.parameters()))


def loss():
    inputs = [list(map(Value, point)) for point in points]
    scores = list(map(model, inputs))
    losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(labels, scores)]
    data_loss = sum(losses) * (1.0 / len(losses))
    alpha = 1e-4
    reg_loss = alpha * sum(p * p for p in model.parameters())
    total_loss = data_loss + reg_loss
    accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(labels, scores)]
    return total_loss, sum(accuracy) / len(accuracy)


for k in range(4):
    total_loss, acc = loss()
    model.zero_grad()
    total_loss.backward()
    learning_rate = 1.0 - 0.9 * k / 100
    for p in model.parameters():
        p.data -= learning_rate * p.grad
    print(f"step {k} loss {total_loss.data}, accuracy {acc * 100}%")

fig, axes = plt.subplots(1, 3)
axes[0].contourf([0], [0], [0])
plt.show()
