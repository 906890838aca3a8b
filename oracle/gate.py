"""The gate: what --baseline, --update-baseline and --benchmark make of a check that has ended."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from oracle import benchmark, compare
from oracle.baseline import Baseline, BaselineError, read, write
from oracle.benchmark import Timing
from oracle.report import Report
from oracle.reports import changes, words
from oracle.reports.clean import no_command

NO = ("", "0", "false", "no", "off")


@dataclasses.dataclass(frozen=True)
class Gate:
    """One run's baseline. path: its file, or None; old: what is in it; update: whether it is written anew."""

    path: Path | None = None
    old: Baseline | None = None
    update: bool = False

    @classmethod
    def open(cls, path: str | None, update: bool, environment: Mapping[str, str]) -> Gate:
        """Read the baseline before anything runs. Raises BaselineError, a sentence, for exit code 2."""
        if path is None:
            if update:
                raise BaselineError(
                    "--update-baseline: there is no baseline to update; name it with --baseline FILE"
                )
            return cls()
        if update and environment.get("CI", "").lower() not in NO:
            raise BaselineError(
                "--update-baseline: not in CI (the variable CI is set), where every change would be accepted unread; "
                "update the baseline on your machine and commit the file"
            )
        file = Path(path)
        return cls(file, None if update and not file.exists() else read(file), update)

    def decides(self, timing: Timing) -> bool:
        """Whether a timing fails the gate, or goes into the baseline: then it is worth another look."""
        before = self.old.speed.get(timing.name) if self.old is not None else None
        return self.update or (before is not None and compare.slower(before, timing.ratio))

    def settle(
        self, report: Report, timings: Sequence[Timing], today: date
    ) -> tuple[Report, tuple[str, ...]]:
        """The report with its last exit code, and the blocks of text that come after its screen.

        Writes the baseline where it is to be updated. Raises BaselineError when that cannot be done.
        """
        blocks = [benchmark.render(timings)] if timings else []
        report = dataclasses.replace(report, notes=(*report.notes, *map(benchmark.sentence, timings)))
        if self.path is None:
            return report, tuple(blocks)
        if report.exit_code not in (0, 1):
            blocks.append(
                f"{words.MARKS['note']} Nothing was compared with {self.path.name}: the check is not complete.\n"
            )
            return report, tuple(blocks)
        speed, old = benchmark.ratios(timings), self.old
        if self.update:
            new = Baseline.of(report, speed)
            new = new.keeping(self.old) if self.old else new
            self._write(self.path, new)
            blocks.append(self._updated(report, speed, today))
            old = new
        assert old is not None
        report = compare.judged(report, old, str(self.path), compare.compare(report, old, today, speed))
        if report.baseline is not None:
            blocks.append(changes.render(report.baseline))
        return report, tuple(blocks)

    def _updated(self, report: Report, speed: Mapping[str, float], today: date) -> str:
        assert self.path is not None
        if self.old is None:
            return f"{words.MARKS['note']} {self.path.name} is new: it accepts everything that was found.\n"
        found = compare.compare(report, self.old, today, speed)
        lines = [f"{words.MARKS['note']} {self.path.name} is updated. What changed:"]
        lines += [f"  {change.text}" for change in found] or ["  nothing"]
        return no_command("\n".join(lines)) + "\n"

    @staticmethod
    def _write(path: Path, new: Baseline) -> None:
        try:
            write(path, new)
        except OSError as problem:
            raise BaselineError(f"{path}: cannot be written ({problem.strerror})") from None
