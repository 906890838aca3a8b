"""Engines without a backward: the root is given its gradient 1, and each value is asked for its own.

In the usual design a value keeps (weight, result) for all that was made of it, and sums up what these are owed when it
is asked, once. Elsewhere a function takes two values, and gives the derivative of the one by the other. Which of them
an engine has is found by trial, as its backward would be.
"""

from __future__ import annotations

import itertools
import re

from .keeping import Returned
from .look import ONE, OTHER, Hangs, arguments, bare, fields, means_gradient, methods, patience, small_graph

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from .engine import Engine
    from .load import Loaded
    from .look import Build

    Trial = tuple[Build, float]

RESETS = re.compile(r"reset|zero|clear|forget")
"""Parts of the names of methods that let a value forget its gradient."""

MOST, HANGING = 200, 3
"""Ways of asking that are tried, and how many of them may hang."""

LARGE = 256
"""Values of a program all of which are asked by a question that names the root: each may cost a whole backward. Of
larger ones only so many of the first, which are leaves, and of the last are asked."""

SOME = 16

DEEP = 1000
"""Python's limit of nested calls. In programs of no more values each is asked after all that was made of it, so that
who keeps answers need not go deep; in longer ones leaves are asked first, as its users do, and the limit shows."""


class Asking:
    """Backward for such an engine: called on a root, it gives the gradients of `nodes`, by id.

    nodes     the values that may be asked, in the order in which they were made
    seed      name of the attribute that is 1 at the root, or None where the question names the root, or nothing does
    question  a callable on the root and one value
    kept      what asking leaves behind in a value: attribute → what was there before
    reset     name of the engine's own method that lets a value forget, or None
    """

    def __init__(self, seed: str | None, question: Callable[[Any, Any], Any]) -> None:
        self.seed, self.question = seed, question
        self.nodes: Sequence[Any] = ()
        self.kept: dict[str, Any] = {}
        self.reset: str | None = None
        self.asked = False

    def __call__(self, root: Any) -> dict[int, Any]:
        if self.asked:
            for node in self.nodes:
                self._forget(node)
        self.asked = True
        if self.seed is not None:
            setattr(root, self.seed, 1.0)
        asked = self.nodes
        if self.seed is None and len(asked) > LARGE:
            asked = [*asked[:SOME], *asked[-SOME:]]
        if len(asked) <= DEEP:
            asked = asked[::-1]
        return {id(node): self.question(root, node) for node in asked}

    def _forget(self, node: Any) -> None:
        if self.reset is not None:
            getattr(node, self.reset)()
        for name, x in self.kept.items():
            setattr(node, name, x)


def find_asking(engine: Engine, loaded: Loaded, trials: Sequence[Trial]) -> Asking | None:
    """The way of asking that gives the gradients of a trial, with what to do before a second one; else None.

    Sets `found` in words: what is said to the root, and what to a value.
    """
    hung = 0
    telling = [trial for trial in trials if trial[1] != 1.0]  # an answer of 1 is soon given by chance
    for some in (telling, [trial for trial in trials if trial not in telling]):
        ways = itertools.islice(_ways(engine, loaded), MOST)
        for seed, written, question in ways:
            asking = Asking(seed, question)
            try:
                right = any(_right(engine, asking, trial) for trial in some)
            except Hangs:
                right, hung = False, hung + 1
            if hung == HANGING:
                return None
            if right:
                _find_reset(engine, asking)
                said = "nothing: each value is asked" if seed is None else f"root.{seed} = 1.0"
                engine.found.update({"backward": said, "gradient": written, "sums": Returned.sums})
                forgets = "; ".join(f"a.{name} = {x!r}" for name, x in asking.kept.items())
                if asking.reset or forgets:
                    engine.found["reset"] = f"a.{asking.reset}()" if asking.reset else forgets
                return asking
    return None


