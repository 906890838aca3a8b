"""A wrong update, drawn: what stands beside the script's numbers is what torch.optim does with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.reports import picture, words
from oracle.trajectory import diff_script
from oracle.trajectory.findings import MISTAKES, Finding
from oracle.trajectory.measure import Rule, Update
from oracle.trajectory.picture import DRAWN, KEPT, REMEMBER, Kept, update_example

HERE = Path(__file__).parent / "trainers"
NAMES = {"adam-uncorrected", "adam-half-corrected", "adam-no-root", "adam-step-count", "adam-betas"}

RULES: dict[str, tuple[Rule, Any]] = {
    "update-sign": (Rule("sgd", -0.05), lambda p: torch.optim.SGD(p, lr=0.05)),
    "data-replaced": (Rule("replaced", 0.05), lambda p: torch.optim.SGD(p, lr=0.05)),
    "data-multiplied": (Rule("multiplied", 0.05), lambda p: torch.optim.SGD(p, lr=0.05)),
    "updated-twice": (Rule("sgd", 0.1), lambda p: torch.optim.SGD(p, lr=0.05)),
    "rate-squared": (Rule("sgd", 0.0025), lambda p: torch.optim.SGD(p, lr=0.05)),
    "decay-sign": (Rule("decay", 0.05, -0.1), lambda p: torch.optim.SGD(p, lr=0.05, weight_decay=0.1)),
    "momentum-late": (Rule("late momentum", 0.05, 0.9), lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9)),
    "velocity-shared": (
        Rule("shared velocity", 0.05, 0.9),
        lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    ),
    **{name: (Rule("Adam", 0.02), lambda p: torch.optim.Adam(p, lr=0.02)) for name in NAMES},
}
"""Mistake → the rule that is measured of it, and the optimiser that was meant."""

grads = st.floats(-3, 3).filter(lambda g: abs(g) > 0.01)


def test_every_mistake_of_a_rule_has_a_picture() -> None:
    assert set(RULES) == set(DRAWN) <= {row.slug for row in MISTAKES}


@settings(deadline=None)
@given(st.sampled_from(sorted(RULES)), st.lists(grads, min_size=1, max_size=KEPT), st.floats(-2, 2))
def test_it_is_what_pytorch_does(slug: str, gradients: list[float], first: float) -> None:
    rule, make = RULES[slug]
    tensor = torch.tensor([first], dtype=torch.float64, requires_grad=True)
    optimiser = make([tensor])
    steps = {}
    for n, g in enumerate(gradients, 1):
        old = tensor.item()
        tensor.grad = torch.tensor([g], dtype=torch.float64)
        optimiser.step()
        steps[n] = {7: Update(old, tensor.item() + 0.5, g)}
    finding = Finding(slug, len(gradients), what="2")
    kept = Kept(steps, {len(gradients): rule}, {7: "w"})
    example = update_example(finding, kept, Path("train.py"))
    assert example is not None
    assert example.global_ == pytest.approx(tensor.item(), rel=1e-12, abs=1e-12)
    assert example.yours == pytest.approx(tensor.item() + 0.5, rel=1e-12, abs=1e-12)
    (culprit,) = [row for row in example.table if row.cause]
    assert culprit.data_verdict == "wrong" and example.table[-1].data_verdict in ("wrong", "inherited")


@pytest.mark.parametrize("slug", sorted(REMEMBER))
def test_without_its_past_it_is_not_drawn(slug: str) -> None:
    kept = Kept({3: {7: Update(1.0, 2.0, 0.5)}}, {3: RULES[slug][0]}, {})
    assert update_example(Finding(slug, 3), kept, Path("train.py")) is None


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("rate_squared", "step"),
        ("decay_grows", "decay"),
        ("momentum_late", "new velocity"),
        ("uphill", "new "),
    ],
)
def test_in_a_script(name: str, wrong: str) -> None:
    diffed = diff_script(HERE / f"{name}.py")
    (cause,) = diffed.drawn.causes
    assert cause.example is not None
    (culprit,) = [row for row in cause.example.table if row.cause]
    assert culprit.node.startswith(wrong)
    source = picture.dot_source(cause.example, cause)
    assert "in the update" in source and "not read" not in source and ">grad<" not in source
    lines, comment = words.code(cause.example)
    assert lines[-1].endswith(".data") and "PyTorch" in comment
