"""Faults of the engine as a whole, asked before any rule: how it keeps numbers, where gradients start, whether they
were measured or altered alike, whether every rule fails in one way.
"""

from __future__ import annotations

from dataclasses import replace

from oracle.floats import short
from oracle.judge import altered, quotients, small
from oracle.judge.blame.crashes import raised_in_backward
from oracle.judge.blame.ledger import Ledger
from oracle.judge.blame.rules import blame
from oracle.judge.compose import walk
from oracle.judge.equations import Failure, Run
from oracle.judge.fault import ONE_FOR_ALL, SHADOWED, Fault
from oracle.judge.mistakes import scale
from oracle.judge.probe import ask
from oracle.judge.symptoms import REPEATED, everywhere, times
from oracle.judge.traits import learn, products
from oracle.report import Severity
from oracle.vocabulary import VOCABULARY


def storage(ledger: Ledger) -> None:
    """What the constructor does to numbers and gradients is a fault of no rule."""
    storage, start = ledger.traits.storage, ledger.traits.start
    assert ledger.learned.untouched is not None
    if storage is not None:
        severity: Severity = "imprecise" if storage.precision else "wrong"
        _trait(
            ledger,
            "storage",
            Fault(
                "forward",
                severity,
                detail=f"{storage.name}-storage",
                storage=storage,
                seen=ledger.learned.stored,
            ),
        )
    if ledger.traits.gradients is not None:
        way = ledger.traits.gradients
        fault = ledger.add(Fault("derivative", "imprecise", detail=f"{way.name}-gradients", storage=way))
        fault.note(products(), None)
    if any(start):
        _trait(
            ledger, "start", Fault("accumulation", "wrong", detail=f"start: {short(start[0] or start[1])}")
        )


def _trait(ledger: Ledger, trait: str, fault: Fault) -> None:
    """Strike what a trait accounts for."""
    mine = [f for f in ledger.open if f.trait == trait]
    if not mine and fault.severity == "wrong":
        return  # it is not always so
    ledger.add(fault)
    if fault.severity == "wrong":
        ledger.constructor.append(fault)
    if fault.storage is not None and fault.severity == "wrong":
        ledger.whole = fault  # what is inside composed ops is stored so, too
    if not mine:
        assert ledger.learned.untouched is not None
        fault.note(ledger.learned.untouched, None)
    ledger.take([fault], lambda f: f.trait == trait)


def differences(ledger: Ledger) -> None:
    """Whether the gradients were measured, by moving each value a little, and not back-propagated."""
    beyond = {id(f.run) for f in ledger.open if _beyond_quotients(f)}
    by = quotients.whole(f for f in ledger.open if id(f.run) not in beyond)
    if by is None:
        return
    if len(beyond) >= SEVERAL:
        ledger.take([ledger.add(Fault("schedule", "wrong"))], _beyond_quotients)
    ledger.whole = ledger.add(Fault("derivative", "wrong", detail=f"{quotients.NAME}: {by}"))
    ledger.take([ledger.whole], _plain_gradient)


SEVERAL = 3
"""Runs with gradients that no difference quotient makes so wrong, for it to be the traversal's doing."""


def _beyond_quotients(f: Failure) -> bool:
    """Whether a gradient is far off, though a difference quotient of what made it so is right up to rounding."""
    linear = all(f.run.rule(k)[0] in ("add", "sub", "mul", "neg") for k, _ in f.feeders)
    far = abs(f.observed - f.expected) > 1e-3 * sum(map(abs, f.shares))
    walked = f.run.case.level in ("graph", "accumulate") and f.equation == 4 and f.run.fresh and f.ordinary
    return walked and linear and far and not f.run.case.policy


def altered_alike(ledger: Ledger) -> None:
    """Whether every gradient is altered in the same way once it has been summed: cut off at a bound, rounded."""
    found = altered.whole(ledger.open, ledger.checked)
    if found is None:
        return
    way, alter = found
    ledger.whole = ledger.add(Fault("accumulation", "wrong", detail=f"{altered.NAME}: {way}"))
    ledger.take([ledger.whole], _plain_gradient, lambda f: altered.altered(f, alter))


