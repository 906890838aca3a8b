"""The vocabulary as a table for the documentation: `python -m oracle.vocabulary.table` writes it to README."""

from __future__ import annotations

from pathlib import Path

from oracle.vocabulary import VOCABULARY, Kink, Op

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- vocabulary -->", "<!-- /vocabulary -->"


def markdown() -> str:
    """A row for every op: name, usual spelling, operands, bounds in u = 2^-53, kinks with PyTorch's choice."""
    lines = ["| op | as | bound of value | bound of slope | kinks |", "| --- | --- | --- | --- | --- |"]
    for row in VOCABULARY.values():
        cells = [f"`{row.name}`", f"`{_spelled(row)}`", *map(_bound, (row.value_bound, row.slope_bound))]
        lines.append(f"| {' | '.join([*cells, '; '.join(_kink(row, kink) for kink in row.kinks)])} |")
    return "\n".join(lines)


def _spelled(row: Op) -> str:
    """How it is written with operands a, b and the parameters of PyTorch."""
    if row.symbol is not None:
        return f"{row.symbol}a" if row.arity == 1 else f"a {row.symbol} b"
    given = ["b"][: row.arity - 1]
    given += [name if x is None else f"{name}={_shown(x)}" for name, x in row.parameters.items()]
    return f"a.{row.spellings[0]}({', '.join(given)})"


def _shown(x: object) -> str:
    return f"{x:g}" if isinstance(x, float) else repr(x)


def _bound(bound: object) -> str:
    return str(bound).replace("|", "\\|")


def _kink(row: Op, kink: Kink) -> str:
    where = f"{kink.point[0]:g}" if row.arity == 1 else "a = b"
    return f"{where}: {kink.torch:.4g} of [{kink.low:.4g}, {kink.high:.4g}]"


def between_markers(text: str) -> str:
    """The part of a text that the table stands in."""
    return text.partition(BEGIN)[2].partition(END)[0].strip("\n")


def write(path: Path = README) -> None:
    """Put the table between the markers of a file. Raises ValueError when it has none."""
    text = path.read_text(encoding="utf-8")
    before, marker, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (marker and end):
        raise ValueError(f"{path}: expected the lines {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n{markdown()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    write()
