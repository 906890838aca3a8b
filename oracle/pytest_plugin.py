"""The suite as pytest tests: `pytest --oracle-subject engine.py`, one test a case, named `engine.py::level/name`.

Without that option the plugin adds its options and fixtures and imports nothing of the oracle. With it the whole
suite is run once, when the first test starts: a case is judged by what the others show, so that its outcome is
the same whichever tests are selected. Under pytest-xdist the controller does that before its workers start, and
sends them the report: one run of the engine, one truth.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from oracle.report import Report
    from oracle.reports.results import Result

WHOLE = "whole/conforms"
"""The test of the engine as a whole: it fails exactly when `oracle check` would, also by what no case stands for, such
as a change since the baseline."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("oracle", "an autograd engine under the oracle's test")
    add = group.addoption
    add("--oracle-subject", metavar="TARGET", help="test this engine: FILE[:Class], a folder or a module")
    add("--oracle-profile", choices=("lecture", "torch"), default="lecture", help="what is demanded")
    add(
        "--oracle-require",
        default="",
        metavar="LIST",
        help="ops, forms and policies demanded besides, by comma",
    )
    add("--oracle-strict", action="store_true", help="imprecise rules fail, too")
    add("--oracle-baseline", metavar="FILE", help="fail by what changed since this file was written")
    add("--oracle-timeout", type=float, default=5.0, metavar="S", help="seconds for one case")
    add("--oracle-allow-import", action="append", default=[], metavar="NAME", help="e.g. numpy; repeatable")
    add("--oracle-benchmark", action="store_true", help="time the engine and minigrad with pytest-benchmark")


def pytest_configure(config: pytest.Config) -> None:
    target = config.getoption("--oracle-subject")
    if target is not None:
        config.pluginmanager.register(Conformance(config, target), "oracle-conformance")


# Fixtures for tests of one's own -----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def assert_matches_torch() -> Callable[..., None]:
    """`oracle.assert_matches_torch`: assert that a function has PyTorch's value and gradients."""
    import oracle

    return oracle.assert_matches_torch


@pytest.fixture(scope="session")
def oracle_check() -> Callable[..., Report]:
    """`oracle.check`: judge an engine, by its class or its file, in a process of its own."""
    import oracle

    return oracle.check


# The suite as tests ------------------------------------------------------------------------------------------


class Conformance:
    """What the plugin does when there is a subject; an object with pytest's hooks."""

    def __init__(self, config: pytest.Config, target: str) -> None:
        """Raises pytest.UsageError for options that cannot be used, before anything runs."""
        from oracle import suite
        from oracle.baseline import BaselineError
        from oracle.checking import requirements
        from oracle.gate import Gate
        from oracle.subjects import LoadError
        from oracle.subjects.target import resolve

        self.config, self.target = config, target
        self._report: Report | None = None
        self._results: dict[str, Result] | None = None
        try:
            self.file = resolve(target).file
            self.gate = Gate.open(config.getoption("--oracle-baseline"), False, os.environ)
            requirements(config.getoption("--oracle-require"))
        except LoadError as problem:
            raise pytest.UsageError(f"--oracle-subject {problem}") from None
        except BaselineError as problem:
            raise pytest.UsageError(f"--oracle-baseline {problem}") from None
        except ValueError as problem:
            raise pytest.UsageError(f"--oracle-require {problem}") from None
        config.addinivalue_line("markers", "oracle: the conformance suite of minigrad-oracle")
        for level, what in suite.LEVELS.items():
            config.addinivalue_line("markers", f"{level}: the suite's level: {what}")
        if not any(self._names_file(arg) for arg in config.args):
            config.args.append(str(self.file))

    def _names_file(self, arg: str) -> bool:
        return (self.config.invocation_params.dir / arg.partition("::")[0]).resolve() == self.file

    # Collecting ----------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
        """The engine's file is the suite and nothing else: as a module of tests it would be imported here, but
        its code runs in the worker alone. For the same reason it is a child of the session, not of its package.
        """
        found = yield
        if file_path.resolve() != self.file:
            return found
        collector: Engine = Engine.from_parent(parent.session, path=self.file)
        collector.conformance = self
        return [collector]

    # Checking ------------------------------------------------------------------------------------------------

    def report(self) -> Report:
        """The report, made when it is first asked for. A worker of xdist has it from its controller."""
        if self._report is None:
            sent = getattr(self.config, "workerinput", {}).get("oracle_report")
            self._report = self._check() if sent is None else _loads(sent)
        return self._report

    def _check(self) -> Report:
        from datetime import date

        from oracle import suite
        from oracle.api import check
        from oracle.subjects import LoadError
        from oracle.unfinished import not_run

        option = self.config.getoption
        profile = option("--oracle-profile")
        try:
            report = check(
                self.target,
                profile=profile,
                require=option("--oracle-require"),
                strict=option("--oracle-strict"),
                timeout=option("--oracle-timeout"),
                allow_imports=option("--oracle-allow-import"),
            )
        except LoadError as problem:
            return not_run(self.target, suite.cases(), profile, 3, str(problem))
        return self.gate.settle(report, [], date.today())[0]

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """xdist: give a worker the report on its way."""
        from oracle.reports.json_ import dumps

        node.workerinput["oracle_report"] = dumps(self.report())

    def result(self, name: str) -> Result | None:
        """What is to say about a case, in the words of test reporters."""
        if self._results is None:
            from oracle.reports.results import results

            found = results(self.report())
            self._results = {
                case.name: result for case, result in zip(self.report().cases, found, strict=False)
            }
        return self._results.get(name)

    def rest(self) -> list[Result]:
        """Results that no case stands for."""
        from oracle.reports.results import results

        return results(self.report())[len(self.report().cases) :]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The verdict in a sentence, and the comparison with the baseline, announcements included."""
        if self._report is None:  # nothing was run
            return
        from oracle.reports import changes, facts, words
        from oracle.reports.clean import no_command

        mark, headline = facts.verdict(self._report)
        terminalreporter.section("oracle")
        terminalreporter.line(no_command(f"{words.MARKS[mark]} {headline}"))
        if self._report.baseline is not None:
            terminalreporter.write(changes.render(self._report.baseline))
        if self._report.exit_code == 1:
            terminalreporter.line(no_command(f"all of it: {facts.rerun(self._report)}"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """What is to say is said of the engine's own file and line, not of a line of this plugin."""
        report = yield
        if isinstance(item, CaseItem):
            file, line = item.place or (str(item.path), 1)
            if report.failed and item.place is not None:
                report.location = (_relative(file, item.config), line - 1, report.location[2])
            if report.skipped and isinstance(report.longrepr, tuple):
                report.longrepr = (file, line, report.longrepr[2])
        return report


