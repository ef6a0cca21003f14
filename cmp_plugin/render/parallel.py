"""Many renders at once, for the commands that render more than one service.

In: tasks and the work that each needs. Out: every task with its result or its error, in the order of the
tasks. It prints nothing and collects no errors: what an error means is the caller's matter.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event
from typing import TypeVar

from ..errors import CmpError
from ..system.process import Deadline

# What a person waits for one service at most; under Argo CD its own, shorter limit counts (argocd/contract).
RENDER_SECONDS = 600.0
# The system may hand Ctrl-C to a thread that is not waiting for anything, so the main thread wakes up this often.
WAKE_SECONDS = 0.5
Task = TypeVar("Task")
Result = TypeVar("Result")


def in_parallel(
    tasks: Sequence[Task], jobs: int | None, work: Callable[[Task, Deadline], Result]
) -> Iterator[tuple[Task, Result | CmpError]]:
    """Does `work`, a render, on every task, `jobs` at once (None: one per core), and yields the results in order.

    When the caller stops early, as at Ctrl-C, no render goes on: the deadline of each one expires.
    """
    started: list[Deadline] = []
    ended = Event()

    def attempt(task: Task) -> Result | CmpError:
        deadline = Deadline(RENDER_SECONDS)
        started.append(deadline)
        if ended.is_set():
            # It began in the moment of the end, too late to be in the list below.
            deadline.expire()
        try:
            return work(task, deadline)
        except CmpError as error:
            return error

    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        try:
            futures = deque(pool.submit(attempt, task) for task in tasks)
            for task in tasks:
                # A result that was handed on is not kept: together they may be large.
                yield task, _awaited(futures.popleft())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            ended.set()
            for deadline in started:
                deadline.expire()


def _awaited(future: Future[Result]) -> Result:
    while not wait([future], WAKE_SECONDS).done:
        continue
    return future.result()
