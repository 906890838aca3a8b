"""Mistakes of training loops: what each is called, and what is said of it. One row a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from oracle.trajectory.events import Place


@dataclass(frozen=True)
class Mistake:
    """One row: the sentence, with {names}, {what} and {where} to fill in, and hints in three depths."""

    slug: str
    sentence: str
    nudge: str
    why: str
    fix: str


_ADDS = "backward adds to the gradients that are there, so that those of one step have to go before the next."

MISTAKES = (
    Mistake(
        "zero-grad-forgotten",
        "gradients are never set to zero: from step {step} on each update uses the sum of all gradients so far",
        "What is in .grad when the next backward begins?",
        f"In PyTorch as here, {_ADDS}",
        "Set the gradient of every parameter to 0 before backward.",
    ),
    Mistake(
        "zero-grad-of-others",
        "gradients are set to zero, but not those of {names}, which {verb} updated: old gradients are used again",
        "Which values lose their gradient, and which are updated?",
        f"Of every value that is updated, {_ADDS}",
        "Go through the same parameters when setting gradients to 0 as when updating.",
    ),
    Mistake(
        "zero-grad-too-early",
        "gradients are set to zero between backward and the update, which sees nothing but zeros",
        "What is in .grad at the moment of the update?",
        "The update needs the gradients that backward has just made.",
        "Set gradients to 0 before backward, or after the update.",
    ),
    Mistake(
        "update-sign",
        "the update moves {names} along the gradient instead of against it (measured step size {what})",
        "In which direction does the gradient point?",
        "The gradient points to where the loss grows. (If this is meant to be maximised, all is well.)",
        "Subtract the step: data -= lr * grad.",
    ),
    Mistake(
        "rate-squared",
        "the step size is applied twice: measured {what}",
        "By how much does a parameter change for a gradient of 1?",
        "The step should be the step size times the gradient.",
        "Multiply by the step size once.",
    ),
    Mistake(
        "updated-twice",
        "each step updates {names} {what} times with the same gradient",
        "How often is the update reached between two backward calls?",
        "A gradient holds where it was computed; one backward is worth one update.",
        "Update every parameter once; look for the same parameter twice in a list.",
    ),
    Mistake(
        "update-before-backward",
        "the update comes between forward and backward: it uses the gradients of the step before",
        "In which order are forward, backward and update?",
        "Backward differentiates at the numbers that forward used, and the update needs what backward finds.",
        "Order: forward, gradients to 0, backward, update.",
    ),
    Mistake(
        "data-changed",
        "{names} changed between forward and backward, so that the gradients belong to no point",
        "Which line changes data after the loss was computed?",
        "Backward differentiates at the numbers that forward used.",
        "Change data after backward and before the next forward.",
    ),
    Mistake(
        "graph-not-rebuilt",
        "backward runs again through the graph of an earlier step, whose values are older than the parameters",
        "When is the loss computed again?",
        "A graph holds the numbers of its own forward pass. After an update it has to be computed anew.",
        "Compute the loss inside the loop.",
    ),
    Mistake(
        "loss-accumulated",
        "the loss goes on from the loss of an earlier step, so that its gradients are pushed once more",
        "How large is the graph after ten steps?",
        "A sum over steps drags every old graph along; gradients of old data are added each time.",
        "Begin each step with a new loss; to add up losses for printing, add their data.",
    ),
    Mistake(
        "not-updated",
        "{names} {has} a gradient but {verb} never updated, while other parameters are",
        "Which parameters does the update go through?",
        "A parameter that is left out keeps its first value.",
        "Update every parameter: weights and biases.",
    ),
    Mistake(
        "momentum-late",
        "the update uses the velocity before the gradient of this step is in it: {what}",
        "In which order are velocity and data updated?",
        "PyTorch: v = momentum * v + grad, and then data -= lr * v.",
        "Update the velocity first, then the data.",
    ),
    Mistake(
        "gradient-of-another",
        "{names} changed by the gradient of another parameter",
        "Which gradient belongs to which parameter?",
        "Each parameter moves against its own gradient.",
        "Update p.data by p.grad.",
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
