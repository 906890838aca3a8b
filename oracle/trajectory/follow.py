"""Following a training loop from backward to backward: its parameters, their updates, its mistakes.

Every step is judged from the script's own state: what was used is compared with what backward had left, never
with a run of ours. A run that goes another way than PyTorch's because of rounding is no mistake.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from oracle.floats import short
from oracle.trajectory.adaptive import Adaptive
from oracle.trajectory.events import BackwardCall, Interval, Place, Write
from oracle.trajectory.findings import Finding, listed
from oracle.trajectory.measure import (
    WORDS,
    Rule,
    Update,
    Updates,
    all_uphill,
    drowned,
    exchanged,
    proportional,
    rule,
    uphill,
)
from oracle.trajectory.picture import KEPT, Kept
from oracle.trajectory.summary import in_words, sharp

HISTORY = 6
"""Intervals kept for rules that remember, such as momentum."""

AGREE = 1e-6
"""A measured step size is a named one when it is this near (relative)."""

RUNAWAY = 1e6
"""A loss that has grown by this factor diverges."""

CHANCE = 7
"""Updates of three parameters or more that all go uphill by an unknown rule: 1 in 2**21 by chance."""

FAULTY = {
    "late momentum": "momentum-late",
    "replaced": "data-replaced",
    "multiplied": "data-multiplied",
    "shared velocity": "velocity-shared",
}
"""Rules that are a mistake by themselves."""


class Measured(NamedTuple):
    """One update: the step it belongs to, its rule, whether all went along the gradient, step sizes by name."""

    step: int
    rule: Rule
    uphill: bool
    rates: Mapping[str, float]


class Updated(NamedTuple):
    """What became of the parameters in a step: mistakes that it shows, its rule if it has one, the serials."""

    mistakes: list[str]
    rule: Rule | None = None
    serials: frozenset[int] = frozenset()


class Trajectory:
    """Tell it every backward call, and what the script set after each; `findings` is what was seen."""

    def __init__(self) -> None:
        self.findings: dict[str, Finding] = {}
        self.measured: list[Measured] = []
        self.adaptive = Adaptive()
        self.betas = (0.9, 0.999)
        self.names: dict[int, str] = {}
        self.owners: dict[int, int] = {}
        self.history: list[Updates] = []
        self.kept: dict[int, Updates] = {}
        self.updated: set[int] = set()
        self.zeroed: set[int] = set()
        self.nonzero: Counter[int] = Counter()
        self.intervals = 0
        self.last: BackwardCall | None = None
        self.roots: set[int] = set()
        self.where: Place | None = None
        self.spent: dict[int, float] = {}
        self.tainted: set[int] = set()
        self.cleared: tuple[bool, Place | None] = False, None
        self.grown = 0
        self.forgotten: frozenset[int] = frozenset()
        self.losses: list[float] = []

    # A backward call -------------------------------------------------------------------------------------

    def backward(self, call: BackwardCall, resets: bool) -> list[str]:
        """One more backward call, after what was set before it has been told.

        resets: the engine sets old gradients to 0. Returns the mistakes that the call shows.
        """
        moved = {call.serials[i] for i in call.moved}
        shown = self._graph(call, moved)
        self._carried(call, resets or bool(moved))
        for i in range(call.leaves):
            if call.grad[i]:
                self.nonzero[call.serials[i]] += 1
        self.last = call
        self.roots.add(call.root)
        self.losses.append(call.loss)
        return shown

    def _carried(self, call: BackwardCall, excused: bool) -> None:
        """Which leaves begin with a gradient that an update has used already."""
        before = dict(zip(call.serials[: call.leaves], call.before, strict=False))
        self.tainted = {s for s in self.tainted if before.get(s, 1.0)}
        old = {s for s, g in before.items() if g and self.spent.get(s) == g}
        if excused or not old - self.tainted:
            return
        self.tainted |= old
        places = [w.place for w in call.interval.writes if w.what == "grad" and w.new == 0]
        places += [place for what, place in call.interval.elsewhere if what == "grad"]
        some = any(not before[s] for s, g in self.spent.items() if g and s in before)
        self.cleared = some, places[0] if places else None

    def _graph(self, call: BackwardCall, moved: set[int]) -> list[str]:
        """A graph older than its parameters, in whole or in part."""
        old = [s for s in call.serials[call.leaves :] if s < call.since]
        slug, place = "", call.place
        grows = self.last is not None and call.size > self.last.size
        self.grown = self.grown + 1 if old and grows and not moved and not self.updated else 0
        if old and (self.updated or moved):
            drags = (self.roots & set(call.serials)) - {call.root}
            if call.root < call.since and moved:
                slug = "graph-not-rebuilt"
            elif drags and (moved or self.updated):
                slug = "loss-accumulated"
            elif moved:
                slug = "graph-not-rebuilt"
        elif self.grown >= 2:
            slug = "graph-carried-on"
        elif moved:
            these = [w for w in call.interval.writes if w.what == "data" and w.serial in moved]
            if not these:  # no line of the script did it: an op, which the equations are for
                return []
            place = these[-1].place
            changes = {w.serial: Update(w.old or 0.0, w.new or 0.0, w.grad or 0.0) for w in these}
            once = len(these) == len(changes)  # what clips has an update before it
            slug = "update-before-backward" if once and proportional(changes) else "data-changed"
        if slug:
            self._note(slug, call.step + 1, place, moved)
        return [slug] if slug else []

    # What the script set after it ------------------------------------------------------------------------

    def update(self, interval: Interval, moved: Iterable[int] = ()) -> Updated:
        """What the script set after the last backward, up to the next one or to its end.

        moved: leaves that were set between the next forward and its backward.
        """
        self.names.update(interval.names or {})
        self.owners.update(interval.owners or {})
        if self.last is None:
            return Updated([])
        step = self.last.step + 1
        left = dict(zip(self.last.serials[: self.last.leaves], self.last.grad, strict=False))
        writes: defaultdict[int, list[Write]] = defaultdict(list)
        for write in interval.writes:
            if write.serial not in left and write.serial not in self.updated:
                continue  # no parameter: one may be unused in a step and still move on, by momentum
            if write.what == "data":
                writes[write.serial].append(write)
            elif write.new == 0:
                self.zeroed.add(write.serial)
        updates: dict[int, Update] = {}
        for serial, these in writes.items():
            old, new, grad = these[0].old, these[-1].new, these[0].grad
            if old is None or new is None or grad is None or (len(these) > 1 and _back(these)):
                continue
            updates[serial] = Update(old, new, grad)
            self.updated.add(serial)
            self.where = these[-1].place
        if not updates:
            return Updated([])
        self.intervals += 1
        shown = self._stale(step, updates)
        shown += self._early(step, updates, left, interval)
        shown += self._twice(step, updates, writes)
        self.spent.update({s: u.grad for s, u in updates.items()})
        found = self._measure(step, updates, interval.rates or {}) if not set(moved) else None
        if found is not None and found.kind in FAULTY:
            shown += self._note(FAULTY[found.kind], step, self.where, (), found.words)
        elif found is not None and found.kind == "unknown" and (odd := exchanged(updates)):
            shown += self._note("gradient-of-another", step, self.where, odd)
        self.history = [*self.history, updates][-HISTORY:]
        if step <= KEPT:
            self.kept[step] = updates
        return Updated(shown, found, frozenset(updates))

    def _measure(self, step: int, updates: Updates, rates: Mapping[str, float]) -> Rule | None:
        useful = {s: u for s, u in updates.items() if u.grad or u.change}
        adaptive = self.adaptive.feed(step, updates, rates)
        if not useful or drowned(useful):
            return None
        found = rule(useful, self.history)
        if found.kind == "unknown" and adaptive is not None:
            found = adaptive
        along = all_uphill(useful) if found.kind == "unknown" else uphill(useful)
        self.measured.append(Measured(step, found, along, rates))
        return found

    def _stale(self, step: int, updates: Updates) -> list[str]:
        """Gradients that an update has used before, used again."""
        stale = [s for s, u in updates.items() if u.grad and s in self.tainted]
        if not stale:
            return []
        cleared, place = self.cleared
        if cleared or place is not None:
            some = stale if cleared and len(stale) < len(updates) else ()
            return self._note("zero-grad-of-others", step, place or self.where, some, leaf=stale[0])
        return self._note("zero-grad-forgotten", step, self.where, leaf=stale[0])

    def _early(
        self, step: int, updates: Updates, left: Mapping[int, float | None], interval: Interval
    ) -> list[str]:
        had = [s for s in updates if left.get(s)]
        if not had or any(updates[s].grad for s in had):
            return []
        place = next((w.place for w in interval.writes if w.what == "grad" and w.serial in had), None)
        return self._note("zero-grad-too-early", step, place, had)

    def _twice(self, step: int, updates: Updates, writes: Mapping[int, Sequence[Write]]) -> list[str]:
        """The same change, a multiple of the same gradient, more than once."""
        again = []
        times = 0
        for serial, these in writes.items():
            changes = [
                w.new - w.old for w in these if w.new is not None and w.old is not None and w.new != w.old
            ]
            alike = len({w.grad for w in these}) == 1 and these[0].grad
            if serial in updates and alike and len(changes) > 1:
                noise = updates[serial].noise
                if all(abs(c - changes[0]) <= noise for c in changes) and abs(changes[0]) > 4 * noise:
                    again.append(serial)
                    times = len(changes)
        if not again:
            return []
        return self._note("updated-twice", step, writes[again[0]][-1].place, again, str(times))

    @property
    def updates(self) -> Kept:
        """What is known of the first updates, for a picture of one."""
        return Kept(self.kept, {m.step: m.rule for m in self.measured}, self.names, self.betas)

    # At the end ------------------------------------------------------------------------------------------

    def finish(self) -> list[str]:
        """The script has ended: judge what only the whole run tells. Returns notes that are no findings."""
        verdict = self.adaptive.verdict()
        self.betas = verdict.betas
        # Early updates fit several rules; all of them are the one that is left.
        adapted = {m.step for m in self.measured if m.rule.kind not in WORDS} & set(verdict.rules)
        self.measured = [
            m._replace(rule=verdict.rules[m.step]) if m.step in adapted else m for m in self.measured
        ]
        if verdict.mistake and len(adapted) >= 2:
            for step in sorted(n for n in adapted if n >= verdict.since):
                self._note(verdict.mistake, step, self.where, (), verdict.name)
        self._direction()
        self._decays()
        self._squared()
        return [*self._left_out(), *self._unchanged(), *self._diverged()]

    def _direction(self) -> None:
        """Every update went along the gradient."""
        known = [m.rule.rate for m in self.measured if not math.isnan(m.rule.rate)]
        along = [m.uphill if math.isnan(m.rule.rate) else m.rule.rate < 0 for m in self.measured]
        if all(along) and (known or len(along) >= CHANCE):
            what = f"measured step size {short(known[0])}" if known else "by a rule that is not recognised"
            for m in self.measured:
                self._note("update-sign", m.step, self.where, (), what)

    def _decays(self) -> None:
        """Weight decay with the wrong sign, in every update that has one."""
        decays = [m for m in self.measured if m.rule.kind == "decay"]
        if decays and all(m.rule.second < 0 < m.rule.rate for m in decays):
            for m in decays:
                self._note("decay-sign", m.step, self.where, (), short(m.rule.second))

    def _squared(self) -> None:
        """The square of a step size that stands in the script, in every update."""
        known = [m for m in self.measured if sharp(m.rule)]
        if not known or "update-sign" in self.findings:
            return
        for name in known[0].rates:
            of = [(m, m.rates[name]) for m in known if name in m.rates and m.rates[name] not in (0.0, 1.0)]
            if len(of) < len(known) or any(not _near(m.rule, x * x) for m, x in of):
                continue
            if any(_near(m.rule, x) for m, _ in of for x in m.rates.values()):
                continue
            sure = min(of, key=lambda pair: pair[0].rule.error)
            what = f"{short(sure[0].rule.rate)}, though {name} is {short(sure[1])}"
            for m, _ in of:
                self._note("rate-squared", m.step, self.where, (), what)

    def _left_out(self) -> list[str]:
        """Leaves with a gradient that never change, beside others that are updated.

        Where an object holds them together with updated ones, as a neuron holds weights and bias, or where the
        script clears their gradients one by one, they were forgotten. Whole objects may be frozen: a note.
        """
        if self.intervals < 2:
            return []
        owners = {self.owners.get(s, 0) for s in self.updated} - {0}
        cleared = self.zeroed if self.zeroed & self.updated else set()
        still = [s for s, n in self.nonzero.items() if n >= max(2, self.intervals) and s not in self.updated]
        left = [
            s
            for s in still
            if self.owners.get(s, 0) in owners or (s in cleared and not self.owners.get(s, 0))
        ]
        if left:
            self._note("not-updated", 1, self.where, left)
            self.forgotten = frozenset(left)
        whole = [s for s in still if s not in left and self.owners.get(s, 0)]
        if not whole:
            return []
        names = listed(tuple(self.names.get(s, "a value") for s in sorted(whole)), 2)
        return [f"frozen, or forgotten? {names}: a gradient in every step, and never an update"]

    def _unchanged(self) -> list[str]:
        """A loop that clears gradients and never changes a number."""
        n = len(self.losses)
        if self.intervals or n < 3 or self.findings or not self.zeroed or len(set(self.losses)) > 1:
            return []
        return [
            f"no parameter changes: the loss is {short(self.losses[0])} in all {n} steps. (An update sets p.data; "
            "assigning to the variable makes another value.)"
        ]

    def _diverged(self) -> list[str]:
        """A loss that runs away while the script does what PyTorch does."""
        if self.intervals < 2 or self.findings:
            return []
        first, last = abs(self.losses[0]), abs(self.losses[-1])
        if last <= RUNAWAY * max(first, 1.0):
            return []
        return [
            f"the loss goes from {short(self.losses[0])} to {short(self.losses[-1])}: "
            "it diverges, as it would in PyTorch; try a smaller step size"
        ]

    @property
    def summary(self) -> list[str]:
        """The update rule in words, for notes."""
        return in_words([m.rule for m in self.measured])

    def _note(
        self,
        slug: str,
        step: int,
        place: Place | None,
        leaves: Iterable[int] = (),
        what: str = "",
        leaf: int | None = None,
    ) -> list[str]:
        """Remember a finding, or one step more of it; returns its slug in a list."""
        known = self.findings.get(slug)
        if known is not None:
            known.steps.append(step)
            return [slug]
        some = sorted(leaves)
        names = tuple(self.names.get(s, "") for s in some)
        if not all(names):
            names = tuple(filter(None, names)) if any(names) else ()
        if leaf is None and some:
            leaf = some[0]
        self.findings[slug] = Finding(slug, step, place, names, what, leaf, [step])
        return [slug]


def _back(writes: Sequence[Write]) -> bool:
    """Whether data that was set more than once is where it was, up to the rounding of going there and back."""
    old, new = writes[0].old, writes[-1].new
    assert old is not None and new is not None
    far = max(abs(w.new - old) for w in writes if w.new is not None)
    return abs(new - old) <= 1e-12 * (abs(old) + far) < far


def _near(found: Rule, rate: float) -> bool:
    """Whether a measured step size is this one, as far as it is known."""
    return abs(found.rate - rate) <= 2 * found.error + AGREE * abs(rate)
