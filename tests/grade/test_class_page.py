"""The index of a class: what it says, where it links, inert, and good in a real browser at both widths."""

from __future__ import annotations

import dataclasses
import html
import json
import re
import subprocess
from pathlib import Path

import pytest

from oracle.grade.store import file_name
from oracle.report import Report
from oracle.reports import class_, class_page
from oracle.reports.class_ import Entry
from oracle.rubric import parse
from tests.reports import examples
from tests.reports.test_html import CHROMIUM, MEASURE, Page

RUBRIC = parse("[levels]\nforward = 3\ngraph = 1\n")


def entry(name: str, report: Report) -> Entry:
    return Entry(name, f"class/{name}.py", file_name(name), report)


def classroom(name: str = "") -> list[Entry]:
    """Eleven that overwrite, three with everything wrong, five that conform, two that cannot be loaded."""
    overwrites = examples.report(examples.overwrite())
    found = [(f"o{n}", overwrites) for n in range(11)] + [(f"f{n}", examples.faulty()) for n in range(3)]
    found += [(f"c{n}", examples.correct()) for n in range(5)] + [
        (f"u{n}", examples.unusable()) for n in range(2)
    ]
    return [entry(f"{short}{name}", RUBRIC.scored(report)) for short, report in found]


def test_what_is_said_first() -> None:
    assert class_.headline(classroom()) == "21 submissions: 5 conform, 14 do not, 2 could not be loaded."
    found = class_.groups(classroom())
    sizes = [(group.sentence, len(group.members)) for group in found]
    assert sizes[0] == ("mul overwrites its operand's gradient instead of adding to it", 14)
    assert sizes[-1] == ("could not be loaded, or has no backward to test", 2)
    assert ("wrong numbers without an explanation", 3) in sizes


def test_one_defect_with_different_numbers_is_one_group() -> None:
    causes = [
        dataclasses.replace(
            examples.leaky(), message=f"tanh computes a wrong value: at {x} it gives 2, right is 3"
        )
        for x in (1, 7)
    ]
    found = class_.groups([entry(str(i), examples.report(cause)) for i, cause in enumerate(causes)])
    assert [(group.sentence, len(group.members)) for group in found] == [("tanh computes a wrong value", 2)]


def test_cells_link_to_the_cause_of_that_level() -> None:
    page = class_page.render(classroom())
    assert 'href="./o3.html#cause-1" title="accumulate: 0 of 2 cases passed"' in page
    assert 'href="./c1.html#cases" title="scalar: 3 of 3 cases passed"' in page
    assert 'href="./f1.html#cause-2"' in page
    links = re.findall(r'href="([^"]+)"', page)
    assert all(re.fullmatch(r"\./[\w%.+-]+\.html(#(cause-\d+|cases))?|#group-\d+", link) for link in links)
    for number in re.findall(r'href="#group-(\d+)"', page):
        assert f'id="group-{number}"' in page
    assert "0 / 4" in page or "/ 4" in page


def test_bars_are_as_long_as_they_are_many() -> None:
    page = class_page.render(classroom())
    widths = [
        float(x)
        for x in re.findall(
            r'<rect class="\w+" x="0" y="0" width="([\d.]+)" height="10"></rect></svg></div>', page
        )
    ]
    assert (
        widths[0] == 100
        and widths[1] == round(100 * 3 / 14, 2)
        and len(widths) == len(class_.groups(classroom()))
    )


def self_contained(text: str) -> Page:
    page = Page(text)
    assert not set(page.tags) & {"script", "link", "iframe", "object", "embed", "form", "img", "base"}
    for name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("href", "src"):
            assert re.match(r"\./|#", value or "")
    assert "url(" not in text and "@import" not in text
    return page


@pytest.mark.parametrize("hostile", examples.HOSTILE)
def test_hostile_names_are_inert(hostile: str) -> None:
    entries = [
        dataclasses.replace(e, report=examples.poison(e.report, hostile), path=e.path + hostile)
        for e in classroom(hostile)
    ]
    text = class_page.render(entries)
    plain = self_contained(class_page.render(classroom("x")))
    assert self_contained(text).tags.count("td") == plain.tags.count("td")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202e]", text)
    assert not examples.commands(text) and not examples.commands(class_.screen(entries))
    class_.to_csv(entries).encode()


def test_the_check_of_inertness_can_fail() -> None:
    page = class_page.render(classroom())
    for bad in ("<script></script>", '<a href="http://x">y</a>', '<p onclick="x">z</p>'):
        with pytest.raises(AssertionError):
            self_contained(page.replace("</main>", f"{bad}</main>"))


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A1", "+1", "-2", "@x"])
def test_no_cell_of_the_table_is_a_formula(name: str) -> None:
    rows = class_.to_csv([Entry(name, name, "x", examples.correct())]).splitlines()
    assert len(rows) == 2 and not re.search(r'(^|,)"?[=+@-]', rows[1])


def test_an_empty_class() -> None:
    assert "0 submissions" in class_page.render([])


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium to look with")
def test_in_a_browser(tmp_path: Path) -> None:
    """At 360 and 1,600 pixels nothing overflows, names run nothing, the console is silent, nothing is requested."""
    assert CHROMIUM is not None
    pages = {
        "class": classroom(),
        "hostile": classroom(" ".join(examples.HOSTILE)),
        "long": classroom("x" * 200),
    }
    frames = ""
    for name, entries in pages.items():
        (tmp_path / f"{name}.html").write_text(class_page.render(entries), encoding="utf-8")
        for width in (360, 1600):
            style = f"border:0;width:{width}px;height:900px"
            frames += f'<iframe id="{name}{width}" src="{name}.html" style="{style}"></iframe>'
    (tmp_path / "measure.html").write_text(MEASURE % frames, encoding="utf-8")
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--allow-file-access-from-files", "--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}",
        f"--log-net-log={tmp_path / 'net.json'}", "--dump-dom", (tmp_path / "measure.html").as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = json.loads(html.unescape(re.search(r'<pre id="out">(.*?)</pre>', done.stdout, re.DOTALL)[1]))  # type: ignore[index]
    bars = len(class_.groups(classroom())) + 1
    for name in pages:
        for width in (360, 1600):
            seen = found[f"{name}{width}"]
            assert seen["width"] >= width - 20
            assert seen["content"] <= width, f"{name} is {seen['content']} wide at {width}"
            assert seen["scripts"] == seen["bold"] == 0 and not seen["touched"] and seen["svg"] == bars
    assert not [line for line in done.stderr.split("\n") if "CONSOLE" in line]
    events = (tmp_path / "net.json").read_text(encoding="utf-8", errors="replace")
    assert not [url for url in re.findall(r'"url":"(https?://[^"]+)"', events) if "google" not in url]