class Engine(pytest.File):
    """The engine's file as pytest sees it: a collector of cases."""

    conformance: Conformance

    def collect(self) -> Iterator[pytest.Item]:
        from oracle import suite

        for case in suite.cases():
            yield self._item(case.name, case.level)
        yield self._item(WHOLE)
        if self.config.getoption("--oracle-benchmark"):
            from oracle.pytest_benchmarks import items

            yield from items(self, self.conformance.target)

    def _item(self, name: str, *markers: str) -> CaseItem:
        item: CaseItem = CaseItem.from_parent(self, name=name)
        item.conformance = self.conformance
        for marker in ("oracle", *markers):
            item.add_marker(marker)
        return item


class CaseItem(pytest.Item):
    """One case as a test; the last of them is WHOLE. place: the engine's file and line, when it failed there."""

    conformance: Conformance
    place: tuple[str, int] | None = None

    def runtest(self) -> None:
        if self.name == WHOLE:
            self._whole()
            return
        from oracle.reports.clean import no_command

        result = self.conformance.result(self.name)
        if result is not None and result.file and result.line:
            self.place = (result.file, result.line)
        if result is None or result.status == "skipped":
            pytest.skip(no_command(result.message) if result else "not run")
        if result.status != "passed":
            raise Failed(_text(result))

    def _whole(self) -> None:
        from oracle.reports import facts

        report = self.conformance.report()
        if report.exit_code:
            said = [facts.verdict(report)[1]]
            said += [_text(result) for result in self.conformance.rest() if result.status != "passed"]
            raise Failed("\n\n".join(dict.fromkeys(said)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return str(excinfo.value) if isinstance(excinfo.value, Failed) else super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, 0, self.name


class Failed(Exception):
    """A case that failed; the message, in which nothing is a command to CI, is all that a reader gets to see."""

    def __init__(self, message: str) -> None:
        from oracle.reports.clean import no_command

        super().__init__(no_command(message))


def _text(result: Result) -> str:
    """A failure in words; the last line names the place in the form that editors make a link of."""
    text = (result.text or result.message).rstrip()
    if not text.startswith(result.message[:20]):
        text = f"{result.message}\n{text}"
    if result.file:
        text += f"\n\n{result.file}:{result.line or 1}: {result.message.split(' (')[0]}"
    return text


def _relative(file: str, config: pytest.Config) -> str:
    path = Path(file)
    return str(path.relative_to(config.rootpath)) if path.is_relative_to(config.rootpath) else file


def _loads(text: str) -> Report:
    from oracle.reports.json_ import loads

    return loads(text)
