"""Hostile submissions: what each tries, in a few lines, and what has to come of it.

Each is the same engine, whose mul pushes a wrong gradient to its right operand, with an attack in it. An attack
succeeds when the oracle is told anything else than the numbers of that engine. So an attack is either *harmless*
(the answers are those of the engine without it), or costs the submission the case in which it is made, or the
whole of its run; nothing of it outlives the run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import indent
from typing import Literal

from tests.subjects.conftest import MUL, changed

TOKEN = "hostile-5d1c"
"""Part of the name of every file that an attack would leave behind."""

TRIGGER = 13.0
"""Attacks inside mul are made when its left operand holds this."""

CARRIER = changed(("other.grad += self.data * out.grad", "other.grad += self.data"))
"""The engine without an attack: wrong in one rule."""

Fate = Literal["harmless", "refused", "timeout", "died", "memory", "output limit", "protocol", "crash"]


@dataclass(frozen=True)
class Hostile:
    """One submission.

    threat  what it stands for, in the words of the specification
    code    the attack
    fate    what comes of it; "refused": it is not even loaded, any other but "harmless": that case is lost
    says    words of the sentence or detail that the user gets
    at      where the code goes: "import", on top of the file; "mul", into mul; "whole", it is the file
    beside  files beside the engine: name → content
    """

    threat: str
    code: str
    fate: Fate = "harmless"
    says: str = ""
    at: Literal["import", "mul", "whole"] = "import"
    beside: dict[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The file that is submitted."""
        if self.at == "whole":
            return self.code
        if not self.code:
            return CARRIER
        if self.at == "import":  # of a script only definitions are run: a class body is one
            return f"def attack():\n{indent(self.code.strip(), ' ' * 4)}\n\n\nclass Attack:\n    attack()\n\n{CARRIER}"
        deed = indent(self.code.strip(), " " * 12)
        return CARRIER.replace(MUL, f"{MUL}        if self.data == {TRIGGER}:\n{deed}\n")


def delegating(
    library: str, leaf: str, backward: str = "self.v.backward()", grad: str = "self.v.grad"
) -> str:
    """An engine that has its numbers computed by a library."""
    return f"""
import {library}
class Value:
    def __init__(self, data): self.v = data if hasattr(data, "backward") else {leaf}
    data = property(lambda self: float(self.v))
    grad = property(lambda self: float({grad} or 0))
    def __mul__(self, other): return Value(self.v * other.v)
    def __add__(self, other): return Value(self.v + other.v)
    def backward(self): {backward}
"""


WRITE = f"""
import os
for folder in (".", "/tmp", "/var/tmp", "/dev/shm", "/", os.path.expanduser("~"), os.path.dirname(os.__file__)):
    for name in ("{TOKEN}.json", "{TOKEN}/results.json", "conftest.py.{TOKEN}", "sitecustomize.py.{TOKEN}"):
        try:
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            open(os.path.join(folder, name), "w").write('{{"score": 100}}')
        except Exception:
            pass
"""

