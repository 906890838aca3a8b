"""A worker that dies, hangs, floods or answers nonsense loses one case; a new one takes the rest."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from oracle.case import Answer, Case, Observe
from oracle.program import Num, Program
from oracle.subjects import LoadError, Subject, open_subject
from oracle.subjects.launch import Launch

from .conftest import MUL, UNLUCKY, Write, changed

GOOD = Case("loss/good", Program.build([2.0, -3.0], [("mul", [0, 1])]))
BAD = Case("loss/bad", Program.build([13.0, -3.0], [("mul", [0, 1])]))
CASES = [GOOD, BAD, GOOD, GOOD]

LOSSES = {
    "while True: pass": ("timeout", "no answer after 0.5 s"),
    "import time; time.sleep(60)": ("timeout", "no answer after 0.5 s"),
    "import os; os._exit(0)": ("died", "ended by itself, with exit code 0"),
    "import os; os.kill(os.getpid(), 11)": ("died", "killed by SIGSEGV"),
    "bytearray(1 << 40)": ("memory", "ran out of memory"),
    "for _ in range(10**6): print('x' * 1000)": ("output limit", "printed more in one case"),
    "import os; [os.close(d) for d in range(3, 10)]": ("died", ""),
    "import os; os.write(4, b'[' * 100000 + b'\\n')": ("protocol", "the answer is"),
    "import os; os.write(4, b'{\"id\":1}\\n')": ("protocol", "id: expected"),
}


@pytest.mark.parametrize("deed", LOSSES)
def test_one_case_is_lost(deed: str, write: Write) -> None:
    reason, detail = LOSSES[deed]
    with open_subject(write(changed((MUL, UNLUCKY.format(deed)))), timeout=0.5, memory_mb=256) as subject:
        answers = subject.run(CASES)
    assert [a.lost for a in answers] == [None, reason, None, None]
    assert detail in answers[1].detail
    for answer in (answers[0], *answers[2:]):
        assert answer.observations[0].grad == (-3.0, 2.0, 1.0)


def test_nothing_is_left_running(tmp_path: Path) -> None:
    """Where a program of any language can start processes at all, in the tier "weak": not even a daemon."""
    note = tmp_path / "pids"
    deed = (
        "import os\n"
        "for leave in (lambda: None, os.setsid):\n"
        "    if os.fork() == 0:\n"
        "        leave()\n"
        "        if os.fork() == 0:\n"
        f"            open({str(note)!r}, 'a').write(str(os.getpid()) + '\\n')\n"
        "            os.execl('/bin/sleep', 'sleep', '60')\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
        f"while not os.path.exists({str(note)!r}) or open({str(note)!r}).read().count('\\n') < 2: pass\n"
    )
    script = tmp_path / "daemons.py"
    script.write_text(deed + FAKE.format(hello=HELLO, reply=row()))
    with open_subject(command=f"{sys.executable} -S {script}", tier="weak") as subject:
        assert subject.run([GOOD])[0].ok
        started = [int(pid) for pid in note.read_text().split()]
    assert len(started) == 2
    for pid in started:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            continue
        assert state == "Z", "a process that the subject started is still there"


def test_where_an_object_lies_in_memory_is_left_out_of_messages(write: Write) -> None:
    """So that two runs give one report."""
    unlucky = UNLUCKY.format("raise KeyError(id(self), object(), 123456)")
    with open_subject(write(changed((MUL, unlucky)))) as subject:
        crash = subject.run([BAD])[0].crash
    assert crash is not None
    assert crash.message == "(…, <object object at …>, 123456)"


def test_crashes_are_not_losses(write: Write) -> None:
    with open_subject(write(changed((MUL, UNLUCKY.format("raise KeyError('thirteen')"))))) as subject:
        crash = subject.run([BAD])[0].crash
    assert crash is not None
    line = (
        changed((MUL, UNLUCKY.format("raise KeyError"))).splitlines().index("            raise KeyError") + 1
    )
    assert (crash.type, crash.message, crash.node, crash.line) == ("KeyError", "'thirteen'", 2, line)
    assert crash.inside and crash.during == "forward"


CRASHES = {
    "NoResult": ("return None", "__mul__ returned None"),
    "NotANode": ("return 3.0", "__mul__ returned a float, not a Value"),
    "NotANumber": ("return Value(2j)", "value 2 holds a complex as its data"),
    "SystemExit": ("raise SystemExit(3)", "3"),
    "RecursionError": ("return self * other", "maximum recursion depth"),
}


@pytest.mark.parametrize("kind", CRASHES)
def test_kinds_of_crash(kind: str, write: Write) -> None:
    deed, message = CRASHES[kind]
    with open_subject(write(changed((MUL, UNLUCKY.format(deed))))) as subject:
        crash = subject.run([BAD])[0].crash
    assert crash is not None and crash.type == kind and message in crash.message and crash.inside


def test_a_missing_operator_is_not_inside(write: Write) -> None:
    case = Case("loss/missing", Program.build([2.0], [("sub", [Num(1), 0])]))
    with open_subject(write(changed())) as subject:
        crash = subject.run([case])[0].crash
        assert crash is not None and crash.type == "TypeError" and not crash.inside and crash.line is None
        assert subject.run([Case("loss/sin", Program.build([2.0], [("sin", [0])]))])[0] == Answer(
            unsupported="sin"
        )


def test_printing_is_kept_apart(write: Write) -> None:
    text = changed(
        (
            "self.grad = 1.0",
            "self.grad = 1.0\n        print('::error::\\x1b[31mhi')\n        print('y' * 5000)",
        )
    )
    with open_subject(write(text)) as subject:
        answers = subject.run([GOOD] * 50)
        assert all(a.ok for a in answers)
        assert "| ::error::\\x1b[31mhi" in subject.output and len(subject.output) < 20_000
    assert "hi" in subject.output, "still readable when the subject is closed"


def test_a_thousand_cases_at_once(write: Write) -> None:
    program = Program.build(
        [2.0, -3.0, 0.5], [("mul", [0, 1]), ("add", [3, 2]), ("mul", [4, 0]), ("tanh", [2])]
    )
    cases = [Case(f"loss/{k}", program) for k in range(1000)]
    with open_subject(write(changed())) as subject:
        answers = subject.run(cases)
    assert all(a.ok for a in answers) and len(answers) == 1000


def test_a_very_long_program(write: Write) -> None:
    """The worker does not recurse over 100,000 values; the engine does over 5,000, and says so."""
    long, deep = (Program.build([1.0], [("add", [k, Num(1)]) for k in range(n)]) for n in (100_000, 5_000))
    with open_subject(write(changed()), timeout=30) as subject:
        answers = subject.run([Case("loss/long", long, steps=(Observe(),)), Case("loss/deep", deep), GOOD])
    assert answers[0].observations[0].data[-1] == 100_001.0
    crash = answers[1].crash
    assert crash is not None and crash.type == "RecursionError" and crash.during == "backward"
    assert answers[2].ok


# A worker that is not ours ------------------------------------------------------------------------------------

FAKE = """
import json, sys
print(json.dumps({hello}), flush=True)
for line in sys.stdin:
    message = json.loads(line)
    if message["cmd"] == "run":
        n = len(message["program"]["inputs"]) + len(message["program"]["nodes"])
        reply = {reply}
        print(reply if isinstance(reply, str) else json.dumps(reply), flush=True)
