"""Batches made by other processes, ahead of the one that trains."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

AHEAD = 4


def feed(stream: Callable[[int], Iterator[T]], workers: int) -> Iterator[T]:
    """What `stream(0)` to `stream(workers - 1)` yield, interleaved; `stream` must never end.

    Forked, so that the tokenized rows are shared.  No worker: in this process.
    """
    if workers == 0:
        yield from stream(0)
    fork = multiprocessing.get_context("fork")
    queues = [fork.Queue(AHEAD) for _ in range(workers)]

    def fill(worker: int) -> None:
        # Whatever the parent does when it is asked to stop, these only end: at its exit it waits for that.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for item in stream(worker):
            queues[worker].put(item)

    for worker in range(workers):
        fork.Process(target=fill, args=(worker,), daemon=True).start()
    while True:
        for queue in queues:
            yield queue.get()
