"""One case again, watched: which statement computed each value, and which pushed its gradient."""

from __future__ import annotations

import sys

from .follow import Follow, quiet, spelled
from .run import STEPS, Build
from .statements import Statements, distinct
from .stores import Push, Stores

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .engine import Engine


def trace(engine: Engine, message: dict[str, Any]) -> dict[str, Any]:
    """The answer to a "trace" message, without its id. A case that raises is traced as far as it came."""
    statements = Statements()
    forward: dict[int, tuple[Follow, Any, set[str | None]]] = {}

    def watched(op: Callable[..., Any]) -> Callable[..., Any]:
        def call(*operands: Any) -> Any:
            follow = Follow(engine, statements)
            held = {
                spelled(quiet(engine.read_data, x) if isinstance(x, engine.types) else float(x))
                for x in operands
            }
            out = follow.call(op, operands)
            forward.setdefault(len(build.values), (follow, out, held))
            return out

        return call

    stores = Stores(engine, statements, lambda: build.values)
    backward = engine.backward
    twin = engine.twin(
        {op: watched(call) for op, call in engine.calls.items()},
        backward and (lambda root: stores.back_propagate(backward, root)),
    )
    build = Build(twin, message["program"])
    crashed = False
    with stores:
        try:
            build.leaves()
            build.nodes()
            for step in message["steps"]:
                STEPS[step[0]](build, *step[1:])
        except BaseException:  # "run" reports the exception; here, what led to it
            crashed = True
        finally:
            sys.settrace(None)
    return {"crashed": crashed, "trace": _summary(build, forward, stores, statements)}


def _summary(
    build: Build,
    forward: dict[int, tuple[Follow, Any, set[str | None]]],
    stores: Stores,
    statements: Statements,
) -> dict[str, Any]:
    """The columns of `oracle.subjects.tracing.Trace`."""
    size = len(build.inputs) + len(build.rows)
    columns: dict[str, list[Any]] = {name: [] for name in ("methods", "values", "locals_of", "pushes", "own")}
    columns.update(stores=[], touched=[])
    for k in range(size):
        follow, out, held = forward.get(k, (None, None, set()))
        made = spelled(build.made[k]) if k < len(build.made) else None
        origin = follow and (follow.origin(made, held) or follow.creators.get(id(out)))
        columns["methods"].append(follow and (follow.outer.get(id(out)) or follow.returned))
        columns["values"].append(origin)
        columns["locals_of"].append(follow and follow.local_rule(out))
        # a seed is none of a rule's business, nor is a loop that sets what is 0 to 0
        pushes = [p for p in stores.pushed.get(k, ()) if p.rule or (p.changed and k != stores.root)]
        key = id(build.values[k]) if k < len(build.values) else 0
        linked = distinct(p for f, _, _ in forward.values() for p in f.linked.get(key, ()))
        columns["pushes"].append(linked or distinct(p.rule or p.store for p in pushes))
        columns["own"].append(linked or distinct(p.rule for p in pushes if p.rule))
        columns["stores"].append(distinct(p.store for p in pushes))
        columns["touched"].append(distinct(stores.touched.get(k, ())))
    return {
        **columns,
        "backward": stores.driver and statements.definition(stores.driver),
        "seeds": distinct(p.store for p in _seeds(stores)),
    }


def _seeds(stores: Stores) -> list[Push]:
    """The stores to the root: those that changed it, if any did; those of no op, if there are any."""
    found = stores.pushed.get(stores.root, []) if stores.root is not None else []
    found = [p for p in found if p.rule is None] or found
    return [p for p in found if p.changed] or found
