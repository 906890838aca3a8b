"""seccomp: a filter of system calls, so that an engine computes and does nothing else.

Calls that no engine needs are answered with an error; the rest pass. `install` cannot be undone, and holds for
every thread and across exec. Numbers: the kernel's tables for x86-64 and aarch64; a test compares them with the
headers of the machine.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Machine → its column in the tables below, and what the kernel calls it."""

NEWEST = 467
"""Calls that were added to the kernel later than this one are not known here, and do not pass (x32 neither)."""

REFUSED: dict[str, dict[str, tuple[int | None, int | None]]] = {
    "network": {
        "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200),
    },
    "other processes": {
        "fork": (57, None), "vfork": (58, None), "ptrace": (101, 117), "tkill": (200, 130),
        "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "pidfd_send_signal": (424, 424),
        "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "process_vm_readv": (310, 270),
        "process_vm_writev": (311, 271), "process_madvise": (440, 440), "kcmp": (312, 272),
        "setsid": (112, 157), "setpgid": (109, 154), "setpriority": (141, 140),
        "sched_setscheduler": (144, 119), "sched_setattr": (314, 274), "ioprio_set": (251, 30),
    },
    "files, where Landlock has no say": {
        "truncate": (76, 45), "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53),
        "fchmodat2": (452, 452), "chown": (92, None), "fchown": (93, 55), "lchown": (94, None),
        "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None), "futimesat": (261, None),
        "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
        "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
        "setxattrat": (463, 463), "removexattrat": (466, 466), "open_by_handle_at": (304, 265),
        "mknod": (133, None), "mknodat": (259, 33), "mq_open": (240, 180), "mq_unlink": (241, 181),
    },
    "memory that no limit counts, or that stays when the process has ended": {
        "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196),
        "msgget": (68, 186), "semget": (64, 190),
    },
    "the machine": {
        "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
        "unshare": (272, 97), "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429),
        "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
        "mount_setattr": (442, 442), "bpf": (321, 280), "perf_event_open": (298, 241),
        "userfaultfd": (323, 282), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
        "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
        "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224),
        "swapoff": (168, 225), "sethostname": (170, 161), "setdomainname": (171, 162),
        "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171),
        "clock_adjtime": (305, 266), "acct": (163, 89), "quotactl": (179, 60), "syslog": (103, 116),
        "personality": (135, 92), "fanotify_init": (300, 262), "vhangup": (153, 58), "iopl": (172, None),
        "ioperm": (173, None), "modify_ldt": (154, None),
    },
}  # fmt: skip
"""Never permitted: EPERM. Why → name → number on x86-64, on aarch64 (None where it does not exist)."""

EXEC = {"execve": (59, 221), "execveat": (322, 281)}
"""Refused too, once the process is the program that it is meant to be."""

ABSENT = {
    "clone3": (
        435,
        435,
    ),  # its flags are in memory, out of a filter's sight; the C library falls back to clone
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}
"""Answered as by a kernel that does not have them, ENOSYS: callers then do without."""

CLONE, KILL, TGKILL, PRLIMIT, MMAP = (56, 220), (62, 129), (234, 131), (302, 261), (9, 222)
"""Permitted by their arguments: threads only; one's own process only; no memory shared with nobody."""

CLONE_THREAD, SHARED_ANONYMOUS = 0x10000, 0x21

ALLOW, ERROR, DIE = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, AND, EQUAL, GREATER, ANY, RETURN = 0x20, 0x54, 0x15, 0x25, 0x45, 0x06
"""Classic BPF: load a word of the call's description, mask it, jump by it, return a verdict."""

NUMBER, ARCHITECTURE = 0, 4
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2


def argument(k: int) -> int:
    """Where the lower half of a call's argument stands (both machines are little-endian)."""
    return 16 + 8 * k


def program(machine: str, pid: int, may_exec: bool) -> bytes:
    """The filter as BPF instructions. pid: the process that may signal itself. Raises KeyError for a machine."""
    column, architecture = ARCHITECTURES[machine]
    out: list[bytes] = []

    def add(code: int, value: int, yes: int = 0, no: int = 0) -> None:
        out.append(struct.pack("HBBI", code, yes, no, value))

    def refuse(numbers: Iterable[tuple[int | None, int | None]], error: int) -> None:
        for row in numbers:
            number = row[column]
            if number is not None:
                add(EQUAL, number, 0, 1)
                add(RETURN, ERROR | error)

    def unless(row: tuple[int, int], k: int, error: int, *tests: tuple[int, int, int]) -> None:
        """Refuse a call unless one of the tests (code, value, 1 if it must hold) on its argument k passes."""
        size = 1 + len(tests) + (tests[0][0] == AND) + 1
        add(EQUAL, row[column], 0, size)
        add(LOAD, argument(k))
        for n, (code, value, wanted) in enumerate(tests):
            if code == AND:
                add(AND, value)
                code = EQUAL
            past = len(tests) - n
            add(code, value, *((past, 0) if wanted else (0, past)))
        add(RETURN, ERROR | error)
        add(LOAD, NUMBER)

    add(LOAD, ARCHITECTURE)
    add(EQUAL, architecture, 1, 0)
    add(RETURN, DIE)
    add(LOAD, NUMBER)
    add(GREATER, NEWEST, 0, 1)
    add(RETURN, ERROR | errno.ENOSYS)
    refuse(ABSENT.values(), errno.ENOSYS)
    for group in REFUSED.values():
        refuse(group.values(), errno.EPERM)
    if not may_exec:
        refuse(EXEC.values(), errno.EPERM)
    unless(CLONE, 0, errno.EPERM, (ANY, CLONE_THREAD, 1))
    unless(KILL, 0, errno.EPERM, (EQUAL, pid, 1))
    unless(TGKILL, 0, errno.EPERM, (EQUAL, pid, 1))
    unless(PRLIMIT, 0, errno.EPERM, (EQUAL, 0, 1), (EQUAL, pid, 1))
    unless(MMAP, 3, errno.EPERM, (AND, SHARED_ANONYMOUS, 0))
    add(RETURN, ALLOW)
    return b"".join(out)


def install(may_exec: bool) -> None:
    """Filter this process's calls from here on. Raises OSError with the reason where that is not possible."""
    machine = os.uname().machine
    if machine not in ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"there is no table of system calls for {machine}")
    code = program(machine, os.getpid(), may_exec)
    held = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0
    ):
        raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")
