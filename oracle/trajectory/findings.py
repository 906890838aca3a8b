"""Mistakes of training loops: what each is called, and what is said of it. One row a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from oracle.trajectory.events import Place


@dataclass(frozen=True)
class Mistake:
    """One row: a few words for a table, the sentence, with {names} and {what} to fill in, hints in three depths.

    severity    "policy" for what respectable trainers do, and PyTorch does not
    """

    slug: str
    brief: str
    sentence: str
    nudge: str
    why: str
    fix: str
    severity: Literal["wrong", "policy"] = "wrong"


_ADDS = "backward adds to the gradients that are there, so that those of one step have to go before the next."

MISTAKES = (
    Mistake(
        "zero-grad-forgotten",
        "old gradients used",
        "gradients are not set to zero between updates: from step {step} on old ones are used again",
        "What is in .grad when the next backward begins?",
        f"In PyTorch as here, {_ADDS}",
        "Set the gradient of every parameter to 0 before backward.",
    ),
    Mistake(
        "zero-grad-of-others",
        "old gradients used",
        "gradients are set to zero, but not those of {names}, which {verb} updated: old gradients are used again",
        "Which values lose their gradient, and which are updated?",
        f"Of every value that is updated, {_ADDS}",
        "Go through the same parameters when setting gradients to 0 as when updating.",
    ),
    Mistake(
        "zero-grad-too-early",
        "gradients zeroed too early",
        "gradients are set to zero between backward and the update, which sees nothing but zeros",
        "What is in .grad at the moment of the update?",
        "The update needs the gradients that backward has just made.",
        "Set gradients to 0 before backward, or after the update.",
    ),
    Mistake(
        "update-sign",
        "update goes uphill",
        "the update moves {names} along the gradient instead of against it ({what})",
        "In which direction does the gradient point?",
        "The gradient points to where the loss grows. (If this is meant to be maximised, all is well.)",
        "Subtract the step: data -= lr * grad.",
    ),
    Mistake(
        "rate-squared",
        "step size applied twice",
        "the step size is applied twice: measured {what}",
        "By how much does a parameter change for a gradient of 1?",
        "The step should be the step size times the gradient.",
        "Multiply by the step size once.",
    ),
    Mistake(
        "updated-twice",
        "updated twice",
        "each step updates {names} {what} times with the same gradient",
        "How often is the update reached between two backward calls?",
        "A gradient holds where it was computed; one backward is worth one update.",
        "Update every parameter once; look for the same parameter twice in a list.",
    ),
    Mistake(
        "update-before-backward",
        "update before backward",
        "the update comes between forward and backward: it uses the gradients of the step before",
        "In which order are forward, backward and update?",
        "Backward differentiates at the numbers that forward used, and the update needs what backward finds.",
        "Order: forward, gradients to 0, backward, update.",
    ),
    Mistake(
        "data-changed",
        "data changed before backward",
        "{names} changed between forward and backward, so that the gradients belong to no point",
        "Which line changes data after the loss was computed?",
        "Backward differentiates at the numbers that forward used.",
        "Change data after backward and before the next forward.",
    ),
    Mistake(
        "graph-not-rebuilt",
        "graph not rebuilt",
        "backward runs again through the graph of an earlier step, whose values are older than the parameters",
        "When is the loss computed again?",
        "A graph holds the numbers of its own forward pass. After an update it has to be computed anew.",
        "Compute the loss inside the loop.",
    ),
    Mistake(
        "loss-accumulated",
        "loss of earlier steps in it",
        "the loss goes on from the loss of an earlier step, so that its gradients are pushed once more",
        "How large is the graph after ten steps?",
        "A sum over steps drags every old graph along; gradients of old data are added each time.",
        "Begin each step with a new loss; to add up losses for printing, add their data.",
    ),
    Mistake(
        "not-updated",
        "parameters left out",
        "{names} {has} a gradient but {verb} never updated, while other parameters are",
        "Which parameters does the update go through?",
        "A parameter that is left out keeps its first value.",
        "Update every parameter: weights and biases.",
    ),
    Mistake(
        "momentum-late",
        "velocity of the step before",
        "the update uses the velocity before the gradient of this step is in it: {what}",
        "In which order are velocity and data updated?",
        "PyTorch: v = momentum * v + grad, and then data -= lr * v.",
        "Update the velocity first, then the data.",
    ),
    Mistake(
        "gradient-of-another",
        "gradient of another",
        "{names} changed by the gradient of another parameter",
        "Which gradient belongs to which parameter?",
        "Each parameter moves against its own gradient.",
        "Update p.data by p.grad.",
    ),
    Mistake(
        "graph-carried-on",
        "graph of earlier steps in it",
        "the loss goes through values of earlier steps, so that the graph grows and old gradients are pushed again",
        "Are the parameters still the values that the script began with?",
        "p = p - lr * p.grad makes a new value by an op: the next loss reaches back through it into the old graph. "
        "PyTorch refuses such a backward.",
        "Change numbers, not values: p.data -= lr * p.grad.",
    ),
    Mistake(
        "decay-sign",
        "weight decay grows",
        "the weight decay has the wrong sign: it makes numbers larger (measured decay {what})",
        "In which direction does the decay move a number that is above 0?",
        "Weight decay adds decay * data to the gradient, and the step goes against both.",
        "data -= lr * (grad + decay * data).",
    ),
    Mistake(
        "data-replaced",
        "data replaced by the step",
        "the update replaces the data by the step instead of adding the step to it ({what})",
        "What is left of the old number after the update?",
        "data = -lr * grad forgets where the parameter was.",
        "data -= lr * grad.",
    ),
    Mistake(
        "data-multiplied",
        "data multiplied by the step",
        "the update multiplies the data instead of subtracting from it ({what})",
        "By how much does a parameter change for a gradient of 1?",
        "The step is the step size times the gradient, whatever the parameter's own number is.",
        "data -= lr * grad.",
    ),
    Mistake(
        "velocity-shared",
        "one velocity for all",
        "all parameters share one velocity: each moves on with that of the parameter before it ({what})",
        "How many velocities are there, and how many parameters?",
        "Momentum is a running sum of one parameter's own gradients.",
        "Keep a velocity for every parameter.",
    ),
    Mistake(
        "adam-uncorrected",
        "Adam, not corrected",
        "the update is Adam without its bias correction: its first steps are not of the step size",
        "Both means start at 0. How large are they after one step?",
        "After t steps the means hold 1 - beta**t of what they should; PyTorch divides by that.",
        "m_hat = m / (1 - beta1**t), v_hat = v / (1 - beta2**t), with t from 1.",
        "policy",
    ),
    Mistake(
        "adam-half-corrected",
        "Adam, half corrected",
        "the update is Adam with the bias correction of one of its two means only",
        "How many means start at 0?",
        "Both means start at 0 and are too small at first; PyTorch corrects both.",
        "m_hat = m / (1 - beta1**t), v_hat = v / (1 - beta2**t), with t from 1.",
    ),
    Mistake(
        "adam-no-root",
        "Adam without the root",
        "the update is Adam divided by the mean square itself, not by its square root",
        "How large is a step when all gradients are ten times as large?",
        "Adam divides by the root of the mean square, so that its steps do not depend on the gradient's scale.",
        "data -= lr * m_hat / (v_hat**0.5 + eps).",
    ),
    Mistake(
        "adam-step-count",
        "Adam's step count",
        "the update is {what}: its bias corrections are those of another step",
        "What is t in the first step, and in the second?",
        "1 - beta**t belongs to the t-th step, counted from 1, and t grows with every step.",
        "Count the steps from 1, once for each update.",
    ),
    Mistake(
        "adam-betas",
        "Adam's betas swapped",
        "the update is Adam with its betas swapped: the mean is the slow one, and the mean square the fast one",
        "Which of both means looks further back?",
        "betas = (0.9, 0.999): 0.9 is for the mean of the gradient, 0.999 for that of its square.",
        "m = beta1 * m + (1 - beta1) * g, v = beta2 * v + (1 - beta2) * g * g.",
    ),
)

ROWS: Mapping[str, Mistake] = {row.slug: row for row in MISTAKES}


@dataclass
class Finding:
    """A mistake that was seen. step: the first one that shows it, from 1; steps: all that do; leaf: one of them."""

    slug: str
    step: int
    place: Place | None = None
    names: tuple[str, ...] = ()
    what: str = ""
    leaf: int | None = None
    steps: list[int] = field(default_factory=list)

    @property
    def row(self) -> Mistake:
        return ROWS[self.slug]

    @property
    def sentence(self) -> str:
        return self.row.sentence.format(
            names=listed(self.names),
            what=self.what,
            step=self.step,
            verb="is" if len(self.names) == 1 else "are",
            has="has" if len(self.names) == 1 else "have",
        )


def listed(names: tuple[str, ...], limit: int = 3) -> str:
    """ "a, b and c", "a, b, c and 7 more"."""
    if not names:
        return "the parameters"
    shown = list(names[:limit])
    if len(names) > limit:
        shown.append(f"{len(names) - limit} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
