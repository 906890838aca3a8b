"""A class of this process as a target for a worker: the file that defines it, or the cells of a running notebook.

The worker gets source, never the live object, so that an endless loop or a crash in it stays there.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any

from oracle.subjects import LoadError
from oracle.subjects.target import Target, resolve

CELLS = "live_cells"
"""Module and file name of a notebook's cells, while they are a subject."""


@contextmanager
def target_of(cls: type) -> Iterator[tuple[Target, Callable[[str], str]]]:
    """What a worker loads to get the class, and how texts that name it are spelled for readers.

    Raises LoadError where the source is not kept, TypeError for a class that is no module's or notebook's own.
    """
    if "." in cls.__qualname__:
        raise TypeError(
            f"{cls.__qualname__}: defined inside a function or class; define it at the top of a file or cell"
        )
    code = _code(cls)
    cells = [] if code is None else _cells(code)
    if cells:
        with tempfile.TemporaryDirectory(prefix="oracle-") as folder:
            file = Path(folder).resolve() / f"{CELLS}.ipynb"
            file.write_text(_notebook(cells), encoding="utf-8")
            here = Path.cwd()
            target = Target("", file, CELLS, cls.__name__, (file.parent, here))
            yield target, lambda text: _as_cells(text.replace(f"{here}/", ""), file)
        return
    path = "" if code is None else code.co_filename
    if not Path(path).is_file():
        raise LoadError(
            f"{cls.__name__}: its source is not kept, as it was not defined in a file or a notebook; "
            "save it in a file and check that"
        )
    near = os.path.relpath(path)
    yield (
        resolve(f"{path if near.startswith(os.pardir) else near}:{cls.__name__}"),
        lambda text: text,
    )


def _code(cls: type) -> CodeType | None:
    """The code of one of the class's own methods, which knows where it was compiled."""
    for found in vars(cls).values():
        function = getattr(found, "fget", found)  # a property's getter
        function = getattr(function, "__func__", function)  # a static or class method's
        code = getattr(function, "__code__", None)
        if isinstance(code, CodeType) and function.__module__ == cls.__module__:
            return code
    return None


def _cells(code: CodeType) -> list[str]:
    """All cells that have been run, by number, where the code is from one of them; else none."""
    ipython = sys.modules.get("IPython")
    shell: Any = None if ipython is None else ipython.get_ipython()
    if shell is None or shell.compile.format_code_name(code.co_filename) is None:
        return []
    return list(map(str, shell.user_ns["In"][1:]))


def _notebook(cells: list[str]) -> str:
    """The cells as a notebook: the n-th is In[n]."""
    listed = [{"cell_type": "code", "source": text} for text in cells]
    return json.dumps({"cells": listed, "nbformat": 4, "nbformat_minor": 5})


def _as_cells(text: str, file: Path) -> str:
    """Text about the file of cells, as one about the notebook's own: "In[2]", where it said its second cell."""
    text = text.replace(str(file), "")
    text = re.sub(rf"{CELLS}\.ipynb, cell (\d+)", r"In[\1]", text)
    return text.replace(f"{CELLS}.ipynb:", "").replace(f"{CELLS}.ipynb", "the notebook")