"""

HELLO = (
    '{"protocol": 1, "name": "fake", "language": "fake", "ops": ["mul"], "grads": "all", "capabilities": []}'
)


def fake(reply: str, hello: str = HELLO, timeout: float = 2.0) -> Subject:
    text = FAKE.format(hello=hello, reply=reply)
    return Subject(
        Launch("fake", None, "fake", "", (sys.executable, "-S", "-c", text), dict(os.environ), timeout)
    )


def row(data: str = '["0x1p+0"] * n', grad: str = "[None] * n") -> str:
    return f'{{"id": message["id"], "observations": [{{"data": {data}, "grad": {grad}}}]}}'


PAIRS = """
import json, sys
print({hello!r}, flush=True)
waiting = []
for line in sys.stdin:
    message = json.loads(line)
    if message["cmd"] == "run":
        waiting.append(message)
    if len(waiting) == 2:
        for message in waiting:
            n = len(message["program"]["inputs"]) + len(message["program"]["nodes"])
            print(json.dumps({reply}), flush=True)
        waiting = []
"""


def test_cases_are_sent_before_the_last_is_answered() -> None:
    """To a worker that answers them two by two."""
    text = PAIRS.format(hello=HELLO, reply=row())
    start = Launch("fake", None, "fake", "", (sys.executable, "-S", "-c", text), dict(os.environ), 2.0)
    with Subject(start) as subject:
        assert all(answer.ok for answer in subject.run([GOOD] * 6))


def test_another_language_can_answer() -> None:
    with fake(row()) as subject:
        assert subject.language == "fake" and subject.file is None and subject.trace(GOOD) is None
        assert subject.run([GOOD])[0].observations[0].data == (1.0, 1.0, 1.0)


NONSENSE = {
    "'hello'": "the answer is not JSON",
    "'[' * 200000": "the answer",
    "'[' * 5000": "nested too deeply",
    "'{\"id\":' + '9' * 5000 + '}'": "the answer is not JSON",
    "[1]": "expected an object",
    '{"id": 99}': "id: expected 1, as in the message, found 99",
    '{"id": True, "observations": []}': "id: expected 1, as in the message, found true",
    '{"id": message["id"]}': "observations: expected a list of 1, one for each observe step, found null; for",
    '{"id": message["id"], "observations": [3]}': "observations[0]: expected an object with data and grad, found 3;",
    row("[]"): "observations[0].data: expected a list of 3 entries",
    row('["0x1p+0", "3.5", "0x1p+0"]'): 'observations[0].data[1]: expected a float as a C99 hex string',
    row("[1.0] * n"): "observations[0].data[0]",
    row(grad='["0x" + "f" * 39] * n'): "observations[0].grad[0]",
    row(grad='["0x1p+9999"] * n'): "observations[0].grad[0]",
    '{"id": message["id"], "error": 3}': "error: expected an object, found 3",
    '{"id": message["id"], "error": {"type": "E", "message": "", "node": 99}}': "error.node: expected the index",
    '{"id": message["id"], "error": {"type": "E", "message": 1}}': "error.message: expected a string",
    '{"id": message["id"], "error": {"type": "E", "message": "", "during": "lunch"}}': "error.during",
    "'x' * 10**7": "the answer is longer than",
}  # fmt: skip


@pytest.mark.parametrize("reply", NONSENSE)
def test_nonsense_is_named(reply: str) -> None:
    with fake(reply) as subject:
        answer = subject.run([GOOD])[0]
    assert answer.lost == "protocol"
    assert NONSENSE[reply] in answer.detail and len(answer.detail) < 300


GREETINGS = {
    '{"protocol": 2}': "protocol: expected 1, found 2",
    HELLO.replace('"all"', '"some"'): 'grads: expected "all" or "leaves", found "some"; for example {',
    HELLO.replace(
        '["mul"]', '["conv2d"]'
    ): 'ops: expected names from the vocabulary, found "conv2d"; for example ',
    HELLO.replace('["mul"]', "3"): "ops: expected a list of strings, found 3",
    "[]": "expected an object",
}


@pytest.mark.parametrize("hello", GREETINGS)
def test_a_bad_greeting(hello: str) -> None:
    with pytest.raises(LoadError) as caught:
        fake(row(), json.dumps(json.loads(hello)).replace("null", "None"))
    assert GREETINGS[hello] in str(caught.value)


def test_a_command_that_does_not_exist() -> None:
    with pytest.raises(LoadError, match="fake: it cannot be started: No such file"):
        Subject(Launch("fake", None, "fake", "", ("/nonexistent/command",), {}))


def test_a_subject_that_cannot_be_loaded_again(write: Write) -> None:
    path = write(changed((MUL, UNLUCKY.format("import os; os._exit(3)"))))
    with open_subject(path) as subject:
        Path(path).unlink()
        answers = subject.run(CASES)
    assert answers[0].ok and answers[1].lost == answers[2].lost == answers[3].lost == "died"
    assert "exit code 3" in answers[1].detail
    assert "could not be loaded again" in answers[2].detail and answers[2].detail == answers[3].detail


def test_timeouts_grow_shorter(write: Write) -> None:
    """So that hundreds of cases that all hang end on the same day."""
    with open_subject(write(changed()), timeout=4.0) as subject:
        for lost, seconds in ((0, 4.0), (2, 4.0), (3, 2.0), (4, 1.0), (5, 0.5), (300, 0.5)):
            subject._timeouts = lost
            assert subject._patience() == seconds


def test_a_trace_that_does_not_end_is_none(write: Write) -> None:
    path = write(changed((MUL, UNLUCKY.format("while True: pass"))))
    with open_subject(path, timeout=0.1) as subject:
        assert subject.trace(BAD) is None
        assert subject.run([GOOD])[0].ok


def test_sets_have_one_order_and_its_reverse(write: Write) -> None:
    """By address it would be another one in every run."""
    path = write(
        changed(
            (
                "    def backward(self):",
                "    def backward(self):\n        print([v.data for v in self._prev], {'a', 'b', 'c'})",
            )
        )
    )
    case = Case("x", Program.build([2.0, 3.0], [("add", [0, 1])]))

    def printed(backwards: bool) -> str:
        with open_subject(path) as subject:
            if backwards:
                subject.reverse_sets()
            assert subject.run([case, case])[0].ok
            return subject.output

    assert printed(False) == printed(False) != printed(True) == printed(True)
    assert printed(False).count("[2.0, 3.0]") == printed(True).count("[3.0, 2.0]") == 2
