"""Levels forward, gradient, accumulate, coerce: one op at a time, generated from the vocabulary's rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from oracle.case import Backward, Case, Observe, Rebuild
from oracle.recording import Operand, Recorder, Traced
from oracle.vocabulary import ROWS, Op, Point

Wrap = Callable[[Recorder, Traced, Traced], Traced]

WRAPS: dict[str, Wrap] = {
    "alone": lambda r, o, leaf: o,
    "times number": lambda r, o, leaf: o * 1.7,
    "number times": lambda r, o, leaf: -0.6 * o,
    "times leaf": lambda r, o, leaf: leaf * o,
    "squared": lambda r, o, leaf: o**2,
    "plus itself": lambda r, o, leaf: o + o,
}
"""Ways to put an op under the root, so that its upstream gradient is 1, or is not; different ops make it,
since any of them may be the broken one. None shares a value with the op's own operands."""

WRAPPING: dict[str, tuple[str, str, int]] = {
    "times number": ("mul", "value-float", 0),
    "number times": ("mul", "float-value", 1),
    "times leaf": ("mul", "value-value", 1),
    "squared": ("pow", "value-int", 0),
    "plus itself": ("add", "value-value", 0),
}
"""The rule that each of the WRAPS but "alone" puts on top, and which of its operands the op is."""


def apply(r: Recorder, row: Op, form: str, point: Point) -> tuple[list[Traced], Traced]:
    """Leaves for the operands that are values, and the op applied in this form."""
    operands: list[Operand] = []
    leaves: list[Traced] = []
    for kind, x, name in zip(form.split("-"), point, "ab", strict=False):
        if kind == "value":
            leaves.append(r.input(x, name))
            operands.append(leaves[-1])
        else:
            operands.append(int(x) if kind == "int" else x)
    return leaves, r.node(row.name, *operands)


def points(row: Op, form: str) -> tuple[Point, ...]:
    """The row's points as this form can give them: ints where the form says int, inside the domain."""
    slot = next((s for s, kind in enumerate(form.split("-")) if kind == "int"), None)
    if slot is None:
        return row.points
    out = []
    for n, point in enumerate(row.points):
        whole = float((2, 3, -2, 5, -1)[n % 5])
        changed = tuple(whole if s == slot else x for s, x in enumerate(point))
        out.append(changed)
        out.append(tuple(abs(x) for x in changed))
    fit = dict.fromkeys(p for p in out if row.ordinary(p) and row.smooth(p, form))
    return tuple(fit)[: len(row.points)]


def wrapped(row: Op, form: str, point: Point, wrap: str) -> Recorder:
    """A recorder holding the op in this form under one of the WRAPS; its last value is the root."""
    r = Recorder()
    # Leaves come first, so the wrap's own leaf is made before the op.
    leaf = r.input(-1.4, "c") if wrap == "times leaf" else None
    _, o = apply(r, row, form, point)
    WRAPS[wrap](r, o.named("o"), leaf or o)
    return r


def _title(row: Op, form: str) -> str:
    return row.name if row.arity == 1 or form == "value-value" else f"{row.name}-{form}"


def cases() -> Iterator[Case]:
    for row in ROWS:
        for form in row.forms:
            yield from _of(row, form)
        yield from _reused(row)


def _of(row: Op, form: str) -> Iterator[Case]:
    title = _title(row, form)
    plain = form in ("value", "value-value")
    for n, point in enumerate(points(row, form)):
        alone = wrapped(row, form, point, "alone").finish()
        if plain:
            yield Case(f"forward/{title}-{n + 1}", alone, f"the value of {title}", (Observe(),))
        wrap = list(WRAPS)[n % len(WRAPS)]
        again = f"-{n // len(WRAPS) + 1}" if n >= len(WRAPS) else ""
        yield Case(
            f"{'gradient' if plain else 'coerce'}/{title}-{wrap.replace(' ', '-')}{again}",
            wrapped(row, form, point, wrap).finish(),
            f"the gradient of {title}, {wrap}",
        )


def _reused(row: Op) -> Iterator[Case]:
    """The op's operand is used a second time: by the root, by the same op, by another node of that op."""
    form = row.forms[0]
    point = row.points[0]
    for slot in range(row.arity):
        for join in ("add", "mul"):
            for side in ("left", "right"):
                r = Recorder()
                leaves, o = apply(r, row, form, point)
                shared = leaves[slot]
                r.node(join, *((shared, o) if side == "left" else (o, shared)))
                yield Case(
                    f"accumulate/{row.name}-{'ab'[slot]}-{side}-of-{join}",
                    r.finish(),
                    f"operand {slot} of {row.name} is used again by the root",
                )
    if row.arity == 2 and row.kink((1.9, 1.9)) is None:
        r = Recorder()
        a = r.input(1.9, "a")
        o = r.node(row.name, a, a)
        yield Case(f"accumulate/{row.name}-same-operand", r.finish(), f"{row.name} of a value and itself")
        r = Recorder()
        a = r.input(1.9, "a")
        o = r.node(row.name, a, a)
        _ = o * 1.7
        yield Case(
            f"accumulate/{row.name}-same-operand-upstream",
            r.finish(),
            f"{row.name} of a value and itself, upstream gradient not 1",
        )
    if row.arity == 1:
        r = Recorder()
        a = r.input(point[0], "a")
        r.node("add", r.node(row.name, a), r.node(row.name, a))
        yield Case(f"accumulate/{row.name}-twice", r.finish(), f"two {row.name} nodes of one value")
    r = Recorder()
    parts = [(r.input(x - 0.25), r.input(0.25)) for x in point]
    r.node(row.name, *(left + right for left, right in parts))
    yield Case(
        f"graph/{row.name}-of-results",
        r.finish(),
        f"the operands of {row.name} are results, and nothing else leads to what made them",
    )
    r = Recorder()
    apply(r, row, form, point)
    program = r.finish()
    yield Case(
        f"lifecycle/{row.name}-keeps-gradients",
        program,
        f"computing {row.name} again leaves the gradients of its operands alone",
        (Backward(program.root), Observe(), Rebuild(), Observe()),
    )