def small_dropped(ledger: Ledger) -> None:
    """Whether no gradient below some size is passed on."""
    threshold = small.whole(ledger.subject, ledger.open, ledger.checked)
    if threshold is None:
        return
    ledger.whole = ledger.add(Fault("schedule", "wrong", detail=f"{small.NAME}: {threshold}"))
    ledger.take([ledger.whole], _plain_gradient, threshold.explains)


def one_for_all(ledger: Ledger) -> None:
    """Whether all values have one and the same gradient: that of the class, or of a mutable default argument."""
    fresh = [c for c in ledger.checked if c.run.root is not None and c.run.fresh]
    told = [c for c in fresh if len({g for g in c.grad if g is not None}) > 1 and None not in c.run.grad]
    if not told or any(len(set(c.run.grad)) > 1 for c in told):
        return
    ledger.whole = ledger.add(Fault("accumulation", "wrong", detail=ONE_FOR_ALL))
    ledger.take([ledger.whole], lambda f: f.what == "grad" and not f.run.case.policy, lambda f: False)


def seed(ledger: Ledger) -> None:
    seeds = [f for f in ledger.open if f.equation == 3]
    rooted = [c for c in ledger.checked if c.run.root is not None and c.run.fresh]
    fresh = [f for f in seeds if f.run.fresh]
    made = {_root_op(f.run) for f in fresh}
    right = {_root_op(c.run) for c in rooted if not any(f.equation == 3 for f in c.failures)}
    if made == {None} and right - made:
        fault = ledger.add(Fault("seed", "policy", policy="leaf-root"))
        ledger.take([fault], lambda f: f.equation == 3)
    elif made and right and not made & right and None not in made:
        deepest = walk([(op, VOCABULARY[op].forms[0]) for op in made if op is not None])[0][0]
        fault = ledger.add(Fault("seed", "wrong", deepest))
        ledger.take([fault], lambda f: f.equation == 3)
    elif fresh and 2 * len(fresh) > len(rooted):
        fault = ledger.add(Fault("seed", "wrong"))
        ledger.take([fault], lambda f: f.equation == 3)
        if all(f.observed == 0.0 for f in fresh) and not behind_seed(ledger):
            ledger.whole = fault
            ledger.take([fault], lambda f: True)


def behind_seed(ledger: Ledger) -> bool:
    """A root's gradient of 0 hides every rule: ask all again with that set to 1 from outside. Whether backward leaves
    it so."""
    subject = ledger.subject
    if subject.language != "python":
        return False
    seeded = {n: o.case.seeded() for n, o in enumerate(ledger.outcomes) if o.answer.ok}
    asked = [n for n, case in seeded.items() if case != ledger.outcomes[n].case]
    found = ask(subject, [seeded[n] for n in asked], ledger.traits)
    rooted = [c for o in found for c in o.checked if c.run.root is not None and c.run.fresh]
    if not rooted or 2 * sum(any(f.equation == 3 for f in c.failures) for c in rooted) > len(rooted):
        return False
    subject.seeds = True
    ledger.relearn(learn(subject))
    for n, o in zip(asked, found, strict=True):
        before = ledger.outcomes[n]
        ledger.outcomes[n] = replace(o, case=before.case, checked=before.checked + o.checked)
    told = [c for o in found for c in o.checked]
    ledger.checked += told
    gradients = [f for c in told for f in c.failures if f.equation > 2]
    ledger.open = [f for f in ledger.open if f.equation <= 2] + gradients
    return True


