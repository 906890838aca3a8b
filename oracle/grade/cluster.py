"""Jobs on a Dask cluster: each is carried whole, so that the workers need no file of ours but the oracle itself."""

from __future__ import annotations

import queue
from collections.abc import Iterable, Iterator
from typing import Any

from oracle.grade.job import Graded, Job, failed, grade

LOST = 3
"""Workers that may die under one job before it is given up."""


PATIENCE = 10.0
"""Seconds to wait for a scheduler to answer."""


class ClusterError(Exception):
    """The cluster cannot be used: a sentence."""


class Cluster:
    """The workers of a Dask scheduler. A worker that is lost gives its jobs back; the scheduler hands them on."""

    def __init__(self, address: str) -> None:
        """Connect. Raises ClusterError."""
        try:
            import distributed
        except ImportError:
            raise ClusterError(
                f"{address}: Dask is not installed; pip install 'minigrad-oracle[cluster]', or use --shard I/N"
            ) from None
        try:
            self._client: Any = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as problem:
            raise ClusterError(f"{address}: no scheduler answers there ({type(problem).__name__})") from None

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Graded]]:
        futures: dict[Any, Job] = {}
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        try:
            for job in jobs:
                future = self._client.submit(grade, job, pure=False, retries=LOST)
                futures[future] = job
                future.add_done_callback(done.put)
            for _ in range(len(futures)):
                future = done.get()
                job = futures[future]
                if future.status == "finished":
                    yield job, future.result()
                else:
                    problem = future.exception()
                    yield (
                        job,
                        Graded(failed(job, f"the cluster lost it: {type(problem).__name__}: {problem}")),
                    )
        finally:
            self._client.cancel(list(futures))
            self._client.close()
