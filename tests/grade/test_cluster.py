"""A real Dask scheduler with two workers on this machine; one is killed midway, and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

distributed = pytest.importorskip(
    "distributed", reason="Dask's distributed is not installed (extra: cluster)"
)

from oracle.grade.cluster import Cluster, ClusterError  # noqa: E402
from oracle.grade.job import Job, Options  # noqa: E402
from oracle.grade.run import grade_all  # noqa: E402
from oracle.grade.submissions import Submission  # noqa: E402

ENGINES = Path(__file__).parents[1] / "engines"
SLOW = b"\nclass _Wait:\n    import time\n    time.sleep(0.3)\n"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of a scheduler, and its two workers."""
    folder = tmp_path_factory.mktemp("dask")
    address = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    started = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "distributed.cli.dask_scheduler",
                "--host",
                "127.0.0.1",
                "--port",
                "0",
                "--no-dashboard",
                "--scheduler-file",
                str(address),
            ],
            **quiet,
        )
    ]
    workers = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "distributed.cli.dask_worker",
                "--scheduler-file",
                str(address),
                "--nthreads",
                "1",
                "--no-nanny",
                "--no-dashboard",
                "--host",
                "127.0.0.1",
                "--local-directory",
                str(folder),
            ],
            **quiet,
        )
        for _ in range(2)
    ]
    started += workers
    try:
        with distributed.Client(scheduler_file=str(address), timeout=60) as client:
            client.wait_for_workers(2, timeout=60)
            where: str = client.scheduler.address
        yield where, workers
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_one_of_two_workers_is_killed(cluster: tuple[str, list[subprocess.Popen[bytes]]]) -> None:
    address, workers = cluster
    source = (ENGINES / "closures.py").read_bytes() + SLOW
    jobs = [
        Job(
            Submission(name, f"{name}.py", ((f"{name}.py", source),)),
            Options(pattern="coerce/add*"),
            pages=False,
        )
        for name in (f"s{n:02}" for n in range(10))
    ]
    killed = []

    def tell(done: int, of: int, last: object) -> None:
        if done == 2 and not killed:
            os.kill(workers[0].pid, signal.SIGKILL)
            killed.append(workers[0].wait(10))

    found = grade_all(jobs, Cluster(address), tell=tell)
    assert killed == [-signal.SIGKILL]
    assert found.complete and [e.name for e in found.entries] == [job.submission.name for job in jobs]
    assert {e.report.exit_code for e in found.entries} == {0}
    assert workers[1].poll() is None


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_no_scheduler_is_a_sentence(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oracle.grade.cluster.PATIENCE", 1.0)
    with pytest.raises(ClusterError, match="no scheduler answers there"):
        Cluster(address)


def test_without_dask_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"minigrad-oracle\[cluster\].*--shard"):
        Cluster("tcp://127.0.0.1:9")