def shadowed(ledger: Ledger) -> None:
    """An op whose result does not begin, and pushes nothing under another root either, has not lost a seed: what it
    attaches for its push is in the place of backward itself."""
    for fault in ledger.faults:
        if fault.kind != "seed" or fault.op is None or any(f and f.observed for _, f in fault.evidence):
            continue
        rules = {rule: m for rule, m in ledger.measured.items() if rule[0] == fault.op and m.shared}
        shares = [s for m in rules.values() for s in m.shared if s.join.strip("ao ") == "+"]
        if not shares or any(s.own or not s.other for s in shares):
            continue
        fault.kind, fault.detail = "derivative", SHADOWED
        fault.rules, fault.measured = list(rules), next(iter(rules.values()))
        failing = (f for _, f in fault.evidence if f is not None and f.equation == 3)
        made = {f.run.rule(f.value) for f in failing if f.run.program.producer(f.value) is not None}
        for rule in {*made, *rules}:
            ledger.of_rule[rule].append(fault)


def leaks(ledger: Ledger) -> None:
    """Whether cases fail only because others ran before them in the same process."""
    failing = {
        f.run.case.name: f.run.case
        for f in ledger.open
        if f.ordinary and f.run.fresh and f.equation == 4 and not f.run.case.policy
    }
    failing |= {o.case.name: o.case for o in ledger.outcomes if raised_in_backward(o)}
    smallest = sorted(failing.values(), key=lambda case: (len(case.program), case.name))[:5]
    for case in smallest:
        ledger.subject.close()  # the next case gets a fresh worker
        (outcome,) = ask(ledger.subject, [case], ledger.traits)
        if not outcome.answer.ok or any(c.failures for c in outcome.checked):
            return
    if len(smallest) < 2:
        return
    ledger.whole = ledger.add(Fault("lifecycle", "wrong", detail="survives"))
    ledger.take([ledger.whole], lambda f: not f.run.case.policy)
    for o in ledger.outcomes:
        if o.answer.crash is not None and not ledger.blamed.get(o.case.name) and o.case.name in failing:
            ledger.charge(ledger.whole, o.case)


def everywhere_alike(ledger: Ledger) -> bool:
    silent = frozenset({"missing", "raises", "forward"})
    if ledger.whole is not None:
        # its forward was computed as ever
        measured = ledger.whole.kind in ("seed", "derivative", "accumulation")
        measured |= ledger.whole.detail.startswith(small.NAME)
        blame(ledger, silent if measured else frozenset({"missing"}))
        return True
    found = everywhere(ledger.measured, ledger.symptoms)
    if found is None:
        return False
    start = None if found.kind != "derivative" else _hidden_seed(ledger)
    if start is not None:
        ledger.whole = ledger.add(Fault("seed", "wrong", detail=repr(start)))
        blame(ledger, silent)
        return True
    example = next(m for m in ledger.measured.values() if m.pushes)
    ledger.whole = ledger.add(Fault(found.kind, "wrong", measured=example, detail=found.detail))
    if found.kind == "derivative":
        ledger.whole.rules = [r for r, s in ledger.symptoms.items() if any(x.kind == "derivative" for x in s)]
    own = [r for r, m in ledger.measured.items() if r[1] == "value" and not times(m)]
    blame(ledger, silent, own if found.detail == REPEATED else ())
    return True


def _hidden_seed(ledger: Ledger) -> float | None:
    """Where the root's gradient cannot be read: what it starts at, if every push is that multiple of the right
    one. (A rule of its own would have to make the same mistake in every op.)"""
    if ledger.subject.grads != "leaves":
        return None
    pushes = [p for m in ledger.measured.values() for p in m.pushes if p.expected]
    if pushes and all(p.observed == 0.0 for p in pushes):
        return 0.0
    return scale(pushes)


def _root_op(run: Run) -> str | None:
    """The op that made the root, None for a leaf."""
    node = None if run.root is None else run.program.producer(run.root)
    return None if node is None else node.op


def _plain_gradient(f: Failure) -> bool:
    """Whether a wrong number is a gradient, in a case that is not about a policy."""
    return f.equation in (3, 4) and not f.run.case.policy
