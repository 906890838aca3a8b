"""The golden file: what PyTorch answers to every case of the suite, kept so that checking needs no PyTorch.

Two files beside this one: `golden-locals.json`, single ops at the special operands where the standard library
has no opinion, and `golden.json`, whole cases. `python -m oracle.suite.golden` makes both anew; a test
compares them with live PyTorch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from oracle import standard_reference
from oracle.case import Case, Observation
from oracle.floats import from_hex, to_hex
from oracle.program import Node
from oracle.vocabulary import VOCABULARY, Point

HERE = Path(__file__).parent
LOCALS, CASES = HERE / "golden-locals.json", HERE / "golden.json"

Key = tuple[str, ...]
"""Op, parameters and operands, numbers as hex strings."""


def key(node: Node, point: Point) -> Key:
    """Under which an op at these operands is kept."""
    parameters = (f"{name}={to_hex(x)}" for name, x in sorted(node.parameters.items()))
    return (node.op, *parameters, *map(to_hex, point))


@cache
def locals_() -> tuple[Mapping[Key, float], Mapping[Key, float]]:
    """PyTorch's values by key, and its vector-Jacobian products by key, slot and upstream gradient."""
    rows = json.loads(LOCALS.read_text(encoding="ascii"))["locals"] if LOCALS.exists() else []
    values, vjps = {}, {}
    for at, value, pushed in rows:
        values[tuple(at)] = from_hex(value)
        for slot, g, vjp in pushed:
            vjps[(*at, str(slot), g)] = from_hex(vjp)
    return values, vjps


def value(node: Node, point: Point) -> float | None:
    """PyTorch's value of an op at special operands, if it is kept."""
    return locals_()[0].get(key(node, point))


def vjp(node: Node, point: Point, slot: int, g: float) -> float | None:
    """PyTorch's vector-Jacobian product there, if it is kept."""
    return locals_()[1].get((*key(node, point), str(slot), to_hex(g)))


@cache
def _cases() -> Mapping[str, Any]:
    cases: dict[str, Any] = json.loads(CASES.read_text(encoding="ascii"))["cases"] if CASES.exists() else {}
    return cases


def expected(case: Case) -> tuple[Observation, ...] | None:
    """PyTorch's observations of a case of the suite; None when it is not kept."""
    kept = _cases().get(case.name)
    if kept is None:
        return None
    return tuple(Observation.from_json(seen, len(case.program)) for seen in kept)


# Making it ---------------------------------------------------------------------------------------------------------


def make() -> tuple[dict[str, Any], dict[str, Any]]:
    """Both files' content, from live PyTorch."""
    from oracle import suite, torch_reference

    head = {"suite": suite.VERSION, "torch": torch_reference.version()}
    kept: dict[Key, tuple[str, dict[tuple[int, str], str]]] = {}
    cases = {}
    suite_cases = list(suite.cases())
    for case, observations in zip(suite_cases, torch_reference.run_all(suite_cases), strict=True):
        cases[case.name] = [seen.to_json() for seen in observations]
        if len(case.program) < 1000:
            for seen in observations:
                _note(kept, case, seen)
    rows = [
        [list(at), v, [[s, g, x] for (s, g), x in sorted(p.items())]] for at, (v, p) in sorted(kept.items())
    ]
    return {**head, "locals": rows}, {**head, "cases": cases}


def _note(kept: dict[Key, tuple[str, dict[tuple[int, str], str]]], case: Case, seen: Observation) -> None:
    """Keep what the standard library cannot say of one run: also for upstream gradients 0 and 1."""
    from oracle import torch_reference

    for k, node in case.program.nodes():
        point = case.program.operand_data(node, seen.data)
        upstream = seen.grad[k]
        for g in {1.0, 0.0, upstream if upstream is not None else 1.0}:
            slots = range(VOCABULARY[node.op].arity)
            sure = standard_reference.value(node, point) is not None
            if sure and all(standard_reference.vjp(node, point, slot, g) is not None for slot in slots):
                continue
            answer = torch_reference.local(node.op, dict(node.parameters), [[x] for x in point], [g])
            _, pushed = kept.setdefault(key(node, point), (to_hex(answer.values[0]), {}))
            for slot in slots:
                pushed[slot, to_hex(g)] = to_hex(answer.vjps[slot][0])


def main() -> None:
    """Write both files."""
    for path, content in zip((LOCALS, CASES), make(), strict=True):
        path.write_text(json.dumps(content, separators=(",", ":"), allow_nan=False) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