def _ways(engine: Engine, loaded: Loaded) -> Iterator[tuple[str | None, str, Callable[[Any, Any], Any]]]:
    """(seed, as it is written, question) for everything that may be meant, what names the root first."""
    known = methods(engine.cls)
    alone = []
    for name, f in known.items():
        if not means_gradient(name) or name.startswith("__"):
            continue
        if arguments(f) == 2:
            yield None, f"root.{name}(a)", lambda root, node, name=name: getattr(root, name)(node)  # type: ignore[misc]
            yield None, f"root.{name}([a])[0]", lambda root, node, name=name: getattr(root, name)([node])[0]  # type: ignore[misc]
            yield None, f"a.{name}(root)", lambda root, node, name=name: getattr(node, name)(root)  # type: ignore[misc]
        elif arguments(f) == 1:
            alone.append((f"a.{name}()", lambda root, node, name=name: getattr(node, name)()))
    for name, f in loaded.functions():
        if isinstance(f, type) or not means_gradient(name) or arguments(f) not in (1, 2):
            continue
        if arguments(f) == 1:
            alone.append((f"{name}(a)", lambda root, node, f=f: f(node)))
            continue
        yield None, f"{name}(root, a)", f
        yield None, f"{name}(root, [a])[0]", lambda root, node, f=f: f(root, [node])[0]  # type: ignore[misc]
        yield None, f"{name}(a, root)", lambda root, node, f=f: f(node, root)  # type: ignore[misc]
    for seed in (*_seeds(engine), None):
        yield from ((seed, written, question) for written, question in alone)


def _seeds(engine: Engine) -> list[str]:
    """Attributes of a new leaf that may become the root's gradient: empty or 0; the likeliest names first."""
    leaf = engine.make(ONE)
    empty = [name for name, x in fields(leaf).items() if name != engine.data and _nothing(x)]
    return sorted(empty, key=lambda name: not means_gradient(name))


def _nothing(x: Any) -> bool:
    return x is None or (isinstance(x, (int, float)) and not isinstance(x, bool) and x == 0)


def _right(engine: Engine, asking: Asking, trial: Trial) -> bool:
    """Whether the answer for the leaf of a trial is what it should be; if so, `kept` is what it has left behind.
    Raises Hangs."""
    build, expected = trial
    try:
        a, _, root = small_graph(engine, build)
        before = [dict(fields(node)) for node in (a, root)]
        asking.asked, asking.nodes = False, (a,)
        with patience():
            answer = asking(root)[id(a)]
        if answer is None or engine.number_of(answer, "gradient") != expected:
            return False
    except Hangs:
        raise
    except BaseException:  # the next trial, or the next question, may be the one
        return False
    for node, old in zip((a, root), before, strict=True):
        changed = {name: old[name] for name, x in fields(node).items() if name in old and x is not old[name]}
        asking.kept.update(
            {name: x for name, x in changed.items() if x is None or isinstance(x, (int, float))}
        )
    return True


def _find_reset(engine: Engine, asking: Asking) -> None:
    """Set `reset`, where nothing less lets leaves forget an earlier expression."""
    known = [
        name for name, f in methods(engine.cls).items() if arguments(f) == 1 and RESETS.search(bare(name))
    ]
    for asking.reset in (None, *known):
        if _forgets(engine, asking):
            return
    asking.reset = None


def _forgets(engine: Engine, asking: Asking) -> bool:
    """Whether a second expression of the same leaves has its own gradients alone."""
    add, mul = engine.calls["add"], engine.calls["mul"]
    try:
        a, b = engine.make(ONE), engine.make(OTHER)
        asking.asked = False
        for factor in (7.0, 3.0):
            root = add(mul(a, engine.make(factor)), b)
            asking.nodes = (a, b, root)
            with patience():
                answer = engine.number_of(asking(root)[id(a)], "gradient")
    except BaseException:  # an engine whose ops or resets raise keeps what it has
        return False
    return answer == 3.0
