"""What is handed in: folders, files, notebooks and archives, kind and hostile."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from oracle.grade import submissions
from oracle.grade.store import file_name
from oracle.grade.submissions import SubmissionError, find


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in files.items():
            out.writestr(name, data)
    return path


def packed(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as out:
        for name, data in files.items():
            out.writestr(name, data)
    return held.getvalue()


def test_a_folder_holds_submissions(tmp_path: Path) -> None:
    (tmp_path / "ada.py").write_bytes(b"a")
    (tmp_path / "bo.ipynb").write_bytes(b"{}")
    (tmp_path / "chen" / "src").mkdir(parents=True)
    (tmp_path / "chen" / "src" / "engine.py").write_bytes(b"c")
    (tmp_path / "chen" / "__pycache__").mkdir()
    (tmp_path / "chen" / "__pycache__" / "x.py").write_bytes(b"no")
    archive(tmp_path / "dara.zip", {"dara/engine.py": b"d", "dara/nn.py": b"n"})
    (tmp_path / "eve").mkdir()
    (tmp_path / "notes.md").write_bytes(b"-")
    (tmp_path / ".hidden.py").write_bytes(b"-")
    (tmp_path / "linked.py").symlink_to("/etc/hostname")
    found, ignored = find([str(tmp_path)])
    assert [(s.name, s.folder, [n for n, _ in s.files], bool(s.problem)) for s in found] == [
        ("ada", False, ["ada.py"], False),
        ("bo", False, ["bo.ipynb"], False),
        ("chen", True, ["engine.py"], False),
        ("dara", True, ["engine.py", "nn.py"], False),
        ("eve", True, [], True),
    ]
    assert ignored == ["linked.py", "notes.md"]
    assert found[0].path == f"{tmp_path}/ada.py"


def test_several_paths_and_patterns_are_a_submission_each(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "engine.py").write_bytes(name.encode())
        (tmp_path / name / "nn.py").write_bytes(b"")
    for paths in ([f"{tmp_path}/a", f"{tmp_path}/b"], [f"{tmp_path}/*"]):
        assert [s.name for s in find(paths)[0]] == ["a", "b"]
    twins = find([f"{tmp_path}/*/nn.py"])[0]
    assert [s.name for s in twins] == [f"{tmp_path}/a/nn.py", f"{tmp_path}/b/nn.py"]
    with pytest.raises(SubmissionError, match="twice"):
        find([f"{tmp_path}/a", f"{tmp_path}/a"])


def test_a_class_in_an_archive(tmp_path: Path) -> None:
    inner = packed({"engine.py": b"z"})
    path = archive(
        tmp_path / "class.zip",
        {"hw1/ada.py": b"a", "hw1/bo/engine.py": b"b", "hw1/zoe.zip": inner, "hw1/grades.xls": b"-"},
    )
    found, ignored = find([str(path)])
    assert [(s.name, s.path, s.files) for s in found] == [
        ("ada", f"{path}/ada.py", (("ada.py", b"a"),)),
        ("bo", f"{path}/bo", (("engine.py", b"b"),)),
        ("zoe", f"{path}/zoe.zip", (("engine.py", b"z"),)),
    ]
    assert not ignored


def test_names_in_archives_that_do_not_say_their_encoding(tmp_path: Path) -> None:
    """As macOS and Info-ZIP write them: UTF-8, not marked as such."""
    path = archive(tmp_path / "class.zip", {"jürgen.py": b"a", "zoë.py": b"b"})
    marked = path.read_bytes()
    unmarked = marked.replace(b"PK\x03\x04\x14\x00\x00\x08", b"PK\x03\x04\x14\x00\x00\x00")
    unmarked = unmarked.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x08", b"PK\x01\x02\x14\x03\x14\x00\x00\x00")
    path.write_bytes(unmarked)
    assert unmarked != marked and [s.name for s in find([str(path)])[0]] == ["jürgen", "zoë"]


@pytest.mark.parametrize("name", ["../engine.py", "/etc/engine.py", "a/../../engine.py", "..\\engine.py"])
def test_an_archive_cannot_reach_outside(tmp_path: Path, name: str) -> None:
    archive(tmp_path / "evil.zip", {name: b"x", "engine.py": b"y"})
    (tmp_path / "good.py").write_bytes(b"g")
    by_name = {s.name: s for s in find([str(tmp_path)])[0]}
    assert "outside" in by_name["evil"].problem and not by_name["evil"].files
    assert not by_name["good"].problem


def test_bombs_and_rubbish_are_one_sentence_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submissions, "ALL_BYTES", 1 << 20)
    monkeypatch.setattr(submissions, "FILE_BYTES", 1 << 19)
    archive(tmp_path / "bomb.zip", {"engine.py": bytes(50 << 20)})
    archive(tmp_path / "many.zip", {f"{n}.py": b"" for n in range(600)})
    (tmp_path / "rubbish.zip").write_bytes(b"PK\x03\x04 not really")
    (tmp_path / "large.py").write_bytes(bytes((1 << 19) + 1))
    (tmp_path / "fine.py").write_bytes(b"x = 1")
    problems = {s.name: s.problem for s in find([str(tmp_path)])[0]}
    assert problems.pop("fine") == ""
    assert len(problems) == 4 and all(p and "\n" not in p for p in problems.values())


@pytest.mark.parametrize("paths", [["nowhere"], ["no/*.py"]])
def test_nothing_there(paths: list[str]) -> None:
    with pytest.raises(SubmissionError, match="no such"):
        find(paths)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="no submission"):
        find([str(tmp_path)])


def test_the_fingerprint_is_of_names_and_bytes(tmp_path: Path) -> None:
    def digest(files: dict[str, bytes]) -> str:
        return find([str(archive(tmp_path / "x.zip", {f"top/{k}": v for k, v in files.items()}))])[0][
            0
        ].sha256

    one = digest({"s/engine.py": b"a", "s/nn.py": b"b"})
    assert one == digest({"s/nn.py": b"b", "s/engine.py": b"a"})
    assert one != digest({"s/engine.py": b"a", "s/nn.py": b"c"})
    assert one != digest({"s/engine.py": b"ab", "s/nn.py": b""})


def test_file_names_are_harmless_and_stay_apart() -> None:
    names = [
        "ada",
        "Ada",
        "a b",
        "a_b",
        "../x",
        "<b>",
        "index",
        "grade",
        ".oracle",
        "é",
        "x" * 300,
        "-rf",
        "con\n",
    ]
    files = [file_name(name) for name in names]
    assert files[0] == "ada" and len({f.lower() for f in files}) == len(names)
    assert all(f.isascii() and "/" not in f and f[0] not in ".-" and len(f) < 100 for f in files)
    assert not {"index", "grade"} & set(files)
