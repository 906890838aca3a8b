"""From faults to causes: the name of the mistake, the sentence, the hints, the line, the example."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from oracle.floats import short
from oracle.formulas import FORMULAS
from oracle.judge import altered, policies, quotients, small
from oracle.judge.example import again, example, pick
from oracle.judge.fault import ONE_FOR_ALL, SHADOWED, Fault, Judgement
from oracle.judge.mistakes import CHAIN_RULE, misdirected, name_derivative, name_value, one_sided, scale
from oracle.judge.network import NetworkFault
from oracle.judge.place import Located, place
from oracle.judge.probe import UNREADABLE
from oracle.judge.repair import Repair, repair
from oracle.judge.symptoms import DETACHED, HUNG, OUTSIDERS, REPEATED, telling_pushes
from oracle.report import Cause
from oracle.subjects import Subject
from oracle.subjects.lines import definition, line_at
from oracle.vocabulary import VOCABULARY

MISNAMED = "misnamed-dunder"
"""The mistake of a method that Python does not look for under that name."""

TRAVERSAL = ("schedule", "seed", "derivative", "accumulation", "lifecycle")
"""Kinds of cause whose line is looked for by trial where only the function is known."""

SIDES = ("its left operand", "its right operand")


@dataclass(frozen=True)
class Demands:
    """What makes a cause fail a run: the profile, single demands by name, and --strict."""

    profile: str = "lecture"
    required: frozenset[str] = frozenset()
    strict: bool = False

    def demanded(self, fault: Fault, form: str | None) -> bool:
        """Whether a fault is demanded to be absent (design, section 3)."""
        if fault.severity == "wrong" or self.profile == "torch":
            return True
        if fault.severity == "imprecise":
            return self.strict
        if fault.severity == "policy":
            return fault.policy in self.required
        if fault.kind == "network":
            return policies.NETWORK in self.required
        if _broken(fault):
            return True
        forms = {policies.general(f) for _, f in fault.rules}
        names = {fault.op} | forms | {f"{fault.op}:{f}" for f in forms}
        return bool(names & self.required) or any((fault.op, f) in policies.LECTURE for f in forms)


def _broken(fault: Fault) -> bool:
    """Whether an op that never gives a node is there, and broken: it returns nothing, or stops at a name that nothing
    has, whatever its operands are. (A method of the same name for something else may raise anything else.)"""
    crash = fault.crash
    if crash is None or not crash.inside or fault.op is None:
        return False
    if {form for _, form in fault.rules} < set(VOCABULARY[fault.op].forms):
        return False
    nameless = crash.type == "AttributeError" and crash.message.startswith("module ")
    return crash.type in ("NameError", "UnboundLocalError", "NoResult") or nameless


@dataclass(frozen=True)
class Words:
    """What is said of one fault: the mistake's short name, the sentence, and hints in three depths."""

    mistake: str | None
    message: str
    hints: tuple[str, str, str]


def causes(subject: Subject, judgement: Judgement, demands: Demands) -> tuple[list[Cause], list[Fault]]:
    """All causes, the demanded and wrong ones first, and the faults they were made of, in the same order."""
    rank = {"wrong": 0, "imprecise": 1, "missing": 2, "policy": 3}
    out: list[tuple[Cause, Fault]] = []
    for fault in (*judgement.faults, *_absent(judgement, demands)):
        if isinstance(fault, NetworkFault):
            out.append((_network(subject, fault, demands), fault))
            continue
        form = form_of(fault, judgement)
        out.append((_cause(subject, judgement, fault, form, demands), fault))
    out.sort(key=lambda pair: (not pair[0].demanded, rank[pair[0].severity]))
    return [cause for cause, _ in out], [fault for _, fault in out]


def _absent(judgement: Judgement, demands: Demands) -> list[Fault]:
    """Required ops that the subject does not have at all."""
    out = []
    for op in sorted({name.partition(":")[0] for name in demands.required} & VOCABULARY.keys()):
        cases = [o.case for o in judgement.outcomes if o.answer.unsupported == op]
        if cases:
            rules = [(op, form) for form in VOCABULARY[op].forms]
            out.append(
                Fault("missing", "missing", op, rules=rules, evidence=[(case, None) for case in cases])
            )
    return out


