"""JSON from a file that people edit, read with distrust: every complaint begins with the path of the bad field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

T = TypeVar("T")


class FieldError(ValueError):
    """A field that is not what it has to be; the message is a sentence that begins with the field's path."""


@dataclass(frozen=True)
class Field:
    """A piece of JSON and where it stands: `Field(data)["accepted"]` has the path "accepted"."""

    data: Any
    path: str = ""

    def __getitem__(self, key: str) -> Field:
        """A member that has to be there."""
        found = self.get(key)
        if found is None:
            raise FieldError(f"{self._below(key)}: missing")
        return found

    def get(self, key: str) -> Field | None:
        """A member, or None where there is none."""
        if not isinstance(self.data, dict):
            raise self.error("an object")
        return Field(self.data[key], self._below(key)) if key in self.data else None

    def _below(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def error(self, expected: str) -> FieldError:
        found = "null" if self.data is None else f"{type(self.data).__name__} {str(self.data)[:40]!r}"
        return FieldError(f"{self.path or 'the file'}: expected {expected}, found {found}")

    def only(self, *keys: str) -> None:
        """Refuse members with other names: one that is misspelt would be ignored without a word."""
        for key, field in self.items():
            if key not in keys:
                raise FieldError(f"{field.path}: unknown; the fields here are {', '.join(keys)}")

    def optional(self, read: Callable[[Field], T]) -> T | None:
        return None if self.data is None else read(self)

    def items(self) -> Iterator[tuple[str, Field]]:
        if not isinstance(self.data, dict):
            raise self.error("an object")
        return ((key, Field(value, self._below(key))) for key, value in self.data.items())

    def each(self, read: Callable[[Field], T]) -> tuple[T, ...]:
        if not isinstance(self.data, list):
            raise self.error("a list")
        return tuple(read(Field(x, f"{self.path}[{i}]")) for i, x in enumerate(self.data))

    def text(self) -> str:
        if not isinstance(self.data, str):
            raise self.error("a string")
        return self.data

    def one_of(self, words: tuple[str, ...]) -> Any:
        if self.data not in words:
            raise self.error(f"one of {', '.join(words)}")
        return self.data

    def count(self) -> int:
        if type(self.data) is not int or self.data < 0:
            raise self.error("a whole number, 0 or more")
        return self.data

    def size(self) -> float:
        """A number that is 0 or more; "inf" stands for infinity, which JSON cannot write."""
        if self.data == "inf":
            return float("inf")
        if type(self.data) not in (int, float) or not self.data >= 0:
            raise self.error('a number, 0 or more, or "inf"')
        return float(self.data)

    def yes_no(self) -> bool:
        if not isinstance(self.data, bool):
            raise self.error("true or false")
        return self.data

    def day(self) -> date:
        """An ISO date, e.g. "2027-01-31"."""
        try:
            return date.fromisoformat(self.text())
        except ValueError:
            raise self.error("a date such as 2027-01-31") from None
