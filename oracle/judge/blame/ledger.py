"""The ledger of one judgement: the faults found so far, and the wrong numbers that none of them explains yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from oracle.case import Case
from oracle.judge.equations import Exercise, Failure
from oracle.judge.fault import Fault, Judgement
from oracle.judge.probe import Measured, Outcome, Rule
from oracle.judge.symptoms import Symptom
from oracle.judge.traits import Learned
from oracle.subjects import Subject


class Ledger:
    """What each step of the procedure reads and adds to.

    checked      the equations of all runs; open: failures that nothing explains yet
    faults       the causes so far; of_rule: those that a failing rule comes from; blamed: those of a case, by its name
    whole        the fault of the engine as a whole, where there is one; constructor: those of making a node
    measured     what the probes of each rule showed; symptoms: what is wrong with it
    """

    def __init__(self, subject: Subject, learned: Learned, outcomes: list[Outcome]) -> None:
        self.subject, self.outcomes = subject, outcomes
        self.relearn(learned)
        self.faults: list[Fault] = []
        self.of_rule: dict[Rule, list[Fault]] = defaultdict(list)
        self.symptoms: dict[Rule, tuple[Symptom, ...]] = {}
        self.measured: dict[Rule, Measured] = {}
        self.blamed: dict[str, list[Fault]] = defaultdict(list)
        self.checked = [c for o in outcomes for c in o.checked]
        self.open: list[Failure] = [f for c in self.checked for f in c.failures]
        self.whole: Fault | None = None
        self.constructor: list[Fault] = []

    def relearn(self, learned: Learned) -> None:
        """Take the subject's traits as they are now."""
        self.learned, self.traits = learned, learned.traits

    def add(self, fault: Fault) -> Fault:
        """A new fault, handed back."""
        self.faults.append(fault)
        return fault

    def strike(self, failure: Failure, faults: Iterable[Fault], explained: bool = True) -> None:
        """Put a failing number down to faults; `explained`: whether they give that very number."""
        case = failure.run.case
        for fault in faults:
            fault.note(case, failure, explained)
            if fault not in self.blamed[case.name]:
                self.blamed[case.name].append(fault)

    def take(
        self,
        faults: Sequence[Fault],
        theirs: Callable[[Failure], object],
        explained: Callable[[Failure], bool] = lambda f: True,
    ) -> None:
        """Strike out all open failures that are these faults'; `explained`: whether they give that very number."""
        mine, self.open = [f for f in self.open if theirs(f)], [f for f in self.open if not theirs(f)]
        for f in mine:
            self.strike(f, faults, explained(f))

    def charge(self, fault: Fault, case: Case) -> None:
        """Put a case that gave no numbers down to a fault."""
        fault.note(case, None)
        self.blamed[case.name].append(fault)

    def unite(self, parts: list[Fault]) -> None:
        """Make several faults one: the first, with the rules and the evidence of all."""
        first, *others = parts
        for other in others:
            first.rules.extend(other.rules)
            first.evidence.extend(other.evidence)
            for faults in self.blamed.values():
                if any(f is other for f in faults):
                    faults[:] = [f for f in faults if f is not first and f is not other] + [first]
            for rule in other.rules:
                self.of_rule[rule] = [first if f is other else f for f in self.of_rule[rule]]
        self.faults = [f for f in self.faults if not any(f is other for other in others)]

    def of_op(self, op: str) -> list[Fault]:
        """Faults already blamed on an op."""
        return [f for f in self.faults if f.op == op and f.policy is None and f.rules]

    def judgement(self) -> Judgement:
        """What was found, with the largest error of each rule as exercised."""
        exercised: dict[Exercise, float] = {}
        for c in self.checked:
            for key, error in c.exercised.items():
                exercised[key] = max(error, exercised.get(key, 0.0))
        return Judgement(
            self.learned,
            self.outcomes,
            self.faults,
            {rule: faults[0] for rule, faults in self.of_rule.items()},
            self.blamed,
            self.open,
            self.measured,
            exercised,
        )
