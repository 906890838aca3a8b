"""How an engine back-propagates, and which attribute receives the gradient.

The gradient is what becomes 7 for `a` after (a * 7).backward(), or 1 after (a + b).backward(), since mul itself may
be the faulty op: an attribute, what a method gives, or what backward returns for `a`. Where nothing back-propagates,
`a` itself may answer: see `asking`.
"""

from __future__ import annotations

import functools

from . import walk
from .asking import find_asking
from .engine import number
from .find_ops import empty
from .keeping import Attribute, Method, Returned
from .look import (
    ONE,
    OTHER,
    Hangs,
    arguments,
    attributes,
    bare,
    boxed,
    means_gradient,
    methods,
    patience,
    readable,
    reading,
    small_graph,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .engine import Engine
    from .keeping import Keeping
    from .load import Loaded

    Way = tuple[str, Callable[[Any], Any]]

GRADIENT = ("grad", "gradient", "_grad", "derivative", "g", "adjoint", "adj", "_gradient")

BACKWARD = ("backward", "backprop", "backwards", "backpropagate", "back_prop", "back_propagate")

TRIALS: tuple[tuple[Callable[[Any, Any, Any, Any], Any], float], ...] = (
    (lambda add, mul, a, b: add(mul(a, 7), b), 7.0),
    (lambda add, mul, a, b: add(mul(a, b), b), OTHER),
    (lambda add, mul, a, b: add(add(a, b), b), 1.0),
    (lambda add, mul, a, b: mul(a, 7), 7.0),
    (lambda add, mul, a, b: add(a, b), 1.0),
)
"""Programs, and the gradient of their `a`: any op of an engine may be missing or faulty."""

STRANGERS = 12
"""Functions of other names that are tried as backward, where nothing has a name like it."""


def find_backward(engine: Engine, loaded: Loaded) -> bool:
    """Set `backward`, `keeping` and `unkept`: the first way to back-propagate that changes a leaf's gradient.

    Returns whether there is one. Without one the likeliest is taken, to be judged; none at all for a scaffold.
    """
    ways = [*_ways(engine, loaded), *_of_helpers(engine)]
    others = list(_prepared(engine, ways)) if ways else list(_strangers(engine, loaded))[:STRANGERS]
    for name, way in [*ways, *others] if ways else [*others, *_closure_ways(engine)]:
        keeping = _changed_by(name, way, engine, only_exactly=(name, way) in others)
        if keeping is not None:
            engine.backward, engine.keeping = way, keeping
            _find_unkept(engine)
            engine.found.update({"backward": name, "gradient": keeping.written})
            if isinstance(keeping, Returned):
                engine.found.update({"backward": f"given = {name}", "sums": Returned.sums})
            return True
    asking = find_asking(engine, loaded, TRIALS)
    if asking is not None:
        engine.backward, engine.asking, engine.keeping = asking, asking, Returned()
        _find_unkept(engine)
        return True
    engine.keeping = Attribute(_usual_gradient(engine.make(ONE)) or GRADIENT[0])
    for name, way in ways:
        if not _scaffold(engine, name):
            engine.backward = way
            engine.found.update({"backward": name, "gradient": engine.grad})
            break
    return False


def _changed_by(
    written: str, way: Callable[[Any], Any], engine: Engine, only_exactly: bool = False
) -> Keeping | None:
    """Where a way of back-propagating puts the gradient of a leaf, or None if nothing changes."""
    for build, expected in TRIALS:
        try:
            a, _, root = small_graph(engine, build)
            # What back-propagates is not called to look at a leaf: that would be a backward of its own.
            places = [p for p in gradient_places(a, engine.data) if f".{p.name}(" not in written]
            # Twice: a method that is asked may store its answer, which must not look like backward's.
            for _ in range(2):
                before = [kept_at(place, a) for place in places]
            with patience():
                returned = way(root)
        except Hangs:
            return None
        except BaseException:  # the next trial may do without the faulty op
            continue
        after = [(place, kept_at(place, a)) for place in places]
        changed: list[Keeping] = [
            place for (place, x), old in zip(after, before, strict=True) if x is not None and x != old
        ]
        exact = [place for place, x in after if x == expected and place in changed]
        usual: list[Keeping] = [p for p in changed if p.name in GRADIENT and isinstance(p, Attribute)]
        if only_exactly:
            changed = usual = exact
        if changed:
            return (usual or exact or changed)[0]
        if _given(returned, a) == expected:
            return Returned("given[id(a)]" if all(type(key) is int for key in returned) else "given[a]")
    return None


def gradient_places(node: Any, data: str) -> Iterator[Keeping]:
    """Everything of a node's that may give its gradient: attributes, then methods that are named for it."""
    for name in readable(node, GRADIENT):
        if name != data:
            yield Attribute(name)
    for name in boxed(node, GRADIENT, (type(node),)):
        if name != data and means_gradient(name):
            yield Attribute(name)
    for name, f in methods(type(node)).items():
        if bare(name).removeprefix("get") in GRADIENT and arguments(f) == 1:
            yield Method(name)


def kept_at(place: Keeping, node: Any) -> float | None:
    """What is kept in a place, as a number; None where that is none."""
    try:
        x = place.read(node)
        return None if x is None or isinstance(x, bool) else number(x, place.name)
    except BaseException:  # a property may raise whatever it likes
        return None


def _given(returned: Any, node: Any) -> float | None:
    """A node's gradient in what a function returned, if that is a mapping from nodes."""
    try:
        kept = Returned()
        kept.add(returned)
        return kept_at(kept, node)
    except BaseException:  # it is no mapping, or one that lies
        return None


def _ways(engine: Engine, loaded: Loaded) -> Iterator[Way]:
    """(as it is written, callable on the root) for everything that could be backward, likeliest first."""
    known = {**methods(engine.types[-1]), **methods(engine.cls)}
    names = [name for name in BACKWARD if name in known]
    names += [name for name in known if _means_backward(name) and name[0] != "_" and name not in names]
    names = names or [name for name in known if _means_backward(name) and not name.startswith("__")]
    for name in names:
        if arguments(known[name]) > 1:
            yield f"root.{name}(1.0)", lambda root, name=name: getattr(root, name)(1.0)  # type: ignore[misc]
        else:
            yield f"root.{name}()", lambda root, name=name: getattr(root, name)()  # type: ignore[misc]
    for name, f in loaded.functions():
        if _means_backward(name) and not isinstance(f, type):
            if arguments(f) > 1:
                yield f"{name}(root, 1.0)", lambda root, f=f: f(root, 1.0)  # type: ignore[misc]
            else:
                yield f"{name}(root)", f


def _of_helpers(engine: Engine) -> Iterator[Way]:
    """Methods of a tape, or the like, that are meant to back-propagate: from a root, or from where it ends."""
    if engine.helpers is None or not engine.helpers.used:
        return

    def wanted(plain: str) -> bool:
        return means_gradient(plain) or _means_backward(plain)

    for written, _, call in engine.helpers.ways(wanted, engine.cls, 1):
        yield written.replace("…", "root"), call
    for written, _, call in engine.helpers.ways(wanted, engine.cls, 0):
        if "[" not in written:
            yield written.replace("…", ""), lambda root, call=call: call()  # type: ignore[misc]


def _strangers(engine: Engine, loaded: Loaded) -> Iterator[Way]:
    """Functions and methods that can be called on a root alone, whatever their names; likely names first."""
    functions = [
        (name, f"{name}(root)", f)
        for name, f in loaded.functions()
        if not isinstance(f, type) and arguments(f) == 1
    ]
    own = [
        (name, f"root.{name}()", lambda root, name=name: getattr(root, name)())
        for name, f in methods(engine.cls).items()
        if name[0] != "_" and arguments(f) == 1
    ]
    for _, written, way in sorted([*functions, *own], key=lambda found: not means_gradient(found[0])):
        yield written, way


def _prepared(engine: Engine, ways: list[Way]) -> list[Way]:
    """The ways again, each after another method of the root's, for an engine whose backward wants one called first:
    one that puts the graph in order, say."""
    try:
        root = type(small_graph(engine, TRIALS[-1][0])[2])
    except BaseException:  # an engine whose add raises has other worries
        return []
    known = [
        name
        for name, f in methods(root).items()
        if name[0] != "_" and not _means_backward(name) and arguments(f) == 1
    ]

    def after(name: str, way: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def both(root: Any) -> Any:
            getattr(root, name)()
            return way(root)

        return both

    return [(f"root.{name}(), {written}", after(name, way)) for written, way in ways for name in known][
        :STRANGERS
    ]


def _closure_ways(engine: Engine) -> Iterator[Way]:
    """A walk of our own, where nodes have closures and the engine has nothing that calls them."""
    for build, _ in TRIALS:
        try:
            root = small_graph(engine, build)[2]
        except BaseException:  # the next trial may do without the faulty op
            continue
        gradient = _usual_gradient(root) or GRADIENT[0]
        for closure in walk.closure_names(root, engine.types):
            way = functools.partial(walk.walk, closure=closure, gradient=gradient, types=engine.types)
            yield f"walk(root)  # the engine has no backward: every {closure}, consumers first", way
        return


def _means_backward(name: str) -> bool:
    plain = name.replace("_", "").lower()
    if plain.startswith("background"):
        return False
    return plain.startswith("back") or "backward" in plain or "backprop" in plain


def _usual_gradient(node: Any) -> str | None:
    """The attribute of a leaf that is called as gradients are: by its whole name, else by a part of it, if it is 0."""
    held = readable(node, GRADIENT)
    like = (name for name in held if means_gradient(name) and reading(node, name) == 0.0)
    return next((name for name in held if name in GRADIENT), next(like, None))


def _scaffold(engine: Engine, name: str) -> bool:
    """Whether a way to back-propagate is a method that is still to be written."""
    return empty(attributes(engine.cls).get(name.rpartition(".")[2].partition("(")[0]))


def _find_unkept(engine: Engine) -> None:
    """Set `unkept`: which gradients are none, or 0 throughout, though the leaf below them has got its own.

    Notes on the way whether backward lets go of the graph behind it.
    """
    for op in ("mul", "add"):
        try:
            a, b = engine.make(ONE), engine.make(OTHER)
            inner = engine.calls[op](a, 7)
            root = engine.calls["add"](inner, b)
            held = bool(walk.parents(root, engine.types))
            with patience():
                engine.back_propagate(root, (a, b, inner, root))
            if held and not walk.parents(root, engine.types):
                engine.found["graph"] = "let go by backward"
            below, at_inner, at_root = (bool(engine.read_grad(node)) for node in (b, inner, root))
        except BaseException:  # the next trial may do without the faulty op
            continue
        if below and not at_root:
            engine.unkept = "root" if at_inner else "inner"
        return
