"""One network that was asked for, with its answer; its parameters one by one, and in words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from oracle.case import Case
from oracle.subjects.network import Network, NetworkAnswer, Table

Slot = tuple[int, int, int]
"""A parameter: layer and neuron, from 0, and which of the neuron's weights; the bias comes last."""


@dataclass(frozen=True)
class Asked:
    """A case of the suite, its network, and what came back."""

    case: Case
    network: Network
    answer: NetworkAnswer

    @property
    def biased(self) -> bool:
        """Whether its neurons have biases."""
        return any(row[-1] is not None for rows in self.answer.gradients for row in rows)

    @property
    def layers(self) -> int:
        return len(self.network.parameters)

    def is_bias(self, slot: Slot) -> bool:
        return slot[2] == self.network.sizes[slot[0]]

    @property
    def parameters(self) -> list[Slot]:
        """The parameters that it has: all, or all but the biases."""
        return [s for s in slots(self.network.parameters) if self.biased or not self.is_bias(s)]

    def name(self, slot: Slot) -> str:
        """ "the bias of neuron 1 of layer 2", "weight 3 of neuron 1 of layer 2": all counted from 1."""
        what = "the bias" if self.is_bias(slot) else f"weight {slot[2] + 1}"
        return f"{what} of neuron {slot[1] + 1} of layer {slot[0] + 1}"

    def group(self, chosen: Collection[Slot], among: Collection[Slot] | None = None) -> str:
        """Some of its parameters in words: "every bias", "the weights of layer 1"; else how many, and one of them.

        among  those of which the chosen are some; all unless given
        """
        everything = set(self.parameters if among is None else among)
        kinds: tuple[tuple[str, str, Callable[[Slot], bool]], ...] = (
            ("every parameter", "the parameters", lambda s: True),
            ("every bias", "the biases", self.is_bias),
            ("every weight", "the weights", lambda s: not self.is_bias(s)),
        )
        wheres: list[tuple[str, Callable[[Slot], bool]]] = [
            (f"layer {k + 1}", lambda s, k=k: s[0] == k)  # type: ignore[misc]
            for k in range(self.layers)
        ]
        wheres += [
            ("the hidden layers", lambda s: s[0] < self.layers - 1),
            ("every layer but the first", lambda s: s[0] > 0),
            ("the first neuron of every layer", lambda s: s[1] == 0),
            ("every neuron but the first of its layer", lambda s: s[1] > 0),
        ]
        for every, some, kind in kinds:
            of_kind = {s for s in everything if kind(s)}
            if set(chosen) == of_kind:
                return every
            for where, within in wheres:
                if set(chosen) == {s for s in of_kind if within(s)}:
                    return f"{some} of {where}"
        first = self.name(min(chosen))
        return first if len(chosen) == 1 else f"{len(chosen)} parameters, {first} among them"


def slots(table: Table) -> Iterator[Slot]:
    """The places of a table."""
    for k, rows in enumerate(table):
        for n, row in enumerate(rows):
            for i in range(len(row)):
                yield k, n, i


def at(table: Table, slot: Slot) -> float | None:
    """What a table has at a place."""
    return table[slot[0]][slot[1]][slot[2]]


def numbers(table: Table | None) -> list[float | None]:
    """All that a table has; nothing where there is none."""
    return [at(table, s) for s in slots(table)] if table else []


def some(n: int, what: str) -> str:
    """ "1 weight", "3 weights"."""
    return f"{n} {what}{'' if n == 1 else 's'}"
