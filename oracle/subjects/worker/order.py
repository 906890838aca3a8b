"""The order of sets of nodes, made repeatable: nodes are hashed by a number of their own, not by their address.

An engine that keeps parents in a set visits them in the order of their hashes. By address that order differs from
run to run, and with it the numbers of a faulty engine. Here a node's hash is the number of nodes hashed before it
in the same case, or that number's opposite: two orders, each the same in every run, and each the other's reverse.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


BACKWARDS = "1"
"""The seed of hashes with which nodes are numbered downwards."""


class Numbered:
    """The numbers of one engine's nodes. Nodes are kept alive with them, so that no address is numbered twice."""

    def __init__(self, backwards: bool) -> None:
        self._step = -1 if backwards else 1
        self._numbers: dict[int, tuple[int, Any]] = {}
        self._loading: dict[int, tuple[int, Any]] | None = None

    def adopt(self, node: Any, cls: type | None = None) -> None:
        """Number the nodes of this node's class, or of a base of it, unless they are hashed by something else
        than their identity."""
        try:
            if hash(node) not in (id(node), object.__hash__(node)):
                return
            (cls or type(node)).__hash__ = self._hash()  # type: ignore[assignment]
        # Nodes that cannot be hashed, classes that cannot be changed: they keep their order.
        except Exception:
            return

    def case(self) -> None:
        """Forget the nodes of the last case; those that loading the engine has numbered stay."""
        if self._loading is None:
            self._loading = dict(self._numbers)
        self._numbers.clear()
        self._numbers.update(self._loading)

    def _hash(self) -> Callable[[Any], int]:
        numbers, step = self._numbers, self._step

        def __hash__(node: Any) -> int:
            found = numbers.get(id(node))
            if found is None:
                found = numbers[id(node)] = (step * len(numbers), node)
            return found[0]

        return __hash__
