"""Starts N ingest workers as processes of their own and keeps them running; it does no work itself.

A worker that ends unasked is started again, the later the more often it ends. Workers end with their supervisor: each
has the reading end of a pipe as its standard input and stops when that closes, also when the supervisor was killed.
"""

import logging
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from smartpark.cli import command_line
from smartpark.metrics_options import MetricsPortError

from smartpark_ingest.shards import Shard
from smartpark_ingest.vitals import SupervisorVitals, WorkerProcess

_log = logging.getLogger(__name__)

_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 30.0
_STEADY_S: Final = 60.0
"""A worker that ran so long has recovered: its next end starts counting anew. [s]"""
_STOP_S: Final = 15.0


@dataclass(slots=True)
class _Child:
    """One worker, and when to start it (again)."""

    shard: Shard
    ready_file: Path
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    due_s: float = 0.0
    wait_s: float = field(default=_FIRST_WAIT_S)


class Supervisor:
    """N workers, one per shard."""

    def __init__(
        self,
        count: int,
        arguments: Sequence[str],
        *,
        ready_file: Path | None,
        stop: threading.Event,
        metrics: tuple[str, int] | None = None,
    ) -> None:
        self._count = count
        self._arguments = tuple(arguments)
        self._ready_file = ready_file
        self._stop = stop
        self._ports = _ports_of_workers(metrics, count)
        self._workers = {f"{index}/{count}": WorkerProcess() for index in range(count)}
        ports = {f"{index}/{count}": address for index, address in self._ports.items()}
        self.vitals = SupervisorVitals(self._workers, ports)

    def run(self) -> None:
        """Supervise until asked to stop, then let the workers finish what they have in hand."""
        if self._ready_file is not None:
            self._ready_file.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(prefix="smartpark-ingest-") as folder:
            children = [
                _Child(Shard(index, self._count), Path(folder) / f"ready-{index}") for index in range(self._count)
            ]
            try:
                while not self._stop.wait(0.1):
                    self.vitals.pulse.beat()
                    for child in children:
                        self._look_after(child)
                    self._say_ready(children)
            finally:
                _end(children)
                if self._ready_file is not None:
                    self._ready_file.unlink(missing_ok=True)

    def _look_after(self, child: _Child) -> None:
        now_s = time.monotonic()
        if child.process is not None and child.process.poll() is not None:
            if now_s - child.started_s > _STEADY_S:
                child.wait_s = _FIRST_WAIT_S
            pause_s = child.wait_s * random.uniform(0.5, 1.0)  # noqa: S311  spreads load, hides nothing
            _log.error(
                "worker %s ended with code %s; starting it again in %.1f s",
                child.shard.client_id,
                child.process.returncode,
                pause_s,
            )
            child.process, child.due_s = None, now_s + pause_s
            known = self._workers[_name_of(child.shard)]
            known.running, known.restarts = False, known.restarts + 1
            child.wait_s = min(2 * child.wait_s, _LONGEST_WAIT_S)
        if child.process is None and now_s >= child.due_s:
            self._start(child)

    def _start(self, child: _Child) -> None:
        shard = _name_of(child.shard)
        child.started_s = time.monotonic()
        child.process = subprocess.Popen(
            [
                *command_line(*self._arguments),
                *("--shard", shard, "--ready-file", str(child.ready_file), "--until-stdin-closes"),
                *self._metrics_of(child.shard),
            ],
            stdin=subprocess.PIPE,
        )
        self._workers[_name_of(child.shard)].running = True

    def _metrics_of(self, shard: Shard) -> tuple[str, ...]:
        if shard.index not in self._ports:
            return ()
        host, port = self._ports[shard.index]
        return "--metrics-host", host, "--metrics-port", str(port)

    def _say_ready(self, children: list[_Child]) -> None:
        ready = self._ready_file
        if ready is not None and not ready.exists() and all(child.ready_file.exists() for child in children):
            ready.write_text(f"{self._count} workers\n", encoding="utf-8")


def _name_of(shard: Shard) -> str:
    return f"{shard.index}/{shard.count}"


def _ports_of_workers(metrics: tuple[str, int] | None, count: int) -> dict[int, tuple[str, int]]:
    """The supervisor is at the port asked for, worker k at the k-th after it."""
    if metrics is None:
        return {}
    host, first = metrics
    if not 0 < first <= 65_535 - count:
        raise MetricsPortError(f"port {first}: {count} workers need a port of their own, the {count} after this one")
    return {index: (host, first + 1 + index) for index in range(count)}


def _end(children: list[_Child]) -> None:
    running = [child.process for child in children if child.process is not None]
    for process in running:
        process.terminate()
    deadline_s = time.monotonic() + _STOP_S
    for process in running:
        try:
            process.wait(max(0.1, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            _log.warning("worker process %d does not end; killing it", process.pid)
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()
