"""The folder of results: a page and a JSON report for each submission, and what a later run goes on from.

DIR/index.html, grade.json        the class
DIR/NAME.html, NAME.json          one submission, as its reader may see it
DIR/.oracle/NAME.json.gz          the whole report and the key of what it depends on; for the grader alone
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from pathlib import Path
from secrets import token_hex

from oracle.grade.job import ORACLE, Graded, Job
from oracle.report import Report
from oracle.reports import json_
from oracle.reports.json_ import ReportError
from oracle.reports.writing import write_bytes, write_text

STATE = ".oracle"
OURS = ("index", "grade")


def file_name(name: str) -> str:
    """A submission's name as that of a file, without ending: unchanged where it is harmless, else marked."""
    plain = re.sub(r"[^\w.+-]", "_", name, flags=re.ASCII).lstrip(".-")[:80]
    if plain == name and name.lower() not in OURS and name == name.lower():
        return name
    return f"{plain or 'submission'}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"


class Store:
    """One folder of results. Raises OSError when it cannot be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / STATE
        self.state.mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o700)  # whole reports, whatever their readers may see
        write_text(self.state / ".gitignore", "*\n")

    def seed(self) -> str:
        """The class's token where nobody gives one: kept, so that a later run makes the same random programs."""
        file = self.state / "seed"
        if not file.exists():
            write_text(file, token_hex(4))
        return file.read_text(encoding="utf-8").strip()

    def earlier(self, job: Job) -> tuple[Report | None, bool]:
        """The report of an earlier run that this job would give again, and whether its page is there, too."""
        file = file_name(job.submission.name)
        try:
            kept = json.loads(gzip.decompress((self.state / f"{file}.json.gz").read_bytes()))
            if kept["key"] != job.key:
                return None, False
            report = json_.from_json(kept["report"])
            pages = all((self.folder / f"{file}.{ending}").is_file() for ending in ("html", "json"))
            return report, pages and kept["page"] == job.page_key
        except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, ReportError):
            return None, False  # never there, or not whole: it is done again

    def keep(self, job: Job, graded: Graded) -> None:
        """Write a submission's page and report, and remember them unless the oracle failed."""
        file = file_name(job.submission.name)
        write_text(self.folder / f"{file}.html", graded.page)
        write_text(self.folder / f"{file}.json", graded.text)
        kept = self.state / f"{file}.json.gz"
        if graded.report.exit_code == ORACLE:
            kept.unlink(missing_ok=True)
            return
        whole = f'{{"key":"{job.key}","page":"{job.page_key}","report":{graded.whole.rstrip()}}}\n'
        write_bytes(kept, gzip.compress(whole.encode(), compresslevel=1, mtime=0))
