"""What loads, and the one sentence for everything that does not."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from oracle.case import Backward, Case, Observe
from oracle.program import Program
from oracle.subjects import LoadError, open_subject

from .conftest import ENGINE, Write, changed

CASE = Case("load/mul", Program.build([2.0, -3.0], [("mul", [0, 1])]))

ADD = "    def __add__(self, other):\n        return self\n"

FAILURES = {
    "nothing in it": ("", "engine.py: no class is defined here; an engine is a class such as Value"),
    "no class": ("def f(x):\n    return x\n", "engine.py: no class is defined here"),
    "another class": ("class Config:\n    pass\n", "no engine class found; tried Config(x) raises TypeError"),
    "syntax": (
        "class Value:\n    def f(self:\n",
        f"engine.py, line 2: this is not Python {sys.version_info[0]}.{sys.version_info[1]}: '(' was never closed",
    ),
    "encoding": ("# -*- coding: nonsense -*-\n", ": unknown encoding: nonsense"),
    "import": (
        "\nfrom math import nosuch\n",
        "engine.py, line 2: the import failed: cannot import name 'nosuch'",
    ),
    "error while importing": (
        "class V:\n    x = 1 / 0\n",
        "engine.py, line 2: importing it raises ZeroDivisionError",
    ),
    "constructor": (
        f"class Value:\n    def __init__(self, x):\n        raise ValueError('no, thanks')\n{ADD}",
        "no engine class found; tried Value(x) raises ValueError: no, thanks",
    ),
    "constructor misnamed": (
        f"class Value:\n    def __inti__(self, x):\n        self.data = x\n{ADD}",
        "it defines __inti__, but Python calls __init__",
    ),
    "no number inside": (
        f"class Value:\n    def __init__(self, x):\n        self.name = 'v'\n{ADD}",
        "Value(2.5) has no attribute that holds 2.5",
    ),
    "tensor engine": (
        f"class Tensor:\n    def __init__(self, x):\n        self.data = [x]\n{ADD}",
        "Tensor keeps arrays in 'data': a tensor engine without scalars",
    ),
    "exit": ("import sys\nclass V:\n    sys.exit(0)\n", "line 3: importing it ends the process (SystemExit)"),
    "os._exit": ("import os\nclass V:\n    os._exit(0)\n", "ended by itself, with exit code 0"),
    "killed": ("import os\nclass V:\n    os.kill(os.getpid(), 9)\n", "was killed by SIGKILL"),
    "memory": (
        "class V:\n    x = bytearray(1 << 40)\n",
        "line 2: importing it needs more memory than allowed",
    ),
    "torch inside": (
        f"import torch\nclass Value:\n    def __init__(self, x):\n        self.data = torch.tensor(x)\n{ADD}",
        "the engine calls torch, which is not available to it",
    ),
    "numpy inside": (
        f"import numpy as np\nclass Value:\n    def __init__(self, x):\n        self.data = np.float64(x)\n{ADD}",
        "allow it with --allow-import numpy",
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_failure_is_one_sentence(failure: str, write: Write) -> None:
    text, sentence = FAILURES[failure]
    with pytest.raises(LoadError) as caught:
        open_subject(write(text))
    assert sentence in str(caught.value)
    assert "engine.py" in str(caught.value) and "\n" not in str(caught.value)


def test_endless_loop(write: Write) -> None:
    began = time.perf_counter()
    with pytest.raises(LoadError, match=r"engine.py: loading it did not end within 0.3 s; look for a loop"):
        open_subject(write("class V:\n    while True:\n        pass\n"), start_timeout=0.3)
    assert time.perf_counter() - began < 2


PLACES = {
    "missing.py": "no such file",
    "nothing.here": "neither a file here nor a module",
    "notes.txt": "expected a .py file, a notebook or a folder",
    "empty": "a folder without an engine",
    "engine.py:Vlaue": "there is no class Vlaue here; the classes found: Value",
    "broken.ipynb": "cannot be read: not a notebook",
    "compiled": "_core.so is compiled, and only Python can be looked into: drive it by --exec",
    "helpers": "its only file does not have a class with arithmetic and a backward",
}


@pytest.mark.parametrize("target", PLACES)
def test_no_such_place(target: str, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(ENGINE)
    write("", "notes.txt")
    write('{"cells": 3}', "broken.ipynb")
    (tmp_path / "empty").mkdir()
    write("from ._core import Value\n", "compiled/__init__.py")
    write("", "compiled/_core.so")
    write("def f(x):\n    return x\n", "helpers/tools.py")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LoadError, match=PLACES[target]):
        open_subject(target)


def drives(target: str) -> bool:
    with open_subject(target) as subject:
        return subject.run([CASE])[0].observations[0].grad == (-3.0, 2.0, 1.0)


def test_a_module_by_its_dotted_name() -> None:
    pytest.importorskip("micrograd")
    for target in ("micrograd.engine", "micrograd.engine:Value", "micrograd"):
        assert drives(target)


def test_the_class_of_a_target(write: Write) -> None:
    other = changed(("Value", "Other"), (".data", ".number"))
    path = write(ENGINE + other.replace("import math", ""))
    with open_subject(path + ":Other") as subject:
        assert subject.name == "engine.py:Other" and subject.found["data"] == "number"
    with open_subject(path) as subject:
        assert subject.name == "engine.py:Value"


def test_no_top_level_statement_runs(write: Write) -> None:
    text = f"""
