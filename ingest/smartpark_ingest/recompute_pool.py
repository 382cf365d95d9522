"""Parts on several processes of this machine; a process that dies costs its part's time, and nothing else.

Each process gets one part at a time through a pipe of its own and tells through it how far it is. When one ends
unasked (killed, out of memory), another takes its place and the part is given out again; a part that has ended three
processes is named and given up, because it would end a fourth.
"""

import multiprocessing
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Final

from smartpark.errors import SmartparkError

from smartpark_ingest.recompute import Part, RecomputeReport, recompute_part

ATTEMPTS: Final = 3
"""Processes that one part may cost."""

Progress = Callable[[Part, int], None]
"""Told how many days of a part are done."""


class PartLostError(SmartparkError):
    """A part ended every process it was given to."""


@dataclass(frozen=True, slots=True)
class _Worker:
    process: BaseProcess
    pipe: Pipe


def recompute_in_processes(parts: Sequence[Part], workers: int, progress: Progress) -> RecomputeReport:
    """Compute parts anew on so many processes.

    Raises
    ------
    PartLostError
        When a part has ended `ATTEMPTS` processes.
    SmartparkError
        What a part itself could not do.
    """
    return _Pool(parts, progress).run(min(workers, len(parts)))


class _Pool:
    def __init__(self, parts: Sequence[Part], progress: Progress) -> None:
        self._waiting = deque(parts)
        self._progress = progress
        self._working: dict[Pipe, tuple[_Worker, Part]] = {}
        self._attempts: dict[Part, int] = {}
        self._report = RecomputeReport()
        # A fresh interpreter: nothing of ours, no connection and no lock, is inherited by half.
        self._context = multiprocessing.get_context("spawn")

    def run(self, workers: int) -> RecomputeReport:
        try:
            for _ in range(workers):
                self._give_out(self._start())
            while self._working:
                for pipe in wait(list(self._working)):
                    if isinstance(pipe, Pipe):
                        self._listen(*self._working[pipe])
        finally:
            for worker, _ in self._working.values():
                worker.process.terminate()
                worker.process.join()
        return self._report

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs,), name="smartpark recompute", daemon=True)
        process.start()
        # Its end is the process's alone, so that we hear when that has died.
        theirs.close()
        return _Worker(process, ours)

    def _give_out(self, worker: _Worker) -> None:
        if not self._waiting:
            worker.pipe.close()
            worker.process.join()
            return
        part = self._waiting.popleft()
        self._attempts[part] = self._attempts.get(part, 0) + 1
        self._working[worker.pipe] = worker, part
        try:
            worker.pipe.send(part)
        except BrokenPipeError:
            self._begin_again(worker, part)

    def _listen(self, worker: _Worker, part: Part) -> None:
        try:
            said: int | RecomputeReport | Exception = worker.pipe.recv()
        except (EOFError, ConnectionResetError):
            self._begin_again(worker, part)
            return
        if isinstance(said, int):
            self._progress(part, said)
        elif isinstance(said, RecomputeReport):
            self._report.add(said)
            del self._working[worker.pipe]
            self._give_out(worker)
        else:
            raise said

    def _begin_again(self, worker: _Worker, part: Part) -> None:
        del self._working[worker.pipe]
        worker.pipe.close()
        worker.process.join()
        if self._attempts[part] >= ATTEMPTS:
            raise PartLostError(
                f"{part.month} of {part.park} has ended {ATTEMPTS} processes (the last with "
                f"{worker.process.exitcode}); what was computed before is kept"
            )
        self._report.repeated += 1
        self._progress(part, 0)
        self._waiting.appendleft(part)
        self._give_out(self._start())


def _work(pipe: Pipe) -> None:
    """Life of a process: parts in, days done and reports out, until nobody sends any more."""
    while True:
        try:
            part: Part = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(recompute_part(part, pipe.send))
        except SmartparkError as error:
            pipe.send(error)
        except (BrokenPipeError, KeyboardInterrupt):
            return  # whoever asked has gone