def form_of(fault: Fault, judgement: Judgement) -> str | None:
    """The forms at fault in one word: None for all that exist, else e.g. "number-value", "value-int"."""
    if fault.op is None or not fault.rules:
        return None
    row = VOCABULARY[fault.op]
    if row.arity == 1:
        return None
    faulty = {form for _, form in fault.rules}
    explained = {
        rule[1] for rule, known in judgement.explained.items() if rule[0] == fault.op and known is fault
    }
    faulty |= explained
    if fault.kind == "missing":
        offered = set(row.forms)
    else:
        offered = {f for (op, f), m in judgement.measured.items() if op == fault.op and m.missing is None}
    if fault.kind == "missing" and faulty != offered and not faulty >= {f for f in offered if f[0] == "v"}:
        return _general(faulty)
    return None if "value-value" in faulty or faulty == offered else _general(faulty)


def _general(forms: Iterable[str]) -> str:
    forms = set(forms)
    general = {policies.general(f) for f in forms}
    if len(forms) == 1:
        return forms.pop()
    if len(general) == 1:
        return general.pop()
    return ", ".join(sorted(general))


def _cause(subject: Subject, judgement: Judgement, fault: Fault, form: str | None, demands: Demands) -> Cause:
    said = words(fault, form, subject.near_misses)
    where = place(subject, fault, judgement.explained)
    if said.mistake == MISNAMED and subject.file is not None:
        defined = definition(subject.file, said.message.split("called ")[1].partition(",")[0])
        where = defined and Located(*defined)
    mended = None
    if where is not None and where.within is not None and fault.kind in TRAVERSAL:
        mended = repair(subject, judgement, fault, where.within)
        where = where if mended is None else Located(mended.file, mended.edit.line)
        if mended is not None and mended.edit.how == "reordered" and fault.detail == "operands lost":
            said = words(replace(fault, detail="not passed on"), form, subject.near_misses)
        if mended is not None and mended.edit.how == "removed" and _resets(subject, mended):
            said = words(replace(fault, detail="resets"), form, subject.near_misses)
    shown = pick(fault)
    drawn = None
    if shown is not None and fault.severity in ("wrong", "imprecise"):
        case, failure = shown
        checked = next(
            c
            for o in judgement.outcomes
            if o.case.name == case.name
            for c in o.checked
            if failure in c.failures
        )
        drawn = example(fault, checked, failure, subject.found, judgement.learned.traits.unit)
    demanded = demands.demanded(fault, form)
    if drawn is None and (demanded or fault.severity in ("wrong", "imprecise")):
        drawn = again(fault, subject)
    hints = _with_line(subject, said, None if where is None else (where.file, where.line), mended)
    return Cause(
        fault.kind,
        fault.severity,
        demanded,
        fault.op,
        fault.slot,
        form,
        said.mistake,
        said.message,
        None if where is None else where.file,
        None if where is None else where.line,
        tuple(dict.fromkeys(case.name for case, _ in fault.evidence)),
        fault.numbers,
        drawn,
        hints,
        fault.policy,
        fault.numbers - fault.proven if fault.severity in ("wrong", "imprecise") else 0,
    )


def _resets(subject: Subject, mended: Repair) -> bool:
    """Whether the statement that should go sets a gradient."""
    gradient = re.escape(subject.found.get("gradient", "grad"))
    return (
        re.search(rf"\.{gradient} = ", line_at(subject.file or "", mended.file, mended.edit.line)) is not None
    )


def _network(subject: Subject, fault: NetworkFault, demands: Demands) -> Cause:
    """The cause of a defect of the network beside the engine."""
    said = Words(fault.detail, fault.message, fault.hints)
    file, line = fault.where or (None, None)
    return Cause(
        fault.kind,
        fault.severity,
        demands.demanded(fault, None),
        None,
        None,
        None,
        fault.detail,
        fault.message,
        file,
        line,
        tuple(dict.fromkeys(case.name for case, _ in fault.evidence)),
        fault.numbers,
        fault.shown,
        _with_line(subject, said, fault.where),
    )