import random
import matplotlib.pyplot as plt
from graphviz import Digraph
{ENGINE}
model = Value(3.0)
while True:
    model.data -= 0.1
open("/nonexistent").read()
for step in range(10 ** 9):
    print(step)
verbose = input()
if verbose:
    raise SystemExit
plt.plot([1, 2])
assert False
raise SystemExit
if __name__ == "__main__":
    import nothing_like_this
    nothing_like_this.train()
"""
    assert drives(write(text))


def test_what_definitions_need_is_kept(write: Write) -> None:
    text = changed(
        ("import math", "import math\nimport itertools\nONE = -math.cos(math.pi)\nCOUNT = itertools.count()"),
        ("self.grad = 1.0", "self.grad = ONE + 0 * next(COUNT)"),
    )
    assert drives(write(text))
    patched = ENGINE.replace("def __mul__", "def product") + (
        "\ndef times(a, b):\n    return a.product(b)\nfor name in ('__mul__', '__matmul__'):\n"
        "    setattr(Value, name, times)\n"
    )
    assert drives(write(patched, "patched.py"))


def test_helpers_that_only_patch_a_class_are_called(write: Write) -> None:
    """In a loop over a table, say; a function that does more than that is not."""
    patched = ENGINE.replace("def __mul__", "def product") + (
        "\ndef offer(cls, name, f):\n    def method(a, b):\n        return f(a, b)\n"
        "    setattr(cls, name, method)\n"
        "def train():\n    Value.epochs = 1\n    nothing_like_this.train()\n"
        "RULES = {'__mul__': lambda a, b: a.product(b)}\n"
        "for name, f in RULES.items():\n    offer(Value, name, f)\n"
        "train()\n"
    )
    assert drives(write(patched))


def test_siblings_share_one_class(write: Write) -> None:
    write("", "mygrad/__init__.py")
    write(ENGINE, "mygrad/engine.py")
    write("from mygrad.engine import Value\n", "mygrad/a.py")
    write("from .engine import Value\n", "mygrad/b.py")
    write("from engine import Value\n", "mygrad/c.py")
    write("from micrograd.engine import Value\n", "mygrad/d.py")
    joined = write(
        "from .a import Value as A\nfrom .b import Value as B\nfrom mygrad.c import Value as C\nfrom d import Value\n"
        "class Checked(Value):\n    assert A is B is C is Value\n",
        "mygrad/main.py",
    )
    assert drives(joined)
    assert drives(str(Path(joined).parent))


def test_a_package_is_imported_as_one(write: Write) -> None:
    """Its `__init__` runs, what a sibling assigns is there, and a broken `__init__` does not matter."""
    write("from .config import settings\nfrom .core import *\n", "pkg/__init__.py")
    write(
        "class Settings:\n    one = 1.0\nsettings = Settings()\nfor x in range(10 ** 12): pass\n",
        "pkg/config.py",
    )
    text = changed(("import math", "import math\nfrom pkg import settings"), ("= 1.0\n", "= settings.one\n"))
    assert drives(write(text, "pkg/core.py"))
    write("from .late import Value\n", "early/__init__.py")
    late = write("class Value:\n    limit = 1 / 0\n", "early/late.py")
    with pytest.raises(LoadError, match="line 2: importing it raises ZeroDivisionError"):
        open_subject(late)
    write("import pkg.nothing\nraise ValueError\n", "broken/__init__.py")
    write("", "broken/inner/__init__.py")
    assert drives(write(ENGINE, "broken/inner/engine.py"))


def test_importing_what_was_not_run_does_no_harm(write: Write) -> None:
    write("xs = open('points.csv').read()\nmodel = train(xs)\nimport train\n", "data.py")
    assert drives(write(changed(("import math", "import math\nfrom data import xs, model"))))
    with pytest.raises(LoadError, match="cannot import name 'ys' from 'data'"):
        open_subject(write(changed(("import math", "import math\nfrom data import xs, ys"))))


def test_an_error_is_placed_in_the_file_that_raised_it(write: Write) -> None:
    write("def check(x):\n\n    raise ValueError(x)\n", "tiny/checks.py")
    text = changed(
        ("import math", "import math\nfrom .checks import check"),
        ("t = math.tanh(self.data)", "t = check(1)"),
    )
    with open_subject(write(text, "tiny/engine.py")) as subject:
        crash = subject.run([Case("load/tanh", Program.build([2.0], [("tanh", [0])]))])[0].crash
        assert crash is not None and crash.line == 3
        assert crash.file is not None and Path(crash.file).name == "checks.py"


def test_relative_imports_in_a_plain_folder(write: Write) -> None:
    write("ONE = 1.0\n", "student-12/constants.py")
    text = changed(("import math", "import math\nfrom .constants import ONE"), ("= 1.0\n", "= ONE\n"))
    assert drives(write(text, "student-12/engine.py"))


def test_names_of_the_workers_own_modules(write: Write) -> None:
    """A subject's `load`, `run`, `json` and `main` are its own, and do not hurt the worker."""
    for name in ("load", "run", "find", "main", "worker", "json"):
        write("ONE = 1.0\n", f"{name}.py")
    text = changed(
        ("import math", "import math\nfrom load import ONE\nimport run, find, main, worker, json"),
        ("= 1.0\n", "= json.ONE\n"),
    )
    assert drives(write(text))


