"""The page: what is on it, in which order, inert, self-contained, and good in a real browser."""

from __future__ import annotations

import dataclasses
import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from oracle.reports import html_, layout
from oracle.reports.clean import clean

from . import examples

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Tags in order, attributes, and text, of a page whose elements are all closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def in_order(text: str, *parts: str) -> bool:
    at = [text.find(part) for part in parts]
    return -1 not in at and at == sorted(at)


def test_the_order_of_the_page() -> None:
    """Verdict with the cause, picture, code, nodes, run, rerun."""
    page = html_.render(examples.report(examples.overwrite()))
    assert in_order(
        page,
        "mul overwrites its operand&#39;s gradient instead of adding to it. a.grad is 3 and should be 6.",
        "1 rule is wrong",
        "Where it goes wrong",
        "Reproduce",
        "L.backward()",
        "Every node",
        "isolation strict",
        "oracle check engine.py --seed 7",
    )
    assert "<script" not in page


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed")
def test_pictures_are_part_of_the_page() -> None:
    page = html_.render(examples.faulty())
    assert page.count("<svg") == 3
    assert in_order(page, "1. mul overwrites", "<svg", "Reproduce", "2. mul pushes", "3. tanh(x)")
    ids = re.findall(r'\bid="([^"]+)"', page)
    boxes = [name for name in ids if re.fullmatch(r"c\dn\d+", name)]
    assert len(boxes) == len(set(boxes)) == 2 + 7 + 5
    assert "<!DOCTYPE svg" not in page and "<?xml" not in page
    assert "prefers-color-scheme:dark" in page


def test_without_a_layout_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "svg", lambda source: (None, layout.NO_ENGINE))
    page = html_.render(examples.faulty())
    assert "<svg" not in page
    assert page.count("Every node") == 3 and "L = a * a" in page


def test_wrong_rows_come_first_in_a_long_table() -> None:
    page = html_.render(examples.report(examples.large((4, 6, 5, 2, 2), squares=True)))
    rows = re.findall(r'<tr class="(culprit|inherited|match)">', page)
    assert len(rows) == 238
    assert rows == sorted(rows, key=["culprit", "inherited", "match"].index)
    assert "224 more" in page


def test_a_correct_engine() -> None:
    page = html_.render(examples.correct())
    assert in_order(
        page, 'class="verdict ok"', "agrees with PyTorch", "Also found", "log(-1) raises", "not exercised"
    )


def test_gradients_that_cannot_be_read() -> None:
    cause = examples.overwrite()
    assert cause.example is not None
    rows = tuple(
        dataclasses.replace(row, grad=None, grad_verdict="unobserved") for row in cause.example.table
    )
    page = html_.render(
        examples.report(dataclasses.replace(cause, example=dataclasses.replace(cause.example, table=rows)))
    )
    assert page.count('<td class="number">not read</td>') == 2


def self_contained(text: str) -> None:
    """Nothing on the page leads out of it, runs, or loads."""
    page = Page(text)
    assert not set(page.tags) & {
        "script",
        "link",
        "iframe",
        "object",
        "embed",
        "form",
        "img",
        "base",
        "image",
        "use",
    }
    for name, value in page.attributes:
        assert not name.startswith("on")
        if name.endswith(("href", "src", "action")):
            assert (value or "").startswith("#")
        assert "javascript:" not in (value or "") or name in ("aria-label", "xlink:title")
    assert "url(" not in text and "@import" not in text


@pytest.mark.parametrize("hostile", examples.HOSTILE)
def test_hostile_text_is_inert(hostile: str) -> None:
    text = html_.render(examples.hostile(hostile))
    self_contained(text)
    shape = Page(html_.render(examples.hostile("x" * bool(clean(hostile))))).tags
    pictures = {"g", "text", "path", "polygon", "title", "a", "polyline", "ellipse"}
    assert [t for t in Page(text).tags if t not in pictures] == [t for t in shape if t not in pictures]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202e]", text)


def test_the_check_of_inertness_can_fail() -> None:
    page = html_.render(examples.faulty())
    for bad in ("<script></script>", '<a href="http://x">y</a>', '<p onclick="x">z</p>'):
        with pytest.raises(AssertionError):
            self_contained(page.replace("</main>", f"{bad}</main>"))


# In a browser --------------------------------------------------------------------------------------------------

MEASURE = """<!doctype html><body><script>
const found = {};
addEventListener("message", e => { found.message = e.data; });
onload = () => {
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument, root = page.documentElement;
    const text = page.querySelector('.picture svg text[font-family="Courier New"]');
    found[frame.id] = {
      width: root.clientWidth, content: root.scrollWidth,
      scripts: page.scripts.length, bold: page.querySelectorAll("b, img").length,
      svg: page.querySelectorAll("svg").length, ground: frame.contentWindow.getComputedStyle(page.body).backgroundColor,
      small: text ? text.getBoundingClientRect().height : 0,
      touched: frame.contentWindow.alerted === true,
    };
  }
  const out = document.createElement("pre");
  out.id = "out"; out.textContent = JSON.stringify(found); document.body.append(out);
};
</script>%s</body>"""


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium to look with")
@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed")
def test_in_a_browser(tmp_path: Path) -> None:
    """At 360 and 1,600 pixels nothing overflows, no text is tiny, hostile text does nothing, the console is
    silent and no request goes out."""
    assert CHROMIUM is not None
    pages = {
        "faulty": examples.faulty(),
        "correct": examples.correct(),
        "large": examples.report(examples.large()),
        "hostile": examples.hostile(" ".join(examples.HOSTILE)),
    }
    frames = ""
    for name, report in pages.items():
        (tmp_path / f"{name}.html").write_text(html_.render(report), encoding="utf-8")
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
    for name in pages:
        for width in (360, 1600):
            seen = found[f"{name}{width}"]
            assert seen["width"] >= width - 20
            assert seen["content"] <= width, f"{name} is {seen['content']} wide at {width}"
            assert seen["scripts"] == seen["bold"] == 0 and not seen["touched"]
            assert seen["svg"] == {"faulty": 3, "correct": 0, "large": 1, "hostile": 3}[name]
            assert name in ("correct", "hostile") or seen["small"] >= 9
    console = [line for line in done.stderr.split("\n") if "CONSOLE" in line]
    assert not console
    events = (tmp_path / "net.json").read_text(encoding="utf-8", errors="replace")
    assert not [url for url in re.findall(r'"url":"(https?://[^"]+)"', events) if "google" not in url]
