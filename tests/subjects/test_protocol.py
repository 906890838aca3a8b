"""The protocol's schema: every message that either side sends is valid by it, and what it calls valid is read."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from oracle import suite
from oracle.case import Case, Observe
from oracle.program import Num, Program
from oracle.subjects import open_subject
from oracle.subjects import subject as subjects
from oracle.subjects.child import Child, Lost
from oracle.subjects.messages import ERROR, HELLO, ROW, encode, read_answer, read_hello, read_network
from oracle.subjects.network import Network
from oracle.vocabulary import VOCABULARY

jsonschema = pytest.importorskip("jsonschema")

ENGINES = Path(__file__).parent.parent / "engines"

SCHEMA = json.loads(files("oracle").joinpath("schema/protocol-1.json").read_text(encoding="utf-8"))


def part(name: str) -> Any:
    """A validator of one kind of message."""
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]})


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", SCHEMA["$defs"])
def test_its_own_examples(name: str) -> None:
    for example in SCHEMA["$defs"][name].get("examples", ()):
        part(name).validate(example)


def test_every_message_of_the_suite() -> None:
    run = part("run")
    small = [case for case in suite.cases() if len(case.program) < 30]
    for case in small[::7]:
        run.validate(json.loads(encode("run", 1, case)))
    assert len(small) > 100


class Overheard(Child):
    """A child whose conversation is kept."""

    heard: list[tuple[dict[str, Any], dict[str, Any]]]

    def ask(self, requests: Any, timeout: float) -> Any:
        asked = []

        def kept() -> Any:
            for request in requests:
                asked.append(request.line)
                yield request

        for k, (line, seconds) in enumerate(super().ask(kept(), timeout)):
            if asked[k]:
                self.heard.append((json.loads(asked[k]), json.loads(line)))
            yield line, seconds


def test_a_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[dict[str, Any], dict[str, Any]]] = []
    monkeypatch.setattr(Overheard, "heard", heard, raising=False)
    monkeypatch.setattr(subjects, "Child", Overheard)
    cases = [
        Case("a/mul", Program.build([2.0], [("mul", [0, 0])])),
        Case("a/none", Program.build([2.0], [("erf", [0])])),
        Case("a/raises", Program.build([0.0], [("pow", [0, Num(-1)])])),
        Case("a/forward", Program.build([2.0], [("tanh", [0])]), steps=(Observe(), Observe())),
    ]
    with open_subject(str(ENGINES / "closures.py")) as subject:
        answers = subject.run(cases)
        subject.trace(cases[0])
    assert [answer.unsupported for answer in answers] == [None, "erf", None, None]
    kinds = set()
    for asked, answered in heard:
        part(asked["cmd"]).validate(asked)
        part("hello" if asked["cmd"] == "start" else "answer").validate(answered)
        kinds |= set(answered)
    assert {"observations", "error", "trace", "ops", "absent"} <= kinds
    assert "unsupported" not in kinds, "what the worker has said to be absent is not asked for"


@pytest.mark.parametrize(
    "engine", ["closures.py", "lecture_gaps.py", "unary_classes.py", "tanh_returns_nothing.py"]
)
def test_what_is_not_asked_would_be_unsupported(engine: str) -> None:
    """For every op of the vocabulary: the answers are those of a worker that is asked about each."""
    cases = [
        Case(f"a/{row.name}", Program.build(row.points[0][: row.arity], [(row.name, list(range(row.arity)))]))
        for row in VOCABULARY.values()
        if not row.settings[0]
    ]
    with open_subject(str(ENGINES / engine)) as subject:
        given = subject.run(cases)
        subject._never = frozenset()
        asked = subject.run(cases)
    assert [replace(a, seconds=0.0) for a in given] == [replace(a, seconds=0.0) for a in asked]
    assert sum(answer.unsupported is not None for answer in given) > 30


def test_what_complaints_give_as_an_example() -> None:
    part("hello").validate(json.loads(HELLO))
    part("observation").validate(json.loads(ROW))
    part("error").validate(json.loads(ERROR))
    assert read_hello(HELLO.encode()).ops == {"add", "mul"}
    case = Case("a/neg", Program.build([2.0], [("neg", [0])]))
    answer = read_answer(f'{{"id":3,"observations":[{ROW}]}}'.encode(), 3, case, 0.0)
    assert answer.observations[0].data == (2.0, 4.0) and answer.observations[0].grad == (4.0, None)


NETWORKS = {
    "{}": "gradients: expected a list of 1, one for each layer, found null; for example [[[",
    '{"gradients":[[]],"outputs":[]}': "gradients[0]: expected a list of 2, one for each neuron, found a list of 0;",
    '{"gradients":[[["0x1p+0",null],3]],"outputs":[]}': "gradients[0][1]: expected a list of 2 floats, found 3;",
    '{"gradients":[[["0x1p+0",null],["1",null]]],"outputs":[]}': "gradients[0][1][0]: expected a float as a C99",
    '{"gradients":[[["0x1p+0",null],["0x1p+0",null]]],"outputs":["0x1p+0",null]}': "outputs[1]: expected a float",
    '{"gradients":[[["0x1p+0",null],["0x1p+0",null]]],"outputs":"0x1p+0"}': "outputs: expected a list of 2 floats",
}


@pytest.mark.parametrize("answer", NETWORKS)
def test_complaints_about_a_network(answer: str) -> None:
    asked = Network((1, 2), (((1.0, 0.5), (2.0, 0.5)),), (3.0,))
    with pytest.raises(Lost) as caught:
        read_network(json.dumps({"id": 4, **json.loads(answer)}).encode(), 4, asked)
    assert str(caught.value).startswith(NETWORKS[answer])


def test_a_network_is_read() -> None:
    asked = Network((1, 2), (((1.0, 0.5), (2.0, 0.5)),), (3.0,))
    right = {"id": 4, "outputs": ["0x1p+0", "nan"], "gradients": [[["0x1p+1", None], ["0x1p+0", "0x1p+0"]]]}
    answer = read_network(json.dumps(right).encode(), 4, asked)
    assert answer.gradients == (((2.0, None), (1.0, 1.0)),) and answer.outputs[0] == 1.0
