"""From answers to faults: first what is wrong whatever the numbers are, then outputs, then gradients."""

from __future__ import annotations

import builtins
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from oracle.case import Case, Crash
from oracle.floats import U, short
from oracle.judge import policies
from oracle.judge.fault import Judgement
from oracle.judge.network.asked import Asked, Slot, at, some
from oracle.judge.network.example import example
from oracle.judge.network.expected import (
    NEAR,
    ORDERS,
    Choice,
    Expected,
    choose,
    expect,
    follows,
    near,
    of_layers,
    outputs,
)
from oracle.judge.network.mistakes import LINEAR, MISTAKES, UNEVEN, USUAL, Mistake
from oracle.judge.network.structure import Found, NetworkFault, defects, disturbed, whole
from oracle.judge.network.where import Look, Where, find
from oracle.report import Example
from oracle.subjects import Subject
from oracle.suite.networks import NETWORKS, unrolled

FOREIGN = frozenset(dir(builtins)) | {"NoneType", "function", "method", "generator", "ndarray", "Tensor"}
"""Classes of objects that a network may have been given in another form than it expects."""

AGAIN = 8
"""Times that a network is asked again, before its outputs are taken for a rule and not for chance."""


@dataclass(frozen=True)
class NetworkJudgement:
    """What is known of a subject's network.

    said       how it is made, what it is, in how many cases it is right, in words; "" without a network
    agreed     cases in which it is right; explained: in which it has its own engine's wrong numbers
    unjudged   case → why nothing is said of it
    """

    faults: tuple[NetworkFault, ...] = ()
    said: str = ""
    agreed: tuple[str, ...] = ()
    explained: tuple[str, ...] = ()
    unjudged: Mapping[str, str] = field(default_factory=dict)

    @property
    def judged(self) -> bool:
        """Whether anything is known."""
        return bool(self.faults or self.agreed or self.explained)


def judge_networks(subject: Subject, judgement: Judgement, cases: Sequence[Case]) -> NetworkJudgement:
    """Ask a subject's MLP for those of the cases that are networks, and find what is wrong with it.

    judgement  of the subject's engine: what is the engine's fault is not its network's
    """
    made = subject.found.get("network", "")
    if policies.NETWORK not in subject.capabilities:
        return NetworkJudgement(said=made)
    asked = _ask(subject, cases)
    if not asked:
        return NetworkJudgement(said=made)
    found = _Judging(subject, judgement).judge(asked)
    why = next(iter(found.unjudged.values()), "")
    known = [
        found.said,
        f"right in {len(found.agreed)} of {some(len(asked), 'case')}" if found.agreed else "",
        f"as its engine in {some(len(found.explained), 'case')}" if found.explained else "",
        f"not judged in {some(len(found.unjudged), 'case')}: {why}" if found.unjudged else "",
    ]
    return replace(found, said=": ".join(filter(None, [made, "; ".join(filter(None, known))])))


def _ask(subject: Subject, cases: Sequence[Case]) -> list[Asked]:
    """Ask for every case that is a network; for none after one that had no answer in time."""
    out: list[Asked] = []
    for case in cases:
        network = NETWORKS.get(case.name)
        if network is not None:
            late = next((a.answer for a in out if a.answer.lost == "timeout"), None)
            out.append(Asked(case, network, late or subject.network(network)))
    return out


def unjudged(network: NetworkJudgement, cases: Sequence[Case]) -> NetworkFault:
    """That a network which is demanded could not be judged."""
    why = next(iter(network.unjudged.values()), network.said)
    return NetworkFault(
        "network",
        "missing",
        detail="not-judged",
        message="no network was judged" + (f": {why}" if why else ": there is no class named MLP"),
        hints=(
            "Is there a class named MLP, in the engine's file or beside it?",
            "A network is found by its class's name; it is made by MLP(inputs, [sizes]), MLP([sizes]) or MLP(*sizes), "
            "has layers of neurons with a list of weights and a bias, and is called with a list of values.",
            "Name it MLP and make it so, or leave mlp out of --require.",
        ),
        evidence=[(case, None) for case in cases if case.name in NETWORKS],
    )


