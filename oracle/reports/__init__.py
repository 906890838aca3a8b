"""One report, many readers: every format is a pure function from `Report` to text, listed in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from oracle.report import Report

Writer = Callable[[Report], str]


def _lazy(module: str, function: str = "render") -> Writer:
    """A writer whose module is imported when it is first called, so that start-up pays for none."""

    def write(report: Report) -> str:
        text: str = getattr(import_module(f"oracle.reports.{module}"), function)(report)
        return text

    write.__name__ = write.__qualname__ = module.rstrip("_")
    return write


FORMATS: Mapping[str, Writer] = {
    "text": _lazy("text"),
    "json": _lazy("json_", "dumps"),
    "html": _lazy("html_"),
    "junit": _lazy("junit"),
    "github": _lazy("github"),
    "gradescope": _lazy("gradescope"),
    "ctrf": _lazy("ctrf"),
    "sarif": _lazy("sarif"),
    "prairielearn": _lazy("prairielearn"),
    "classroom50": _lazy("classroom50"),
    "pytest": _lazy("pytest_"),
}
"""Name of a format → its writer."""
