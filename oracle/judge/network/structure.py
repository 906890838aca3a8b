"""What is wrong with a network whatever its numbers are: its nodes, what it lists and resets, what it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from oracle.judge.fault import Fault
from oracle.judge.network.asked import Asked, Slot, at, numbers, slots, some
from oracle.judge.network.where import Look, Where
from oracle.report import Example

Hints = tuple[str, str, str]


@dataclass
class NetworkFault(Fault):
    """A defect of the network: what is said of it, where it is, and the numbers that show it."""

    message: str = ""
    hints: Hints = ("", "", "")
    where: Where | None = None
    shown: Example | None = None


@dataclass(frozen=True)
class Found:
    """A defect before it is a fault: its name, the sentence, where to look, and the networks that show it."""

    mistake: str
    message: str
    hints: Hints
    looks: tuple[Look, ...]
    shown_by: Sequence[Asked]


def defects(answered: Sequence[Asked]) -> Iterator[Found]:
    """Each defect once, from the largest network that shows it."""
    largest_first = sorted(answered, key=lambda a: (-a.layers, -len(a.parameters)))
    for find in (_shared, _listed, _left, _changed, _lost):
        for a in largest_first:
            found = find(a)
            if found is not None:
                same = [b for b in answered if (other := find(b)) and other.mistake == found.mistake]
                yield Found(found.mistake, found.message, found.hints, found.looks, same)
                break


def _shared(a: Asked) -> Found | None:
    """Parameters that are one node."""
    pair = _one_node(a)
    if pair is None:
        return None
    first, second = map(a.name, pair)
    return Found(
        "shared",
        f"in the network, {first} and {second} are one and the same node",
        (
            "How many nodes does the constructor make?",
            "[Value(0.0)] * n is a list of n times the same node, and a default argument is made once for all calls: "
            "what one of them learns, all do.",
            "Make a new node for each: [Value(0.0) for _ in range(n)].",
        ),
        (("neuron", "init", r"\]\s*\*|\*\s*\["), ("layer", "init", r"\]\s*\*|\*\s*\[")),
        (),
    )


def _one_node(a: Asked) -> tuple[Slot, Slot] | None:
    seen: dict[float, Slot] = {}
    for slot in slots(a.answer.same or ()):
        number = at(a.answer.same or (), slot)
        if number is not None and number in seen:
            return seen[number], slot
        if number is not None:
            seen[number] = slot
    return None


_LENGTH = "How many parameters are there, and how long is the list?"


def _listed(a: Asked) -> Found | None:
    """Parameters that are not among those that the network lists, or are there twice."""
    listed = a.answer.listed
    if listed is None:
        return None
    missing = [s for s in slots(listed) if at(listed, s) == 0]
    twice = [s for s in slots(listed) if (at(listed, s) or 0) > 1]
    if missing:
        return Found(
            "parameters-missing",
            f"the network's list of parameters leaves out {a.group(missing)}",
            (
                _LENGTH,
                "What is not in the list is never trained, and its gradient is never reset.",
                "List the weights and the bias of every neuron of every layer.",
            ),
            _lister(a, missing),
            (),
        )
    if twice and _one_node(a) is None:
        return Found(
            "parameters-twice",
            f"the network's list of parameters has {a.group(twice)} more than once",
            (
                _LENGTH,
                "What is in the list twice is updated twice in every step.",
                "List each parameter once.",
            ),
            _lister(a, twice),
            (),
        )
    return None


def _lister(a: Asked, chosen: Sequence[Slot]) -> tuple[Look, ...]:
    """Whose list is wrong: the network's where whole layers are, a layer's where whole neurons are, else a neuron's.

    Where all layers of several neurons are, it is the layers' own.
    """
    touched = set(chosen)

    def whole(part: Callable[[Slot], object]) -> bool:
        parts = {part(s) for s in touched}
        return touched == {s for s in a.parameters if part(s) in parts}

    several = {k for k, rows in enumerate(a.network.parameters) if len(rows) > 1}
    return_, list_ = r"\breturn\b", r"\+=|append|extend|="
    if whole(lambda s: s[0]) and {s[0] for s in touched} != several:
        return (("network", "parameters", return_), ("network", "init", list_))
    if whole(lambda s: s[:2]):
        return (("layer", "parameters", return_), ("network", "parameters", return_))
    return (("neuron", "parameters", return_), ("layer", "parameters", return_))


def _left(a: Asked) -> Found | None:
    """Gradients that are still there after the network has reset them, of parameters that it lists."""
    zeroed, listed = a.answer.zeroed or (), a.answer.listed
    left = [s for s in slots(zeroed) if at(zeroed, s) and (listed is None or at(listed, s))]
    if not left:
        return None
    had = [s for s in a.parameters if at(a.answer.gradients, s)]
    nothing = set(left) == set(had)
    return Found(
        "zero-grad",
        "the network's zero_grad "
        + ("resets nothing" if nothing else f"does not reset the gradient of {a.group(left, had)}"),
        (
            "Which gradients are there after zero_grad()?",
            "What is not reset is added to the gradients of the next step, and of every step after it.",
            "Set the gradient of every parameter to 0.",
        ),
        (("network", "zero_grad", r"\bfor\b"), ("network", "zero_grad", r"=")),
        (),
    )


def _changed(a: Asked) -> Found | None:
    """A list of inputs that is no longer what it was."""
    if a.answer.kept:
        return None
    change = r"\.append\(|\.insert\(|\.extend\(|\.pop\(|\+=|\] ="
    return Found(
        "inputs-changed",
        "the network changes the list of inputs that it is given",
        (
            "What is in the caller's list after a call?",
            "A list that is passed is not copied: what is appended to it is there in the next epoch, too.",
            "Build a new list.",
        ),
        (("neuron", "call", change), ("layer", "call", change), ("network", "call", change)),
        (),
    )


def _lost(a: Asked) -> Found | None:
    """Another number of outputs than there are neurons in the last layer."""
    count, wanted = len(a.answer.outputs), a.network.sizes[-1]
    if count == wanted:
        return None
    return Found(
        "outputs-lost",
        f"a network with {some(wanted, 'neuron')} in its last layer returns {some(count, 'output')}",
        (
            "What does the last layer return?",
            "A layer has as many outputs as it has neurons.",
            "Return them all; a single one may be returned by itself.",
        ),
        (("layer", "call", r"\breturn\b"),),
        (),
    )


def disturbed(answered: Sequence[Asked]) -> bool:
    """Whether a defect that was found by itself makes the numbers wrong, too."""
    return any(_shared(a) or _changed(a) for a in answered)


def whole(a: Asked) -> bool:
    """Whether a network has all its outputs."""
    return _lost(a) is None


def by_numbers(table: Sequence[Asked]) -> bool:
    """Whether any gradient at all came back."""
    return any(any(x is not None for x in numbers(a.answer.gradients)) for a in table)