def _with_line(
    subject: Subject, said: Words, where: tuple[str, int] | None, mended: Repair | None = None
) -> tuple[str, str, str]:
    """The hints, the last one with the line as it stands and, where that is certain, as it should be."""
    line = "" if where is None or subject.file is None else line_at(subject.file, *where).strip()
    return (*said.hints[:2], f"{said.hints[2]} {_about(line, mended, said)}") if line else said.hints


ASSIGNED = re.compile(r"(?P<target>[\w.\[\]]+) = (?P<share>[^=].*)")
"""A plain assignment, alone on its line."""


def _about(line: str, mended: Repair | None, said: Words) -> str:
    """The subject's own line, and what it should be where that is certain."""
    if mended is None:
        better = _corrected(said.mistake, line, said.message)
        return f"The line now reads: {line}" + ("" if better is None else f", and should read: {better}")
    edit = mended.edit
    which, it, ended = f"The line {line} belongs", "it", "it ends"
    if len(edit.lines) > 1:
        which, it, ended = f"The {len(edit.lines)} lines from {line} on belong", "them", "they end"
    so = {
        "added": f"Next to the line {line} belongs: {edit.after}",
        "removed": f"The line {line} should go",
        "inside": f"{which} inside the block above {it}",
        "outside": f"{which} behind the block that {ended}",
        "reordered": f"The line {line} belongs behind its neighbour",
        "otherwise": f"The line now reads: {line}, and should read: {edit.after}",
    }[edit.how if not (edit.how == "reordered" and edit.after) else "otherwise"]
    return f"{so} (tried: then every program comes out right)"


def _corrected(mistake: str | None, line: str, message: str) -> str | None:
    """The line without its mistake, where there is only one way to write it; else None."""
    if mistake == "overwrite":
        assigned = ASSIGNED.fullmatch(line)
        return assigned and f"{assigned['target']} += {assigned['share']}"
    if mistake == MISNAMED:
        wrong, _, right = message.partition("called ")[2].partition(", Python looks for ")
        return line.replace(wrong, right) if wrong and wrong in line else None
    return None


# The sentences -------------------------------------------------------------------------------------------------


def words(fault: Fault, form: str | None, near_misses: Mapping[str, str]) -> Words:
    """The sentence for a fault, with the mistake named where the catalogue reproduces its numbers."""
    op = title(fault.op, form)
    if fault.policy is not None:
        return _policy(fault, op)
    return _SENTENCES[fault.kind](fault, op, near_misses)


def title(op: str | None, form: str | None) -> str:
    """An op as a reader says it: "mul", "number - value", "the engine"."""
    if op is None:
        return "the engine"
    symbol = VOCABULARY[op].symbol
    if form is None or symbol is None:
        return op
    first, *others = (f" {symbol} ".join(one.split("-")) for one in form.split(", "))
    return f"{first} (also {', '.join(others)})" if others else first


def operand(fault: Fault) -> str:
    """The operand concerned, in words."""
    if fault.op is not None and VOCABULARY[fault.op].arity == 1:
        return "its operand"
    return "its operands" if fault.slot is None else SIDES[fault.slot]


def _policy(fault: Fault, op: str) -> Words:
    assert fault.policy is not None
    torch = policies.POLICIES[fault.policy]
    subject = "the engine" if fault.op is None else op
    if fault.crash is not None:
        message = f"{subject} raises {fault.crash.type}; in PyTorch {torch}"
    elif fault.kind == "resource":
        message = f"{subject} gives no answer ({fault.detail}); in PyTorch {torch}"
    else:
        message = f"{subject} differs; in PyTorch {torch}"
    hint = f"A choice, not a bug: in PyTorch {torch}."
    return Words(fault.policy, message, (hint, hint, hint))


