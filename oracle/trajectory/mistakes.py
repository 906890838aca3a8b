"""A mistake of a training loop as a cause of the report, with the step that began on old gradients as its example."""

from __future__ import annotations

from pathlib import Path

from oracle import torch_reference
from oracle.judge.causes import Demands
from oracle.judge.equations import Checked
from oracle.listing import expression
from oracle.report import Cause, Example, Row, Verdict
from oracle.trajectory.events import BackwardCall
from oracle.trajectory.findings import Finding
from oracle.trajectory.picture import Kept, update_example

SMALL = 40
"""Values of the largest program of a script that is shown as an example; of a larger one it is the suite's."""


def training_cause(
    finding: Finding,
    path: Path,
    demands: Demands,
    steps: int,
    first: tuple[BackwardCall, Checked | None] | None,
    kept: Kept,
) -> tuple[Cause, Example | None, set[str]]:
    """The cause, its picture's example, and the names of the cases that it concerns.

    steps   of the run
    first   the call that showed the mistake first
    kept    the first updates: a mistake of their rule is drawn as one of them
    """
    row = finding.row
    names = {f"diff/step-{n}" for n in finding.steps if n <= steps}
    drawn = update_example(finding, kept, path)
    if drawn is None and first is not None:
        drawn = _old_gradient(*first, finding, path)
    cause = Cause(
        "lifecycle",
        row.severity,
        row.severity == "wrong" or demands.profile == "torch",
        None,
        None,
        None,
        finding.slug,
        finding.sentence,
        None if finding.place is None else finding.place.file,
        None if finding.place is None else finding.place.line,
        tuple(sorted(names, key=order)),
        0,
        drawn if drawn is not None and len(drawn.table) <= SMALL else None,
        (row.nudge, row.why, row.fix),
    )
    return cause, drawn, names


def order(name: str) -> int:
    """The number of the step that a case is."""
    return int(name.rpartition("-")[2])


def _old_gradient(
    call: BackwardCall, checked: Checked | None, finding: Finding, path: Path
) -> Example | None:
    """A step that began on old gradients: what its gradients hold, and what PyTorch's would after zero_grad."""
    program = call.program
    if program is None or checked is None or finding.leaf not in call.serials:
        return None
    (world,) = torch_reference.run(checked.run.case)
    rows = []
    for i in range(len(program)):
        node = program.producer(i)
        stale = bool(call.before[i])
        verdict: Verdict = "unobserved" if call.grad[i] is None else "wrong" if stale else "match"
        rows.append(
            Row(
                i,
                program.name(i),
                "" if node is None else expression(program, node),
                call.made[i],
                call.grad[i],
                checked.data[i],
                checked.grad[i],
                world.data[i],
                world.grad[i],
                "match",
                verdict,
                stale,
            )
        )
    row = rows[call.serials.index(finding.leaf)]
    where = f"# {path.name}, after the backward of step {finding.step}"
    return Example(
        checked.run.case.name,
        program,
        row.node,
        "grad",
        row.grad,
        row.local_grad,
        row.global_grad,
        f"{where}\n{row.node}.grad",
        tuple(rows),
    )
