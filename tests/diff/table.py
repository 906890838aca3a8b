"""The trainers with one defect each, what has to be said of it, and of which line; the right ones have no row."""

from __future__ import annotations

from typing import NamedTuple


class Expected(NamedTuple):
    """mistake: the slug. source: a piece of the line that is named. step: the first one that shows it."""

    mistake: str
    source: str
    step: int


TRAINERS = {
    "zero_grad_forgotten": Expected("zero-grad-forgotten", "p.data -=", 2),
    "zero_grad_of_weights": Expected("zero-grad-of-others", "p.grad = 0.0", 2),
    "zero_grad_of_another_model": Expected("zero-grad-of-others", "p.grad = 0.0", 2),
    "zero_grad_of_the_loss": Expected("zero-grad-of-others", "loss.grad = 0.0", 2),
    "zero_grad_after_backward": Expected("zero-grad-too-early", "p.grad = 0.0", 1),
    "uphill": Expected("update-sign", "p.data +=", 1),
    "momentum_uphill": Expected("update-sign", "p.data +=", 1),
    "rate_squared": Expected("rate-squared", "p.data -=", 1),
    "updated_twice": Expected("updated-twice", "p.data -=", 1),
    "update_before_backward": Expected("update-before-backward", "p.data -=", 2),
    "clipped_before_backward": Expected("data-changed", "p.data = max", 1),
    "graph_not_rebuilt": Expected("graph-not-rebuilt", "loss.backward()", 2),
    "loss_accumulated": Expected("loss-accumulated", "total.backward()", 2),
    "only_weights": Expected("not-updated", "p.data -=", 1),
    "momentum_late": Expected("momentum-late", "p.data -=", 4),
    "gradient_of_another": Expected("gradient-of-another", "neuron.b.data -=", 1),
}

RULES = {
    "right_sgd": "6 updates: gradient descent, step size 0.1 to 0.05",
    "right_zero_last": "6 updates: gradient descent, step size 0.05",
    "right_adam": "6 updates: Adam, step size 0.02",
    "right_microbatches": "4 updates: gradient descent, step size 0.05",
    "right_inputs_are_values": "6 updates: gradient descent, step size 0.05",
    "right_two_losses": "4 updates: gradient descent, step size 0.05",
    "right_momentum": "momentum",
}
"""Right trainers, and words of the update rule that is measured in them."""
