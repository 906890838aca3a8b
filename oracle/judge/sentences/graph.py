"""Sentences for the walk through a graph: sums, order, the root, what is left for a second call, what it costs."""

from __future__ import annotations

from collections.abc import Mapping

from oracle.floats import short
from oracle.judge import altered, small
from oracle.judge.fault import NONE_FOR_RESULTS, ONE_FOR_ALL, Fault
from oracle.judge.sentences.base import Words, operand
from oracle.judge.symptoms import DETACHED, HUNG, OUTSIDERS, REPEATED


def accumulation(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
    """Gradients that do not add up."""
    why = "A value that is used more than once gets the sum of what all its users owe it."
    if fault.detail == "overwrite":
        whose = "gradients" if fault.op is None or fault.slot is None else f"the gradient of {operand(fault)}"
        return Words(
            "overwrite",
            f"{op} overwrites {whose} instead of adding to what is there",
            ("What happens to a value that is used twice?", why, "Write += where it says =."),
        )
    if fault.detail == ONE_FOR_ALL:
        return Words(
            "shared-gradient",
            "all values share one gradient: what is pushed to one of them is pushed to all",
            (
                "Where is the gradient kept, and who else keeps it there?",
                "A class attribute, and a list that is a default argument, exist once for all values.",
                "Give each value a gradient of its own in the constructor.",
            ),
        )
    if fault.detail.startswith(altered.NAME):
        way = fault.detail.partition(": ")[2]
        return Words(
            "altered",
            f"backward {way} the gradients that it has summed",
            (
                "What happens to a gradient between the last sum into it and the first push out of it?",
                "Gradients are what the chain rule says, however large or small; clip a copy to train with.",
                "Leave every gradient as it was summed.",
            ),
        )
    if fault.detail.startswith("start: "):
        start = fault.detail.partition(": ")[2]
        return Words(
            "start",
            f"gradients start at {start} instead of 0, so that whatever is added to them is off by that",
            (
                "What is the gradient of a value that nothing has been pushed to?",
                "Only the root's gradient begins with 1, and only once backward is called on it; a sum begins with 0.",
                "Begin with 0 in the constructor, and set the root's gradient to 1 in backward.",
            ),
        )
    if fault.detail == "same-operand":
        return Words(
            "same-operand",
            f"{op} goes wrong when both operands are the same value",
            (
                "Try a*a and a-a.",
                why + " That holds for the two operands of one op as well.",
                "Keep one local gradient per operand position, not per value.",
            ),
        )
    return Words(
        None,
        f"{op} pushes to {operand(fault)} what depends on the gradient that is already there",
        ("Which gradient does this rule read?", why, "Read out.grad and the operands' data, nothing else."),
    )


def schedule(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
    """An order of visits, or a walk, that loses or repeats pushes."""
    why = "A node may push its gradient on only when all its users have pushed theirs, and only once."
    if fault.detail.startswith(small.NAME):
        return Words(
            small.NAME,
            f"backward does not pass on gradients of {fault.detail.partition(': ')[2]}",
            (
                "Which nodes does backward pass by?",
                "A small gradient is owed like any other: along many paths, or times a large slope, it is not small.",
                "Take the threshold away.",
            ),
        )
    if fault.detail == "not passed on":
        return Words(
            "not-passed-on",
            "backward does not pass gradients on: below the root they stay 0 or come too late",
            ("In which order are the nodes visited?", why, "Visit nodes in reverse topological order."),
        )
    if fault.detail == NONE_FOR_RESULTS:
        return Words(
            "no-gradient-for-results",
            "values that were computed get no gradient, so nothing is passed on below the root",
            (
                "What has a leaf that gradients are added to, and a result has not?",
                why + " A result whose gradient stays 0 passes on 0.",
                "Let a result want its gradient where one of its operands does.",
            ),
        )
    if fault.detail == "operands lost":
        return Words(
            "operands-lost",
            "backward does not find every operand of a node, so that what made the others never passes its gradient on",
            (
                "Which nodes does the walk reach from the root?",
                why,
                "Walk to every operand of every node.",
            ),
        )
    if fault.detail == REPEATED:
        return Words(
            REPEATED,
            "backward asks a node that has two operands more than once, so that it pushes its share again",
            (
                "How often does each node stand in the list that backward goes through?",
                why,
                "Put a node into the list once, after all its operands: behind the loop over them, not inside.",
            ),
        )
    if fault.detail == OUTSIDERS:
        return Words(
            OUTSIDERS,
            "backward counts users of a value that do not lead to the root",
            (
                "What happens when a value is used by something that the root does not need?",
                why + " Users that do not lead to the root push nothing, and nothing is to be waited for.",
                "Count, and ask, only the nodes that are reached from the root.",
            ),
        )
    if fault.detail == HUNG:
        return Words(
            HUNG.replace(" ", "-"),
            f"{op} attaches what it pushes to {operand(fault)} instead of its result, and so takes the place of what "
            "is attached there",
            (
                "Which node does backward ask for this push?",
                "What a node pushes is kept at that node; kept at an operand, it replaces the operand's own, and the "
                "next use of the operand replaces it in turn.",
                "Attach it to the node that this op makes.",
            ),
        )
    if fault.detail == DETACHED:
        return Words(
            DETACHED,
            f"{op} does not tell the graph of {operand(fault)}: what made it never passes its gradient on",
            (
                "Which nodes does backward find from this one?",
                "backward visits what it reaches through each node's parents; an operand that is not among them "
                "gets its gradient and never hands it on.",
                f"Give {operand(fault)} to the node that {op} makes as a parent.",
            ),
        )
    return Words(
        None,
        "backward visits nodes in a wrong order, or more than once",
        (
            "In which order are the nodes visited?",
            why,
            "Visit nodes in reverse topological order, each once.",
        ),
    )


def seed(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
    """A root that does not start at 1."""
    read = next((f.observed for _, f in fault.evidence if f is not None and f.equation == 3), 0.0)
    observed = float(fault.detail) if fault.detail else read
    return Words(
        "seed",
        f"the gradient of the root starts at {short(observed)} instead of 1"
        + ("" if fault.op is None else f" when {op} made it"),
        (
            "What is the derivative of the root by itself?",
            "Backpropagation begins with 1 at the root.",
            "Set the root's gradient to 1 before the first push.",
        ),
    )


def lifecycle(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
    """What a first backward, or a forward pass, leaves behind."""
    if fault.detail == "mutates":
        return Words(
            "operand-mutated",
            f"{op} changes the data of its operand",
            (
                "Does this op leave its operands alone?",
                "Other users of the operand, and its own derivative, still need the old number.",
                "Compute into a new node.",
            ),
        )
    if fault.detail == "survives":
        return Words(
            "state-survives",
            "something survives from one graph to the next: programs fail only after others have run",
            (
                "What is created once, and not once per call?",
                "A list or set at module or class level, or a mutable default argument, outlives the graph.",
                "Make it anew in each backward.",
            ),
        )
    if fault.detail == "forward-touches-gradients":
        return Words(
            "gradient-reset",
            f"{op} changes gradients while it computes forward",
            ("Which lines touch .grad?", "Only backward may change gradients.", "Remove it."),
        )
    if fault.detail == "resets":
        return Words(
            "gradients-reset",
            "backward sets gradients back first: those of an earlier call on the same leaves are lost",
            (
                "What happens to the gradients that an earlier backward has left?",
                "Gradients add up over calls; the training loop sets them back, not backward.",
                "Leave out the statement that sets them back.",
            ),
        )
    return Words(
        None,
        "a second step goes wrong: something of the first backward is left over, or is lost",
        (
            "What is left over from the first backward?",
            "Gradients add up over calls, and nothing else may survive a call.",
            "Make the visited set and the order anew in each call, and reset no gradient.",
        ),
    )


def resource(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
    """No answer, or not in time."""
    if fault.crash is not None:
        return Words(
            "recursion",
            f"backward raises {fault.crash.type} on a graph that is {_depth(fault)} nodes deep",
            ("How deep does backward recurse?", "Python allows about 1,000 nested calls.", "Use a loop."),
        )
    return Words(
        fault.detail,
        f"no answer ({fault.detail}) on small graphs with shared values",
        (
            "How often is a shared node visited?",
            "Visiting every path takes time that doubles with each shared value.",
            "Visit each node once, in topological order.",
        ),
    )


def _depth(fault: Fault) -> int:
    return min((len(case.program) for case, _ in fault.evidence), default=0)