SUBMISSIONS: dict[str, Hostile] = {
    # The process ends, as if all were well
    "exits at import": Hostile("os._exit(0) at import", "import os\nos._exit(0)", "refused", "exit code 0"),
    "exits in mul": Hostile("os._exit(0)", "import os\nos._exit(0)", "died", "exit code 0", "mul"),
    "exits politely": Hostile("os._exit(0) at import", "raise SystemExit(0)", "refused", "SystemExit"),
    "exits at exit": Hostile(
        "atexit that exits 0", "import atexit, os\natexit.register(lambda: os._exit(0))"
    ),
    "replaced by a program": Hostile(
        "os._exit(0)",
        "import os, sys\ntry: os.execv(sys.executable, ['python', '-c', ''])\nexcept OSError: pass",
        at="mul",
    ),
    # It says that it passed
    "prints a pass": Hostile(
        "printing a fake pass",
        "print('OK (1984 tests)\\n::notice::all correct')\nimport sys\nsys.stderr.write('1984 passed\\n')",
        at="mul",
    ),
    "answers by itself": Hostile(
        "printing a fake pass",
        """
import os
right = b'{"id":3,"observations":[{"data":["0x1p+1","0x1p+1","0x1p+2"],"grad":["0x1p+1","0x1p+1","0x1p+0"]}]}\\n'
for descriptor in range(3, 32):
    try: os.write(descriptor, right)
    except OSError: pass
""",
        "protocol",
        "id: expected",
        "mul",
    ),
    "patches the graders": Hostile(
        "patching unittest, math.isclose, pytest",
        """
import builtins, json, math, unittest
math.isclose = lambda *a, **k: True
math.fsum = lambda xs: 0.0
unittest.TestCase.assertEqual = unittest.TestCase.assertAlmostEqual = lambda *a, **k: None
builtins.abs = lambda x: 0.0
try:
    import pytest
    pytest.approx = lambda *a, **k: __import__("unittest.mock").mock.ANY
except Exception: pass
""",
    ),
    "lies in comparisons": Hostile(
        "a float subclass that lies in comparisons",
        """
class Liar(float):
    __eq__ = __le__ = __ge__ = __lt__ = __gt__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __sub__ = __rsub__ = lambda self, other: Liar(0.0)
    __hash__ = float.__hash__
    def hex(self): return "0x1p+1"
"""
        + CARRIER.replace("self.data = data", "self.data = Liar(data)").replace("0.0", "Liar(0.0)", 1),
        at="whole",
    ),
    # It looks for the answers
    "walks the stack": Hostile(
        "walking stack frames or gc for expected values",
        """
import gc, sys
frame, seen = sys._getframe(), []
while frame is not None:
    seen += [*frame.f_locals.items(), *frame.f_globals.items()]
    frame = frame.f_back
try: seen += [(str(type(x)), x) for x in gc.get_objects() if isinstance(x, dict)]
except OSError: pass
names = " ".join(str(name) + (" ".join(map(str, x)) if isinstance(x, dict) else "") for name, x in seen)
if "expected" in names or "golden" in names or "torch" in str(sys.modules):
    Value = None; raise SystemError("found the answers")
""",
    ),
    "reads the answers": Hostile(
        "walking stack frames or gc for expected values",
        """
import sys
for path in GOLDEN:
    try: text = open(path).read()
    except OSError: continue
    raise SystemError("found the answers: " + text[:100])
""",
    ),
    "links to the answers": Hostile(
        "walking stack frames or gc for expected values",
        """
import os
for path in ("golden.json", "torch_reference.py"):
    try: text = open(os.path.join(os.path.dirname(__file__), path)).read()
    except OSError: continue
    raise SystemError("found the answers: " + text[:100])
""",
        beside={"golden.json": "-> golden", "torch_reference.py": "-> reference"},
    ),
    "reads its neighbours": Hostile(
        "walking stack frames or gc for expected values",
        """
import os
folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
for name in ("neighbour/engine.py", "../neighbour/engine.py"):
    try: text = open(os.path.join(folder, name)).read()
    except OSError: continue
    raise SystemError("copied: " + text[:100])
for path in ("/etc/passwd", "/proc/self/environ", "/proc/1/environ", f"/proc/{os.getppid()}/environ"):
    try: text = open(path).read()
    except OSError: continue
    if "SECRET" in text or "passwd" in path: raise SystemError("read " + path)
if "SECRET_OF_THE_LAUNCHER" in os.environ: raise SystemError("read the environment")
""",
    ),
    # Somebody else computes
    "delegates to torch": Hostile(
        "importing torch/jax/autograd (or this oracle) and delegating",
        delegating("torch", "torch.tensor(float(data), requires_grad=True)"),
        "refused",
        "the engine calls torch, which is not available to it",
        "whole",
    ),
    "delegates to jax": Hostile(
        "importing torch/jax/autograd (or this oracle) and delegating",
        delegating("jax", "jax.numpy.array(float(data))"),
        "refused",
        "the engine calls jax, which is not available to it",
        "whole",
    ),
    "delegates to tensorflow": Hostile(
        "importing torch/jax/autograd (or this oracle) and delegating",
        delegating("tensorflow", "tensorflow.Variable(float(data))"),
        "refused",
        "the engine calls tensorflow, which is not available to it",
        "whole",
    ),
    "delegates to autograd": Hostile(
        "importing torch/jax/autograd (or this oracle) and delegating",
        delegating("autograd", "autograd.numpy.array(float(data))"),
        "refused",
        "the engine calls autograd, which is not available to it",
        "whole",
    ),
    "delegates to mygrad": Hostile(
        "importing torch/jax/autograd (or this oracle) and delegating",
        delegating("mygrad", "mygrad.tensor(float(data))"),
        "refused",
        "the engine calls mygrad, which is not available to it",
        "whole",
    ),
    "delegates to tinygrad": Hostile(
        "importing torch/jax/autograd (or this oracle) and delegating",
        delegating("tinygrad", "tinygrad.Tensor(float(data), requires_grad=True)"),
        "refused",
        "the engine calls tinygrad, which is not available to it",
        "whole",
    ),
    "delegates to micrograd": Hostile(
        "importing torch/jax/autograd (or this oracle) and delegating",
        delegating("micrograd.nn", "micrograd.nn.Value(data)"),
        "refused",
        "the engine calls micrograd",
        "whole",
    ),
    "delegates to minigrad": Hostile(
        "importing torch/jax/autograd (or this oracle) and delegating",
        delegating("minigrad", "minigrad.Value(data)"),
        "refused",
        "the engine calls minigrad",
        "whole",
    ),
    "delegates to the oracle": Hostile(
        "importing torch/jax/autograd (or this oracle) and delegating",
        delegating("oracle.standard_reference", "oracle.standard_reference.vjp(data)"),
        "refused",
        "the engine calls oracle",
        "whole",
    ),
    "delegates by another door": Hostile(
        "importing torch/jax/autograd (or this oracle) and delegating",
        """
import importlib, importlib.util, sys
sys.path += PACKAGES
importlib.invalidate_caches()
for name in ("torch", "numpy", "mpmath", "micrograd", "click"):
    for folder in PACKAGES:
        try:
            spec = importlib.util.spec_from_file_location(name, f"{folder}/{name}/__init__.py")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        except (ImportError, OSError): continue
        raise SystemError("imported " + name)
sys.meta_path[:] = sys.meta_path[1:]
for name in ("torch", "numpy", "mpmath", "micrograd", "click"):
    sys.modules.pop(name, None)
    try: __import__(name)
    except (ImportError, OSError): continue
    raise SystemError("imported " + name)
""",
    ),
    "asks another process": Hostile(
        "importing torch/jax/autograd (or this oracle) and delegating",
        """
import os, sys
try:
    import subprocess
    print(subprocess.run([sys.executable, "-c", "import torch"], check=True))
except (OSError, ImportError): pass
else: raise SystemError("started a process")
try: os.posix_spawn(sys.executable, ["python", "-c", "import torch"], {})
except OSError: pass
else: raise SystemError("started a process")
""",
    ),
    "asks the network": Hostile(
        "importing torch/jax/autograd (or this oracle) and delegating",
        """
import socket
for family, address in ((socket.AF_INET, ("127.0.0.1", 9)), (socket.AF_UNIX, "\\0hostile")):
    try: socket.socket(family).connect(address)
    except ConnectionError: raise SystemError("the network answers")
    except (OSError, TypeError): pass
""",
    ),
    # It leaves something behind
    "writes result files": Hostile("writing result files, conftest.py, sitecustomize.py", WRITE),
    "writes result files in mul": Hostile(
        "writing result files, conftest.py, sitecustomize.py", WRITE, at="mul"
    ),
    "changes its own file": Hostile(
        "writing result files, conftest.py, sitecustomize.py",
        """
import os
for deed in (lambda: os.chmod(__file__, 0o777), lambda: os.remove(__file__), lambda: os.utime(__file__),
             lambda: os.rename(__file__, __file__ + ".old"), lambda: os.symlink("/etc", __file__ + ".link"),
             lambda: os.truncate(__file__, 0), lambda: os.mkdir(os.path.dirname(__file__) + "/torch")):
    try: deed()
    except OSError: continue
    raise SystemError("changed a file")
""",
    ),
    "shadows modules": Hostile(
        "shadowing math.py/torch.py",
        "",
        beside=dict.fromkeys(
            ("torch.py", "json.py", "click.py", "oracle.py", "mpmath.py", "sitecustomize.py", "conftest.py",
             "usercustomize.py", "resource.py", "ctypes.py", "typing.py"),
            f"open('/tmp/{TOKEN}-shadow', 'w').write('ran')\n",
        ),
    ),
    "shadows math": Hostile(
        "shadowing math.py/torch.py",
        "",
        beside={"math.py": "def tanh(x): return 0.5\ndef isclose(*a, **k): return True\n"},
    ),
    # It turns on others
    "kills the parent": Hostile(
        "killing the parent",
        """
import os, signal
for pid in (os.getppid(), 0, -1, 1):
    try: os.kill(pid, signal.SIGKILL)
    except OSError: pass
try: os.killpg(os.getpgid(os.getppid()), signal.SIGKILL)
except OSError: pass
""",
        at="mul",
    ),
    "stops the parent": Hostile(
        "killing the parent",
        "import os, signal\ntry: os.kill(os.getppid(), signal.SIGSTOP)\nexcept OSError: pass",
        at="mul",
    ),
    # It does not end
    "swallows everything": Hostile(
        "a loop that swallows BaseException or ignores SIGALRM",
        """
import signal
for number in range(1, 32):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True:
    try:
        while True: pass
    except BaseException: pass
""",
        "timeout",
        "no answer after",
        "mul",
    ),
    "hangs at import": Hostile(
        "a loop that swallows BaseException or ignores SIGALRM",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "refused",
        "loading it did not end within",
    ),
    "hangs where nothing interrupts": Hostile(
        "a loop that swallows BaseException or ignores SIGALRM",
        "import re\nre.match('(a*)*b', 'a' * 64)",
        "timeout",
        "no answer after",
        "mul",
    ),
    # Bombs
    "memory bomb": Hostile(
        "memory bomb", "held = []\nwhile True: held.append(bytearray(1 << 24))", "memory", "out of memory", "mul"
    ),
    "memory bomb that swallows": Hostile(
        "memory bomb",
        "held = []\nwhile True:\n    try: held.append(bytearray(1 << 20))\n    except MemoryError: pass",
        "timeout",
        "no answer after",
        "mul",
    ),
    "fork bomb": Hostile(
        "fork bomb",
        "import os\nfor _ in range(10000):\n    try: os.fork()\n    except OSError: break",
        at="mul",
    ),
    "thread bomb": Hostile(
        "thread bomb",
        """
import threading, time
while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
""",
        "crash",
        "can't start new thread",
        "mul",
    ),
    "disk bomb": Hostile(
        "disk bomb",
        f"""
for path in ("{TOKEN}", "/tmp/{TOKEN}", "/dev/shm/{TOKEN}", "/var/tmp/{TOKEN}"):
    try: open(path, "wb").write(bytes(1 << 26))
    except OSError: pass
""",
        at="mul",
    ),
    "output bomb": Hostile(
        "output bomb", "while True: print('x' * 4096)", "output limit", "printed more", "mul"
    ),
    "output bomb of bytes": Hostile(
        "output bomb",
        "import os\nwhile True: os.write(2, b'x' * 65536)",
        "output limit",
        "printed more",
        "mul",
    ),
    "recursion bomb": Hostile(
        "recursion bomb", "return self * other", "crash", "maximum recursion depth", "mul"
    ),
    "recursion bomb unlimited": Hostile(
        "recursion bomb",
        "import sys\nsys.setrecursionlimit(10**9)\nreturn max(map(self.__mul__, [other]), key=id)",
        "died",
        "SIGSEGV",
        "mul",
    ),
    "daemon": Hostile(
        "daemons that outlive the run",
        """
import os
try:
    if os.fork() == 0:
        os.setsid()
        while True: pass
except OSError: pass
""",
    ),
    "daemon thread": Hostile(
        "daemons that outlive the run",
        "import threading\ndef spin():\n    while True: pass\nthreading.Thread(target=spin, daemon=False).start()",
    ),
    # Answers that are too much
    "a huge integer": Hostile(
        "hex digits of absurd length", "return Value(10 ** 100_000)", "crash", "value 2 holds", "mul"
    ),
    "a number of absurd digits": Hostile(
        "hex digits of absurd length",
        """
import os
os.write(4, b'{"id":2,"observations":[{"data":["0x1.' + b'f' * 6000 + b'p+1"],"grad":[]}]}\\n')
""",
        "protocol",
        "",
        "mul",
    ),
    "an oversized answer": Hostile(
        "oversized or deeply nested answers",
        "import os\nwhile True: os.write(4, b'[' * 65536)",
        "protocol",
        "longer than",
        "mul",
    ),
    "a nested answer": Hostile(
        "oversized or deeply nested answers",
        "import os\nos.write(4, b'[' * 8000 + b'\\n')",
        "protocol",
        "nested too deeply",
        "mul",
    ),
    "a long message": Hostile(
        "oversized or deeply nested answers", "raise RuntimeError('x' * 10**7)", "crash", "xxx", "mul"
    ),
    "a message that is a command": Hostile(
        "printing a fake pass",
        "raise RuntimeError('\\n::error::owned\\r##[error]owned\\x1b[2J ' + 'words ' * 9 + '::stop-commands::x')",
        "crash",
        "owned",
        "mul",
    ),
    # It turns on the worker
    "patches the worker": Hostile(
        "walking stack frames or gc for expected values",
        """
import sys
for name, module in list(sys.modules.items()):
    if "confine" in name or "guard" in name or "landlock" in name or "seccomp" in name:
        for attribute in list(vars(module)):
            if not attribute.startswith("__"): setattr(module, attribute, None)
""",
    ),
    "raises its limits": Hostile(
        "memory bomb",
        """
import resource
for limit in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE):
    try: resource.setrlimit(limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError): continue
    raise SystemError("raised a limit")
""",
    ),
    "calls foreign code": Hostile(
        "killing the parent",
        """
import os
try:
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    deeds = (libc.fork(), libc.socket(2, 1, 0), libc.ptrace(16, os.getppid(), 0, 0), libc.kill(os.getppid(), 0),
             libc.unshare(0x10000000), libc.setsid(), libc.syscall(434, os.getppid(), 0))
    if deeds[0] == 0: os._exit(0)
    if any(deed >= 0 for deed in deeds): raise SystemError(f"the kernel let it: {deeds}")
except (ImportError, OSError): pass
""",
    ),
}  # fmt: skip
"""Name → submission."""
