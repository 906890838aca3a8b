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
    "gradients_shifted": Expected("gradient-of-another", "p.data -=", 1),
    "rate_squared_falling": Expected("rate-squared", "p.data -=", 1),
    "decay_grows": Expected("decay-sign", "p.data -=", 1),
    "data_replaced": Expected("data-replaced", "p.data =", 1),
    "data_multiplied": Expected("data-multiplied", "p.data *=", 1),
    "velocity_shared": Expected("velocity-shared", "p.data -=", 1),
    "parameters_replaced": Expected("graph-carried-on", "loss.backward()", 4),
    "adam_without_root": Expected("adam-no-root", "p.data -=", 1),
    "adam_betas_swapped": Expected("adam-betas", "p.data -=", 2),
    "adam_half_corrected": Expected("adam-half-corrected", "p.data -=", 2),
    "adam_step_count": Expected("adam-step-count", "p.data -=", 2),
}

RULES = {
    "right_sgd": "6 updates: gradient descent, step size 0.1 to 0.05",
    "right_zero_last": "6 updates: gradient descent, step size 0.05",
    "right_adam": "6 updates: Adam, step size 0.02",
    "right_microbatches": "4 updates: gradient descent, step size 0.05",
    "right_inputs_are_values": "6 updates: gradient descent, step size 0.05",
    "right_two_losses": "4 updates: gradient descent, step size 0.05",
    "right_momentum": "momentum 0.9, step size 0.05",
    "right_nesterov": "Nesterov momentum 0.9, step size 0.05",
    "right_rmsprop": "6 updates: RMSprop, step size 0.02",
    "right_adam_sparse": "8 updates: Adam, step size 0.02 to 0.0025",
    "right_two_rates": "6 updates: gradient descent, step sizes 0.1 and others",
    "right_adversaries": "12 updates: gradient descent, step size 0.05",
    "right_converged": "momentum 0.5, step size 0.05",
    "right_last_layer": "6 updates: gradient descent, step size 0.05",
}
"""Right trainers, and words of the update rule that is measured in them."""

CHOICES = {"adam_uncorrected": ("adam-uncorrected", "Adam without bias correction, step size 0.02")}
"""Trainers that differ from PyTorch by choice: the slug, and words of the rule."""
