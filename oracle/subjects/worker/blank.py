"""Blanks for drawing libraries: a training script's plots cost nothing, and never fail.

Unlike a stand-in (`standin`), which complains when an engine uses it, a blank swallows whatever is done with it.
"""

from __future__ import annotations

import dis
import sys
from importlib.machinery import ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any

if not TYPE_CHECKING:
    ModuleType = type(sys)

DRAWING = {
    "matplotlib",
    "mpl_toolkits",
    "pylab",
    "seaborn",
    "plotly",
    "bokeh",
    "altair",
    "IPython",
    "ipywidgets",
}
DRAWING |= {
    "graphviz",
    "pydot",
    "pygraphviz",
    "networkx",
    "imageio",
    "moviepy",
    "manim",
    "wandb",
    "tensorboardX",
}


class Blank:
    """Anything: call it, index it, unpack it, enter it; numbers that it is asked for are 0."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return BLANK

    def __call__(self, *args: Any, **named: Any) -> Any:
        decorates = len(args) == 1 and not named and callable(args[0]) and not isinstance(args[0], Blank)
        return args[0] if decorates else BLANK

    def __iter__(self) -> Iterator[Blank]:
        """As many as the caller unpacks; none for a loop."""
        frame = sys._getframe(1)
        code, at = frame.f_code.co_code, frame.f_lasti
        unpacks = dis.opname[code[at]] == "UNPACK_SEQUENCE"
        return iter([BLANK] * (code[at + 1] if unpacks else 0))

    def __getitem__(self, key: Any) -> Blank:
        return BLANK

    def __setitem__(self, key: Any, value: Any) -> None: ...

    def __enter__(self) -> Blank:
        return BLANK

    def __exit__(self, *_: object) -> None: ...

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True

    def __float__(self) -> float:
        return 0.0

    def __int__(self) -> int:
        return 0

    def _blank(self, *_: Any) -> Blank:
        return BLANK

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _blank
    __neg__ = _blank


BLANK = Blank()


class BlankModule(ModuleType):
    """A module full of blanks."""

    __all__: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return BLANK


class Finder:
    """Answers the imports of drawing libraries, and of tqdm where it is not installed."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name.partition(".")[0] not in DRAWING:
            return None
        return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return BlankModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        module.__path__ = []
