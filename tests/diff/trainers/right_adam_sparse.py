"""Correct: Adam with a falling step size; half of the weights take part in every other step only."""

import random

from engine import MLP, loss_of

random.seed(3)
model = MLP(2, 2, 1)
lr, beta1, beta2 = 0.02, 0.85, 0.99
other = MLP(2, 2, 1)
parameters = model.parameters() + other.parameters()
m, v = [0.0] * len(parameters), [0.0] * len(parameters)
for step in range(8):
    loss = loss_of(model) if step % 2 else loss_of(model) + loss_of(other)
    loss.backward()
    rate = lr * (1 - step / 8)
    for i, p in enumerate(parameters):
        m[i] = beta1 * m[i] + (1 - beta1) * p.grad
        v[i] = beta2 * v[i] + (1 - beta2) * p.grad**2
        m_hat, v_hat = m[i] / (1 - beta1 ** (step + 1)), v[i] / (1 - beta2 ** (step + 1))
        p.data -= rate * m_hat / (v_hat**0.5 + 1e-8)
        p.grad = 0.0
