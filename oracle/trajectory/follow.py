"""Following a training loop from backward to backward: its parameters, their updates, its mistakes.

Every step is judged from the script's own state: what was used is compared with what backward had left, never
with a run of ours. A run that goes another way than PyTorch's because of rounding is no mistake.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from oracle.floats import short
from oracle.trajectory.events import BackwardCall, Interval, Place, Write
from oracle.trajectory.findings import Finding
from oracle.trajectory.measure import Rule, Update, Updates, proportional, rule, uphill

HISTORY = 12
"""Intervals kept for rules that remember, such as momentum."""

AGREE = 1e-6
"""A measured step size is a named one when it is this near (relative)."""


class Trajectory:
    """Feed it every backward call, then the interval after the last one; `findings` is what was seen."""

    def __init__(self) -> None:
        self.findings: dict[str, Finding] = {}
        self.rules: list[tuple[int, Rule]] = []
        self.names: dict[int, str] = {}
        self.owners: dict[int, int] = {}
        self.history: list[Updates] = []
        self.updated: set[int] = set()
        self.zeroed: set[int] = set()
        self.nonzero: Counter[int] = Counter()
        self.intervals = 0
        self.last: BackwardCall | None = None
        self.roots: set[int] = set()
        self.uphill: list[bool] = []
        self.where: Place | None = None
        self.rates: dict[str, float] = {}

    def feed(self, call: BackwardCall, resets: bool) -> list[str]:
        """One more backward call. resets: the engine sets old gradients to 0. Returns the mistakes it shows."""
        self._learn(call.interval)
        shown: list[str] = []
        moved = {call.serials[i] for i in call.moved}
        if self.last is not None:
            updates = self._interval(call.step, call.interval, moved)
            if not resets and not moved:
                shown += self._stale(call, updates)
            shown += self._graph(call, moved)
        elif moved:
            shown += self._graph(call, moved)
        for i in range(call.leaves):
            if call.grad[i]:
                self.nonzero[call.serials[i]] += 1
        self.last = call
        self.roots.add(call.root)
        return shown

    def finish(self, interval: Interval) -> None:
        """The script has ended: judge the last update, and what is known only now."""
        self._learn(interval)
        if self.last is not None:
            self._interval(self.last.step + 1, interval, set())
        self._direction()
        self._left_out()

    @property
    def summary(self) -> list[str]:
        """The update rule in words, for notes."""
        kinds: defaultdict[str, list[Rule]] = defaultdict(list)
        for _, found in self.rules:
            kinds[found.kind].append(found)
        if not kinds:
            return []
        kind, most = max(kinds.items(), key=lambda item: len(item[1]))
        rates = [r.rate for r in most]
        said = most[-1].words
        if kind == "sgd" and min(rates) != max(rates):
            said = f"gradient descent, step size {short(rates[0])} to {short(rates[-1])}"
        n = len(self.rules)
        others = f", {len(most)} of them" if len(most) < n else ""
        return [f"{n} update{'s' if n > 1 else ''}{others}: {said}"]

    # Between two backward calls --------------------------------------------------------------------------

    def _learn(self, interval: Interval) -> None:
        self.names.update(interval.names or {})
        self.owners.update(interval.owners or {})
        self.rates.update(interval.rates or {})

    def _interval(self, step: int, interval: Interval, moved: set[int]) -> Updates:
        """What became of the parameters after the backward before `step`."""
        assert self.last is not None
        left = dict(zip(self.last.serials[: self.last.leaves], self.last.grad, strict=False))
        writes: defaultdict[int, list[Write]] = defaultdict(list)
        for write in interval.writes:
            if write.serial not in left:
                continue
            if write.what == "data":
                writes[write.serial].append(write)
            elif write.new == 0:
                self.zeroed.add(write.serial)
        updates: dict[int, Update] = {}
        for serial, these in writes.items():
            old, new, grad = these[0].old, these[-1].new, these[0].grad
            if old is None or new is None or grad is None or (len(these) > 1 and old == new):
                continue
            updates[serial] = Update(old, new, grad)
            self.updated.add(serial)
            self.where = these[-1].place
        if not updates:
            return updates
        self.intervals += 1
        self._early(step, updates, left, writes, interval)
        self._twice(step, updates, writes)
        useful = {s: u for s, u in updates.items() if u.grad or u.change}
        if any(u.change for u in useful.values()) and not moved:
            found = rule(useful, self.history)
            self.rules.append((step, found))
            self.uphill.append(uphill(useful))
            if found.kind == "late momentum":
                self._late(step, found)
            if found.kind == "unknown":
                self._exchanged(step, useful)
        self.history = [*self.history, updates][-HISTORY:]
        return updates

    def _early(
        self,
        step: int,
        updates: Updates,
        left: Mapping[int, float | None],
        writes: Mapping[int, list[Write]],
        interval: Interval,
    ) -> None:
        had = [s for s in updates if left.get(s)]
        if had and all(updates[s].grad == 0 for s in had):
            place = next((w.place for w in interval.writes if w.what == "grad" and w.serial in had), None)
            self._note("zero-grad-too-early", step, place, had)

    def _twice(self, step: int, updates: Updates, writes: Mapping[int, list[Write]]) -> None:
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
        if again:
            self._note("updated-twice", step, writes[again[0]][-1].place, again, str(times))

    def _late(self, step: int, found: Rule) -> None:
        self._note("momentum-late", step, self.where, (), found.words)

    def _exchanged(self, step: int, updates: Updates) -> None:
        """Parameters whose change is a multiple of each other's gradients."""
        if len(updates) < 3:
            return
        serials = list(updates)
        rates = Counter(
            float(f"{-u.change / u.grad:.9g}") for u in updates.values() if u.grad and math.isfinite(u.change)
        )
        if not rates:
            return
        (rate, n) = rates.most_common(1)[0]
        odd = [
            s
            for s in serials
            if abs(updates[s].change + rate * updates[s].grad) > 1e-8 * abs(updates[s].change)
        ]
        if n < 2 or not odd or len(odd) > n:
            return
        grads = [u.grad for u in updates.values()]
        if all(
            any(abs(updates[s].change + rate * g) <= 1e-8 * abs(updates[s].change) for g in grads)
            for s in odd
        ):
            self._note("gradient-of-another", step, self.where, odd)

    # At a backward ---------------------------------------------------------------------------------------

    def _stale(self, call: BackwardCall, updates: Updates) -> list[str]:
        """Gradients that an update has used, and that are still there when the next backward begins."""
        before = dict(zip(call.serials[: call.leaves], call.before, strict=False))
        used = {s: u for s, u in updates.items() if u.grad and s in before}
        stale = [s for s, u in used.items() if before[s] == u.grad]
        if not stale:
            return []
        cleared = [s for s in used if not before[s]]
        others = {w.serial for w in call.interval.writes if w.what == "grad" and w.new == 0} - set(updates)
        places = [w.place for w in call.interval.writes if w.what == "grad" and w.new == 0]
        places += [place for what, place in call.interval.elsewhere if what == "grad"]
        if cleared or others or places:
            some = stale if cleared else ()
            self._note(
                "zero-grad-of-others", call.step + 1, places[0] if places else None, some, leaf=stale[0]
            )
            return ["zero-grad-of-others"]
        self._note("zero-grad-forgotten", call.step + 1, self.where, leaf=stale[0])
        return ["zero-grad-forgotten"]

    def _graph(self, call: BackwardCall, moved: set[int]) -> list[str]:
        """A graph older than its parameters, in whole or in part."""
        old = [s for s in call.serials[call.leaves :] if s < call.since]
        slug, place = "", call.place
        if old and (self.updated or moved):
            drags = (self.roots & set(call.serials)) - {call.root}
            if call.root < call.since and moved:
                slug = "graph-not-rebuilt"
            elif drags and (moved or self.updated):
                slug = "loss-accumulated"
            elif moved:
                slug = "graph-not-rebuilt"
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

    # At the end ------------------------------------------------------------------------------------------

    def _direction(self) -> None:
        """The sign and the size of the step."""
        known = [r for _, r in self.rules if r.kind in ("sgd", "decay", "momentum")]
        measured = [r.rate for r in known]
        if self.uphill and all(self.uphill) and all(rate < 0 for rate in measured):
            what = short(measured[0]) if measured else "unknown"
            self._note("update-sign", self.rules[0][0], self.where, (), what)
        steady = {r.rate for r in known}
        if len(steady) != 1:
            return
        (rate,) = steady
        near = {name for name, x in self.rates.items() if math.isclose(rate, x, rel_tol=AGREE)}
        for name, x in self.rates.items():
            if not near and x not in (0.0, 1.0) and math.isclose(abs(rate), x * x, rel_tol=AGREE):
                what = f"{short(rate)}, though {name} is {short(x)}"
                self._note("rate-squared", self.rules[0][0], self.where, (), what)

    def _left_out(self) -> None:
        """Leaves with a gradient that sit beside updated ones, or that the script clears, and never change."""
        if self.intervals < 2:
            return
        owners = {self.owners.get(s, 0) for s in self.updated} - {0}
        cleared = self.zeroed if self.zeroed & self.updated else set()
        left = [
            s
            for s, n in self.nonzero.items()
            if n >= self.intervals
            and n >= 2
            and s not in self.updated
            and (self.owners.get(s, 0) in owners or s in cleared)
        ]
        if left:
            self._note("not-updated", 1, self.where, left)

    def _note(
        self,
        slug: str,
        step: int,
        place: Place | None,
        leaves: Iterable[int] = (),
        what: str = "",
        leaf: int | None = None,
    ) -> None:
        known = self.findings.get(slug)
        if known is not None:
            known.steps.append(step)
            return
        some = sorted(leaves)
        names = tuple(self.names.get(s, "") for s in some)
        if not all(names):
            names = tuple(filter(None, names)) if any(names) else ()
        if leaf is None and some:
            leaf = some[0]
        self.findings[slug] = Finding(slug, step, place, names, what, leaf, [step])
