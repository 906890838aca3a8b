"""The suite: every case has a name of its own and a reason, and the golden file is what PyTorch says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest

from oracle import suite, torch_reference
from oracle.case import Observe, Set
from oracle.floats import same, ulps
from oracle.program import Program
from oracle.subjects.worker.find_ops import in_order
from oracle.suite import golden
from oracle.suite.export import export
from oracle.vocabulary import ROWS


def test_names_are_unique_and_reasons_given() -> None:
    names = Counter(case.name for case in suite.cases())
    assert [name for name, n in names.items() if n > 1] == []
    assert all(case.reason for case in suite.cases())
    assert {case.level for case in suite.cases()} == set(suite.LEVELS)


def test_every_op_and_form_is_covered() -> None:
    seen = {(node.op, case.program.form(node)) for case in suite.cases() for _, node in case.program.nodes()}
    wanted = {(row.name, form) for row in ROWS for form in row.forms}
    assert wanted <= seen


def test_golden_file_equals_live_pytorch() -> None:
    """Bit for bit with the pinned release; elsewhere the bounds of the judge are what counts."""
    if torch_reference.version() != json.loads(golden.CASES.read_text())["torch"]:
        pytest.skip(f"the golden file was made with another PyTorch than {torch_reference.version()}")
    for case in suite.cases():
        kept, live = golden.expected(case), torch_reference.run(case)
        assert kept is not None, f"{case.name} is not in the golden file: run python -m oracle.suite.golden"
        for a, b in zip(kept, live, strict=True):
            for x, y in zip(a.data, b.data, strict=True):
                assert same(x, y), (case.name, x, y)
            for g, h in zip(a.grad, b.grad, strict=True):
                assert (g is None) == (h is None) and (g is None or h is None or same(g, h)), (
                    case.name,
                    g,
                    h,
                )


def test_golden_locals_equal_live_pytorch() -> None:
    values, vjps = golden.locals_()
    assert values and vjps
    rows = json.loads(golden.LOCALS.read_text())
    for key, value, pushed in rows["locals"]:
        op, *words = key
        parameters = {w.partition("=")[0]: float.fromhex(w.partition("=")[2]) for w in words if "=" in w}
        point = [float.fromhex(w) for w in words if "=" not in w]
        for slot, g, vjp in pushed:
            live = torch_reference.local(op, parameters, [[x] for x in point], [float.fromhex(g)])
            assert same(live.values[0], float.fromhex(value)), key
            assert ulps(live.vjps[slot][0], float.fromhex(vjp)) <= 4, (key, slot)


def test_export_can_be_read_back() -> None:
    exported = json.loads(export())
    assert len(exported["cases"]) == len(suite.cases())
    for row, case in zip(exported["cases"], suite.cases(), strict=True):
        program = Program.from_json(row["program"])
        assert program.to_json() == case.program.to_json()


HEAVY = (
    *(
        "torch",
        "numpy",
        "sympy",
        "mpmath",
        "rich",
        "jinja2",
        "graphviz",
        "pygraphviz",
        "matplotlib",
        "distributed",
    ),
    *(
        "hypothesis",
        "pytest",
        "jsonschema",
        "asyncio",
        "multiprocessing",
        "unittest",
        "http",
        "ssl",
        "minigrad",
    ),
)
"""What neither help nor a file that conforms has any use for; rich is for terminals, torch for what differs."""


@pytest.mark.parametrize("words", [["--help"], ["check", "tests/engines/closures.py"], ["suite", "list"]])
def test_start_up_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom oracle.cli import main\nsys.argv = ['oracle', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    print(end.code, file=sys.stderr)\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    code_, heavy = done.stderr.strip().splitlines()[-2:]
    assert (code_, heavy) == ("0", "[]")


DESCENTS = {
    "line-4-steps": (0.125, 0.0),
    "without-zeroing": (0.0625, 0.0),
    "zeroing-every-other-step": (0.0625, 0.0),
    "one-point-after-another": (0.125, 0.0),
    "momentum": (0.0625, 0.9),
    "l2-term": (0.125, 0.0),
    "weights-shared-by-layers": (0.125, 0.0),
    "batch-of-3": (0.25, 0.0),
    "margin-loss": (0.5, 0.0),
    "mlp-2-3-1-tanh": (0.125, 0.0),
    "mlp-2-3-1-relu": (0.125, 0.0),
}
"""Step size and momentum."""


@pytest.mark.parametrize("name", DESCENTS)
def test_training_goes_as_torch_optim_would(name: str) -> None:
    """The numbers that a case sets are those that torch.optim.SGD makes of the gradients that PyTorch sees."""
    import torch

    rate, momentum = DESCENTS[name]
    (case,) = suite.select(pattern=f"training/{name}")
    learned = {"margin-loss": 3, "mlp-2-3-1-tanh": 13, "mlp-2-3-1-relu": 13}.get(name, 2)
    tensors = [
        torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in case.program.inputs[:learned]
    ]
    optimiser = torch.optim.SGD(tensors, lr=rate, momentum=momentum)
    seen = iter(torch_reference.run(case))
    compared = 0
    for step in case.steps:
        if isinstance(step, Observe):
            for t, g in zip(tensors, next(seen).grad, strict=False):
                t.grad = torch.tensor(g or 0.0, dtype=torch.float64)
            optimiser.step()
        elif isinstance(step, Set) and step.value < learned:
            compared += 1
            assert step.data == pytest.approx(tensors[step.value].item(), rel=1e-12, abs=1e-12)
    assert compared >= 2 * learned


def test_parameters_go_to_engines_in_order() -> None:
    names = ["min", "max"]
    assert in_order({"max": 2.0, "min": -1.0}, names) == [-1.0, 2.0]
    assert in_order({"max": 2.0}, names) == [None, 2.0]
    assert in_order({"min": -1.0}, names) == [-1.0]
    assert in_order({}, names) == []