def _forward(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
    if fault.storage is not None:
        way = fault.storage
        return Words(
            fault.detail,
            f"the engine {way.words}" + ("" if way.precision else f": {fault.seen}"),
            (
                "What type do the numbers have?"
                if way.precision
                else "What does the constructor do to a number?",
                "Python floats and PyTorch float64 have 53 bits; "
                + (
                    "these have fewer."
                    if way.precision
                    else "each has to be kept as it is, and every result, too."
                ),
                "Keep plain Python floats, or numpy.float64.",
            ),
        )
    if fault.detail == UNREADABLE:
        return _unreadable(fault, op)
    assert fault.measured is not None and fault.op is not None
    wrong = next(v for v in fault.measured.values if not v.ok)
    numbers = f"at {_at(wrong.point)} it gives {short(wrong.observed, wrong.expected)}, right is " + short(
        wrong.expected, wrong.observed
    )
    if fault.detail:
        return _naive(fault, op, numbers)
    named = name_value(fault.op, fault.measured.values)
    if named is None:
        return Words(
            None,
            f"{op} computes a wrong value: {numbers}",
            ("Compute this value by hand.", f"The value itself is wrong: {numbers}.", "Repair the formula."),
        )
    slug, says, nudge = named
    return Words(slug, f"{op} {says}: {numbers}", (nudge, f"{op} {says}.", f"{numbers.capitalize()}."))


def _at(point: Sequence[float]) -> str:
    return (
        ", ".join(short(x) for x in point) if len(point) == 1 else f"({', '.join(short(x) for x in point)})"
    )


def _derivative(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
    if fault.detail == "kink":
        return Words(
            "kink",
            f"{op} pushes at its kink what lies outside its subdifferential",
            (
                "What is the slope at the kink?",
                "At a kink any slope between both sides is valid.",
                "Choose one.",
            ),
        )
    if fault.detail == UNREADABLE:
        return _unreadable(fault, op)
    if fault.detail == SHADOWED:
        return Words(
            "shadowed-backward",
            f"{op} pushes nothing, and backward on its result does not even begin there",
            (
                "Under which name does this op keep what it pushes, and under which does backward look for it?",
                "An attribute of the name of a method takes its place at that node: calling it pushes a gradient of 0, "
                "and within a graph nobody asks for it.",
                "Keep it under the name that the other ops use.",
            ),
        )
    if fault.detail.startswith(quotients.NAME):
        by = fault.detail.partition(": ")[2]
        return _measured(f"the engine measures its gradients by {by} instead of deriving them")
    if fault.storage is not None:
        return Words(
            fault.detail,
            f"the engine keeps its gradients in {fault.storage.name}, its numbers in float64",
            (
                "What type does a gradient have?",
                "Python floats and PyTorch float64 have 53 bits; these gradients have fewer.",
                "Keep plain Python floats, or numpy.float64.",
            ),
        )
    if fault.detail and fault.detail != "every rule":
        return _naive(fault, op, "its slope loses them")
    m = fault.measured
    assert m is not None
    slots = [fault.slot] if fault.slot is not None else sorted({p.slot for p in m.pushes})
    named = [name_derivative(m.rule[0], telling_pushes(m, s)) for s in slots]
    if fault.slot is None and fault.op is not None and misdirected(fault.op, m.pushes) and named[0] is None:
        return Words(
            "misdirected",
            f"{op} pushes to one operand what belongs to the other",
            ("Which operand gets which gradient?", CHAIN_RULE, "Push each operand its own share."),
        )
    if fault.slot is None and fault.op is not None and (twice := one_sided(m.pushes)) is not None:
        return Words(
            "one-sided",
            f"{op} pushes twice to {SIDES[twice]}, and nothing to {SIDES[1 - twice]}",
            (
                "Which operand does each push go to?",
                CHAIN_RULE
                + " A function that is made in a loop sees the loop's variables as they are in the end: "
                "for both operands, those of the last round.",
                "Give each function its own operand and slope as default arguments, or push to both in one.",
            ),
        )
    row = next((n for n in named if n is not None), None)
    if row is not None and (fault.op is None or all(n is row for n in named)):
        says = row.words.format(operand=operand(fault))
        return Words(row.slug, f"{op} {says}", (row.nudge, row.why, _formula(fault, slots)))
    if fault.op is not None and (step := quotients.rule(fault.op, telling_pushes(m, slots[0]))) is not None:
        return _measured(f"{op} measures its slope by {step} instead of computing its derivative")
    wrong = [p for s in slots for p in telling_pushes(m, s) if not p.ok]
    p = wrong[0] if wrong else m.pushes[0]
    numbers = (
        f"at {_at(p.point)} with upstream gradient {short(p.upstream)} it pushes "
        f"{short(p.observed, p.expected)}, right is {short(p.expected, p.observed)}"
    )
    factor = scale(telling_pushes(m, slots[0]))
    if factor is not None and fault.severity == "wrong":
        mistake, says = "scaled", f"pushes {short(factor)} times the gradient of {operand(fault)}"
    elif fault.severity == "imprecise":
        mistake, says = None, f"pushes an imprecise gradient to {operand(fault)}"
    elif any(q.ok for q in telling_pushes(m, slots[0])):
        mistake, says = None, f"pushes a wrong gradient to {operand(fault)} at some points"
    else:
        mistake, says = None, f"pushes a wrong gradient to {operand(fault)}"
    return Words(
        mistake,
        f"{op} {says}: {numbers}",
        ("Differentiate this op by hand.", CHAIN_RULE, f"{numbers[0].upper()}{numbers[1:]}."),
    )


def _unreadable(fault: Fault, op: str) -> Words:
    """A value or a gradient that is no number."""
    assert fault.crash is not None
    node, _, held = fault.crash.message.partition(" holds ")
    what, _, where = held.rpartition(" as its ")
    if fault.crash.during == "forward":
        whose, nudge = f"the {where} of its result", "What do the numbers that go in make?"
    elif fault.op is None:
        whose, nudge = "the gradient of a value", "What is added to this gradient?"
    else:
        whose, nudge = (
            "the gradient of an operand",
            "What is pushed: a number, or a node, a list or an array?",
        )
    if what == "NotImplemented":
        nudge = "What does float.__add__ give for something that is no number?"
    return Words(
        "no-number",
        f"{op} makes {whose} {what}, which is no number",
        (
            nudge,
            f"Data and gradient of a scalar are plain numbers; here {node.replace('value 0', 'a value')} holds {held}.",
            "Compute with the numbers that the nodes hold, and keep the number that comes out.",
        ),
    )


def _naive(fault: Fault, op: str, numbers: str) -> Words:
    """A formula that is right on paper."""
    return Words(
        "naive-formula",
        f"{op} is computed as {fault.detail}, which loses digits: {numbers}",
        (
            "What happens to the digits when the terms differ much in size?",
            f"{fault.detail} is right on paper; in floating point it cancels or drops what is small.",
            "Use the function that the standard library has for it, or a form without the cancellation.",
        ),
    )


def _measured(message: str) -> Words:
    """A difference quotient."""
    return Words(
        quotients.NAME,
        message,
        (
            "Is this gradient derived, or measured?",
            "A difference quotient is off by its step and by cancellation: about 8 digits are right at best, and every "
            "value costs a computation of the whole graph. It is a test of gradients, not a way to get them.",
            "Write down the derivative of each op, and apply the chain rule from the root.",
        ),
    )


def _formula(fault: Fault, slots: Sequence[int]) -> str:
    """What each operand is owed, to write down as it stands."""
    if fault.op is None:
        return "Multiply each local derivative by the gradient of the node."
    formulas = FORMULAS.get(fault.op, ())
    known = [_share(formulas[s + 1].partition(" = ")[2]) for s in slots if s + 1 < len(formulas)]
    names = [operand_name(fault.op, s) for s in slots]
    if not known:
        return CHAIN_RULE
    return (
        "; ".join(f"push {owed} to {name}" for owed, name in zip(known, names, strict=True)).capitalize()
        + "."
    )


def _share(slope: str) -> str:
    """The upstream gradient times a slope."""
    if slope == "1" or slope.startswith("1 where"):
        return "out.grad" + slope[1:]
    return f"out.grad · ({slope})" if slope.startswith("-") or " - " in slope[:4] else f"out.grad · {slope}"


def operand_name(op: str, slot: int) -> str:
    """An operand as the formulas call it."""
    return "a" if VOCABULARY[op].arity == 1 else "ab"[slot] if slot < 2 else f"operand {slot}"


def _accumulation(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
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


def _schedule(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
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


def _seed(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
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


def _lifecycle(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
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


def _missing(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
    assert fault.op is not None
    row = VOCABULARY[fault.op]
    reflected = all(f.startswith(("int", "float")) for _, f in fault.rules) and row.arity == 2
    name = row.reflected if reflected and row.reflected else row.spellings[0]
    misnamed = near.get(name)
    crash = fault.crash
    because = f" ({crash.said})" if crash is not None else ""
    if misnamed:
        return Words(
            MISNAMED,
            f"{op} is missing: the method is called {misnamed}, Python looks for {name}",
            (f"How is {name} spelled?", f"Python calls {name}, never {misnamed}.", f"Rename it to {name}."),
        )
    if crash is not None and crash.type == UNREADABLE:
        return _unreadable(fault, op)
    if crash is not None and crash.type == "NoResult" and crash.inside:
        return Words(
            None,
            f"{op} gives no value: {crash.message}",
            (
                "What does this method hand back, on every way through it?",
                f"A method that ends without a return gives None: {crash.message}.",
                "Return the node that it makes, whatever the other operand is.",
            ),
        )
    if crash is not None and _broken(fault):
        return Words(
            None,
            f"{op} never gives a value{because}",
            (
                "Where does this method stop?",
                crash.said,
                "Define or import what it names.",
            ),
        )
    if crash is not None and crash.inside and all("int" in f or "float" in f for _, f in fault.rules):
        return Words(
            None,
            f"{op} is missing{because}",
            (
                "What is the other operand here: a value, or a plain number?",
                f"Python calls {name} with a plain number as well, which has nothing that a value has.",
                f"Make a value of a plain number first thing in {name}.",
            ),
        )
    return Words(
        None,
        f"{op} is missing{because}",
        (f"What does Python call for {op}?", f"Python looks for {name}.", f"Define {name}, or repair it."),
    )


def _raises(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
    crash = fault.crash
    assert crash is not None
    if crash.type == UNREADABLE:
        return _unreadable(fault, op)
    when = "in backward" if crash.during == "backward" else "at ordinary operands"
    if crash.during == "backward" and _twice(fault):
        return Words(
            "operand-once",
            f"{op} raises {crash.type} {when} where both operands are one value: {crash.message}",
            (
                "What does a value know of its operands that is computed from one value twice?",
                f"{crash.type}: {crash.message}. A set of operands has a value once, however often it is used.",
                "Keep the operands in a tuple, each as often as it is used.",
            ),
        )
    if fault.op is None and fault.rules:  # several ops, at one line
        forms = {form for _, form in fault.rules}
        if all(form.startswith(("int", "float")) for form in forms):
            when += " where a plain number is the left operand"
        elif not forms & {"value", "value-value"}:
            when += " where a plain number is an operand"
    return Words(
        crash.type,
        f"{op} raises {crash.type} {when}" + (f": {crash.message}" if crash.message else ""),
        ("Read the exception.", crash.said, "Repair what raises."),
    )


def _twice(fault: Fault) -> bool:
    """Whether an op is given one value twice in every case of a fault."""
    return bool(fault.evidence) and all(
        any(
            node.op == fault.op and len(set(node.operands)) < len(node.operands)
            for _, node in case.program.nodes()
        )
        for case, _ in fault.evidence
    )


def _resource(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
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


_SENTENCES = {
    "forward": _forward,
    "derivative": _derivative,
    "accumulation": _accumulation,
    "schedule": _schedule,
    "seed": _seed,
    "lifecycle": _lifecycle,
    "missing": _missing,
    "raises": _raises,
    "resource": _resource,
}