class _Judging:
    """The judgement under construction."""

    def __init__(self, subject: Subject, judgement: Judgement) -> None:
        self.subject, self.judgement = subject, judgement
        self.unit = max(U, judgement.learned.traits.gradient_unit)
        self.wrong_engine = bool(judgement.unexplained) or any(
            f.severity == "wrong" for f in judgement.faults
        )
        self.faults: dict[str, NetworkFault] = {}
        self.agreed: list[str] = []
        self.explained: list[str] = []
        self.unjudged: dict[str, str] = {}
        self.choice = ""

    def judge(self, asked: Sequence[Asked]) -> NetworkJudgement:
        answered = [a for a in asked if self._answered(a)]
        for found in defects(answered):
            for a in found.shown_by:
                self._note(a, found)
        complete = [a for a in answered if whole(a)]
        if complete and not disturbed(answered):
            self._numbers(complete)
        faults = tuple(self.faults.values())
        return NetworkJudgement(faults, self.choice, tuple(self.agreed), tuple(self.explained), self.unjudged)

    def _note(
        self,
        a: Asked,
        found: Found | Mistake,
        wrong: Sequence[Slot] = (),
        shown: Example | None = None,
        where: Where | None = None,
    ) -> None:
        """A fault, or more evidence for it. wrong: the parameters with wrong gradients."""
        name = found.mistake if isinstance(found, Found) else found.slug
        if name not in self.faults:
            self.faults[name] = NetworkFault(
                "network",
                "wrong",
                detail=name,
                message=found.message if isinstance(found, Found) else f"the network {found.words}",
                hints=found.hints,
                where=where or find(self.subject, a, found.looks),
                shown=shown,
            )
        fault = self.faults[name]
        fault.note(a.case, None)
        fault.numbers += len(wrong)
        fault.proven += len(wrong)

    # Without numbers -------------------------------------------------------------------------------------------

    def _answered(self, a: Asked) -> bool:
        """Whether there are numbers; whatever else came back is dealt with."""
        answer = a.answer
        if answer.crash is not None:
            if self._of_engine(answer.crash):
                self.explained.append(a.case.name)
            elif self._own_crash(answer.crash):
                self._raises(a, answer.crash)
            else:
                self.unjudged[a.case.name] = f"called with a list of values, it raises {answer.crash.type}"
            return False
        if answer.lost is not None:
            self.unjudged[a.case.name] = answer.detail or answer.lost
            return False
        if answer.weights is not None:
            self._misshapen(a)
            return False
        return True

    def _of_engine(self, crash: Crash) -> bool:
        """Whether an op of the engine, which is blamed for it already, raises the same at the same line."""
        known = (f.crash for f in self.judgement.faults if f.severity in ("wrong", "missing"))
        return crash.line is not None and any(c is not None and c.site == crash.site for c in known)

    def _own_crash(self, crash: Crash) -> bool:
        """Whether an exception is certainly the network's: a name that does not exist, or that its engine does not
        have. Others may come of its engine, or of its being called in another way than it expects."""
        of = re.match(r"'(\w+)' object has no attribute", crash.message)
        missing = crash.type == "AttributeError" and of is not None and of[1] not in FOREIGN
        named = missing or crash.type in ("NameError", "UnboundLocalError")
        return named and crash.line is not None and not self.wrong_engine

    def _raises(self, a: Asked, crash: Crash) -> None:
        found = Found(
            crash.type,
            f"the network raises {crash.said}",
            ("Read the exception.", crash.said, "Repair what raises."),
            (("network", "call", ""),),
            (),
        )
        file = crash.file or self.subject.file
        self._note(a, found, where=None if crash.line is None or file is None else (file, crash.line))

    def _misshapen(self, a: Asked) -> None:
        counted = zip(a.answer.weights or (), a.network.sizes, strict=False)
        k, count, wanted = next((k, m, n) for k, (row, n) in enumerate(counted, 1) for m in row if m != n)
        found = Found(
            "fan-in",
            f"a neuron of layer {k} of {a.layers} has {some(count, 'weight')} for {some(wanted, 'input')}",
            (
                "How many numbers does each layer get?",
                "A neuron needs a weight for each output of the layer before; zip() ends quietly with the shorter.",
                "Give each layer the size of the one before as its number of inputs.",
            ),
            (
                (
                    "network",
                    "init",
                    rf"\b{a.answer.parts['layer'].name}\(" if "layer" in a.answer.parts else "=",
                ),
            ),
            (),
        )
        self._note(a, found)

    # Numbers ---------------------------------------------------------------------------------------------------

    def _numbers(self, asked: Sequence[Asked]) -> None:
        choice = choose(asked)
        if choice is None:
            if self._random(asked):
                self.unjudged |= {a.case.name: "two calls with the same numbers differ" for a in asked}
            elif self.wrong_engine:
                self._by_engine(asked)
            elif not self._mistaken(asked) and not self._uneven(asked):
                self._unknown(asked)
            return
        hidden, last = choice
        self.choice = f"{hidden} everywhere" if hidden == last else f"{hidden}, the last layer {last}"
        for a in asked:
            expected = expect(a, of_layers(a, choice), self.unit)
            if not expected.wrong_outputs(a) and not expected.wrong_gradients(a):
                self.agreed.append(a.case.name)
            elif self.wrong_engine:
                self._by_engine([a], choice)
            elif expected.wrong_outputs(a):
                self.unjudged[a.case.name] = "its outputs are right to 6 digits only"
            else:
                self._gradients(a, expected)

    def _random(self, asked: Sequence[Asked]) -> bool:
        """Whether the same network gives other outputs when it is asked again: dropout, say. A small network's may
        be the same by chance, so each is asked several times."""
        again = (a for _ in range(AGAIN) for a in asked)
        return any(self.subject.network(a.network).outputs != a.answer.outputs for a in again)

    def _by_engine(self, asked: Sequence[Asked], choice: Choice | None = None) -> None:
        """The engine is wrong: a network that has the numbers of its own engine for the same program is explained."""
        choices = [choice] if choice else [*product(USUAL, USUAL)]
        programs = [
            (a, unrolled(a.network, [x.of for x in of_layers(a, pair)], order, a.biased))
            for a in asked
            for pair in choices
            for order in ORDERS
        ]
        answers = self.subject.run([Case(a.case.name, program) for a, program in programs])
        for (a, program), answer in zip(programs, answers, strict=True):
            if answer.ok and follows(a, program, answer.observations[0].data, answer.observations[0].grad):
                self.explained.append(a.case.name)
        self.explained = list(dict.fromkeys(self.explained))
        for a in asked:
            if a.case.name not in self.explained:
                self.unjudged[a.case.name] = "it is judged once its engine's rules are right"

    def _mistaken(self, asked: Sequence[Asked]) -> bool:
        """Whether a mistake of the catalogue reproduces the outputs of every network."""
        for mistake, *pair in product(MISTAKES, USUAL, USUAL):
            choice = pair[0], pair[1]
            if all(near(a.answer.outputs, outputs(a, of_layers(a, choice), mistake.neuron)) for a in asked):
                for a in asked:
                    self._wrong_outputs(a, choice, mistake)
                return True
        return False

    def _uneven(self, asked: Sequence[Asked]) -> bool:
        """Whether hidden layers apply different activations."""
        for a in asked:
            for layers in product(USUAL, repeat=a.layers) if a.layers > 2 else ():
                if near(a.answer.outputs, outputs(a, layers)):
                    said = ", ".join(f"layer {k} {x}" for k, x in enumerate(layers, 1))
                    usual = next((x for x in layers[:-1] if x.op), LINEAR)
                    self._wrong_outputs(
                        a, (usual, layers[-1]), replace(UNEVEN, words=f"{UNEVEN.words}: {said}")
                    )
                    return True
        return False

    def _wrong_outputs(self, a: Asked, choice: Choice, mistake: Mistake) -> None:
        expected = expect(a, of_layers(a, choice), self.unit)
        if expected.wrong_outputs(a) or expected.wrong_gradients(a):
            wrong = expected.wrong_gradients(a)
            self._note(a, mistake, wrong, example(self.subject, a, expected))

    def _unknown(self, asked: Sequence[Asked]) -> None:
        """Nothing reproduces the outputs: that is wrong only where no activation at all could."""
        for a in asked:
            slot = _no_sum(a)
            if slot is None:
                self.unjudged[a.case.name] = "no activation that is known gives its outputs"
                continue
            looks: tuple[Look, ...] = (("neuron", "call", r"zip\(|sum\(|range\(|\*"),)
            found = Found(
                "no-weighted-sum",
                f"the network's neurons do not compute w*x + b: the gradient of {a.name(slot)} is not its "
                "input times that of the bias",
                (
                    "What does a neuron compute, before its activation?",
                    "Whatever the activation is, the gradient of a weight is its input times the gradient of the bias.",
                    "Compute w1*x1 + w2*x2 + … + b, with weights and inputs in the same order.",
                ),
                looks,
                (),
            )
            self._note(a, found, [slot])

    def _gradients(self, a: Asked, expected: Expected) -> None:
        """The outputs are right, and the engine is; gradients of some parameters are not."""
        wrong = expected.wrong_gradients(a)
        owed = [s for s in a.parameters if at(expected.grad, s)]
        group = a.group(wrong, owed)
        data = self.subject.found.get("data", "data")
        if all(not at(a.answer.gradients, s) for s in wrong):
            copied = rf"\.{data}\b"
            found = Found(
                "detached",
                f"no gradient reaches {re.sub('^every', 'any', group)} of the network",
                (
                    "Which nodes does backward find from the loss?",
                    "A number that is taken from a node and put into a new one is a leaf: what it came from gets no "
                    "gradient.",
                    "Compute with the nodes themselves, never with their data.",
                ),
                (("neuron", "call", copied), ("layer", "call", copied), ("network", "call", copied)),
                (),
            )
        else:
            found = Found(
                "gradients",
                f"the network gives {group} {_how_wrong(a, expected, wrong)}",
                (
                    "How often does the forward pass use each parameter, and as what?",
                    "The outputs are right, and so is every rule of the engine: not everything that they are made of "
                    "is a node, or is the parameter's own.",
                    "Use every parameter once for each sample, as a node.",
                ),
                (("neuron", "call", rf"\.{data}\b"), ("neuron", "call", r"zip\(|sum\(|\*")),
                (),
            )
        self._note(a, found, wrong, example(self.subject, a, expected))


def _how_wrong(a: Asked, expected: Expected, wrong: Sequence[Slot]) -> str:
    """ "0.5 times the gradient that it should have", or the first number."""
    pairs = [(at(a.answer.gradients, s) or 0.0, at(expected.grad, s) or 0.0) for s in wrong]
    factors = {round(g / owed, 9) if owed else math.inf for g, owed in pairs}
    if len(factors) == 1 and math.isfinite(factor := factors.pop()):
        return f"{factor:g} times the gradient that is right"
    return f"a wrong gradient: {short(*pairs[0])}, right is {short(*reversed(pairs[0]))}"


def _no_sum(a: Asked) -> Slot | None:
    """A weight of the first layer whose gradient is not its input times its bias' gradient, which it is for every
    activation. None where there is none, or where that cannot be asked."""
    for n, (*weights, bias) in enumerate(a.answer.gradients[0]):
        for i, (g, x) in enumerate(zip(weights, a.network.inputs, strict=True)):
            off = 0.0 if g is None or bias is None else abs(g - bias * x) - NEAR * max(1e-3, abs(bias * x))
            if off > 0:  # not so if it is nan
                return 0, n, i
    return None