def test_an_import_that_may_fail(write: Write) -> None:
    guarded = "try:\n    import numpy as np\nexcept ImportError:\n    np = None\n"
    text = changed(
        ("import math", f"import math\n{guarded}"), ("= 1.0\n", "= 1.0 if np is None else np.float64(1)\n")
    )
    assert drives(write(text))


def test_no_library_of_this_project_is_importable(write: Write) -> None:
    for name in ("torch", "oracle", "minigrad", "jax", "autograd"):
        text = changed(("import math", f"import math\nimport {name}"), ("= 1.0\n", f"= {name}.one()\n"))
        with pytest.raises(LoadError, match=f"the engine calls {name}, which is not available"):
            open_subject(write(text))


SCAFFOLDS = {
    "missing": "def unused(self)",
    "pass": "def backward(self):\n        pass\n\n    def unused(self)",
    "docstring": 'def backward(self):\n        """Write me."""\n\n    def unused(self)',
    "not implemented": "def backward(self):\n        raise NotImplementedError('todo')\n\n    def unused(self)",
}


@pytest.mark.parametrize("scaffold", SCAFFOLDS)
def test_scaffold(scaffold: str, write: Write) -> None:
    text = changed(
        ("def backward(self)", SCAFFOLDS[scaffold]),
        ("self._backward = lambda: None", ""),
        ("out._backward = push", ""),
    )
    with open_subject(write(text)) as subject:
        assert not subject.has_backward
        answer = subject.run([CASE])[0]
        assert answer.crash is not None
        assert (answer.crash.type, answer.crash.during, answer.crash.inside) == (
            "NoBackward",
            "backward",
            False,
        )
        forward = subject.run([Case("load/forward", CASE.program, steps=(Observe(),))])[0]
        assert forward.observations[0].data == (2.0, -3.0, -6.0)


