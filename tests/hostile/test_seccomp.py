"""The filter of system calls: its tables are the kernel's, and its program says what the tables say."""

from __future__ import annotations

import errno
import re
import struct
from pathlib import Path

import pytest

from oracle.subjects.worker.seccomp import (
    ABSENT,
    ARCHITECTURES,
    CLONE,
    EXEC,
    KILL,
    MMAP,
    NEWEST,
    PRLIMIT,
    REFUSED,
    TGKILL,
    program,
)

HEADERS = {
    "x86_64": ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"),
    "aarch64": ("/usr/include/asm-generic/unistd.h",),
}

TABLES = {
    **{name: row for group in REFUSED.values() for name, row in group.items()},
    **EXEC, **ABSENT,
    "clone": CLONE, "kill": KILL, "tgkill": TGKILL, "prlimit64": PRLIMIT, "mmap": MMAP,
}  # fmt: skip


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_the_numbers_are_the_kernels(machine: str) -> None:
    """Those that these headers know; they may be older than the newest of the calls."""
    header = next((Path(path) for path in HEADERS[machine] if Path(path).exists()), None)
    if header is None:
        pytest.skip("the kernel's headers are not installed")
    text = header.read_text()
    known = {name: int(n) for name, n in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\b", text)}
    column = ARCHITECTURES[machine][0]
    newest = max(known.values())
    ours = {name: row[column] for name, row in TABLES.items()}
    compared = 0
    for name, number in ours.items():
        if number is None:
            assert name not in known
        elif name in known or number <= newest:
            assert known[name] == number, name
            compared += 1
    assert compared > 80 and newest <= NEWEST


@pytest.mark.parametrize("machine", ARCHITECTURES)
@pytest.mark.parametrize("may_exec", [False, True])
def test_the_program_says_what_the_tables_say(machine: str, may_exec: bool) -> None:
    column, architecture = ARCHITECTURES[machine]
    code = program(machine, 77, may_exec)

    def verdict(number: int | None, *arguments: int, on: int = architecture) -> str | int:
        assert number is not None
        return run(code, struct.pack("<iIQ6Q", number, on, 0, *arguments, *[0] * (6 - len(arguments))))

    for group in REFUSED.values():
        for row in group.values():
            if row[column] is not None:
                assert verdict(row[column]) == errno.EPERM
    for row in EXEC.values():
        assert verdict(row[column]) == ("allow" if may_exec else errno.EPERM)
    for row in ABSENT.values():
        assert verdict(row[column]) == errno.ENOSYS
    assert verdict(NEWEST + 1) == errno.ENOSYS and verdict(0, on=0x40000003) == "die"
    if machine == "x86_64":
        assert verdict(0x40000000) == errno.ENOSYS, "calls of x32"
    thread, process = 0x3D0F00, 0x1200011
    assert verdict(CLONE[column], thread) == "allow" and verdict(CLONE[column], process) == errno.EPERM
    for row in (KILL, TGKILL):
        assert [verdict(row[column], pid) for pid in (77, 1, 0, 2**32 - 1)] == ["allow", *[errno.EPERM] * 3]
    assert [verdict(PRLIMIT[column], pid) for pid in (77, 0, 1)] == ["allow", "allow", errno.EPERM]
    private, shared, file = 0x22, 0x21, 0x1
    assert [verdict(MMAP[column], 0, 0, 0, flags) for flags in (private, file)] == ["allow"] * 2
    assert verdict(MMAP[column], 0, 0, 0, shared) == errno.EPERM
    innocent = {"read": (0, 63), "write": (1, 64), "brk": (12, 214), "futex": (202, 98), "exit": (60, 93)}
    assert all(verdict(row[column]) == "allow" for row in innocent.values())


def run(code: bytes, data: bytes) -> str | int:
    """What a program of classic BPF says of a call: "allow", "die", or the error that it gets."""
    words = [struct.unpack_from("<HBBI", code, at) for at in range(0, len(code), 8)]
    at = accumulator = 0
    while True:
        kind, yes, no, value = words[at]
        at += 1
        if kind == 0x20:
            accumulator = struct.unpack_from("<I", data, value)[0]
        elif kind == 0x54:
            accumulator &= value
        elif kind == 0x06:
            return {0x7FFF0000: "allow", 0x80000000: "die"}.get(value) or value & 0xFFFF
        else:
            holds = {0x15: accumulator == value, 0x25: accumulator > value, 0x45: bool(accumulator & value)}[
                kind
            ]
            at += yes if holds else no