def test_a_backward_that_fails_is_not_a_scaffold(write: Write) -> None:
    with open_subject(write(changed(("visit(self)\n        self", "visit(slef)\n        self")))) as subject:
        assert subject.has_backward
        crash = subject.run([Case("load/broken", CASE.program, steps=(Backward(2),))])[0].crash
        assert crash is not None and (crash.type, crash.inside, crash.during) == (
            "NameError",
            True,
            "backward",
        )


def notebook(*cells: str) -> str:
    return json.dumps({
        "nbformat": 4, "nbformat_minor": 5, "metadata": {},
        "cells": [{"cell_type": "code", "metadata": {}, "source": text.splitlines(keepends=True)} for text in cells]
        + [{"cell_type": "markdown", "metadata": {}, "source": ["# words"]}],
    })  # fmt: skip


def test_notebook(write: Write) -> None:
    path = write(
        notebook(
            "%matplotlib inline\nimport math\nimport numpy as np\nimport matplotlib.pyplot as plt\n!pip install torch",
            "class Value:\n    def __init__(self, data):\n        self.data = data",
            "xs = np.arange(-5, 5, 0.25)\nplt.plot(xs, xs)",
            "Value?",
            "this is not python",
            "%%time\n" + ENGINE.replace("def __mul__", "def product"),
            "def times(self, other):\n    return self.product(other)\nValue.__mul__ = times",
            "a = Value(2.0)\nb = a * 3\nb.backward()",
        ),
        "lecture.ipynb",
    )
    assert drives(path)
    with open_subject(path) as subject:
        assert subject.name == "lecture.ipynb:Value" and "tanh" in subject.ops


def test_a_package_is_named_with_its_folder(write: Write) -> None:
    with open_subject(str(Path(write(ENGINE, "tiny/__init__.py")).parent)) as subject:
        assert subject.name == "tiny/__init__.py:Value"


def test_installed_packages_beside_the_target_are_not_its_own(write: Write) -> None:
    path = write(changed(("import math", "import math\nimport plotter\n")), "site-packages/tiny/engine.py")
    write("", "site-packages/tiny/__init__.py")
    write("class C:\n    x = nowhere\n", "site-packages/plotter.py")
    with open_subject(path) as subject:
        assert subject.run([CASE])[0].ok


def test_a_class_from_a_compiled_module(write: Write) -> None:
    with pytest.raises(LoadError) as caught:
        open_subject(write("from fast._core import Value\n"))
    assert "Value comes from fast._core, which is not among its Python files" in str(caught.value)


def test_what_cannot_be_read_beside_the_target_is_passed_by(write: Write) -> None:
    path = Path(write(ENGINE, "engine.py"))
    (path.parent / "dangling.py").symlink_to(path.parent / "nowhere.py")
    (path.parent / "folder.py").mkdir()
    with open_subject(str(path)) as subject:
        assert subject.run([CASE])[0].ok
