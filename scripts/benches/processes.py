"""Processes that a bench starts and watches: a broker, `smartpark` commands; their processor time and memory."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from smartpark.cli import command_line
from smartpark_simulators.broker import mosquitto_path
from smartpark_simulators.ports import free_port

_BROKER = (
    "import sys; from pathlib import Path; from smartpark_simulators.broker import exec_broker;"
    " exec_broker(Path(sys.argv[1]), int(sys.argv[2]), (), kind=sys.argv[3])"
)


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker without users, on the loopback interface."""

    kind: str
    port: int
    process: psutil.Process

    @property
    def url(self) -> str:
        """Its address."""
        return f"mqtt://127.0.0.1:{self.port}"


@contextmanager
def running_broker() -> Iterator[Broker]:
    """Mosquitto where it is installed, else the wheel's rumqttd; which of the two is said."""
    kind = "mosquitto" if mosquitto_path() else "rumqttd"
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="smartpark-bench-") as folder:
        line = [sys.executable, "-c", _BROKER, folder, str(port), kind]
        with running(line, Path(folder) / "log") as process:
            wait_until(lambda: _listens(port), what=f"{kind} listens")
            yield Broker(kind, port, process)


@contextmanager
def running_command(
    *arguments: str, environment: Mapping[str, str], ready: Path, log: Path
) -> Iterator[psutil.Process]:
    """Run a smartpark command until its ready file appears, and on until the end of the block."""
    with running(command_line(*arguments), log, environment) as process:
        is_over = lambda: ready.exists() or process.status() == psutil.STATUS_ZOMBIE  # noqa: E731
        wait_until(is_over, what=f"smartpark {' '.join(arguments[:2])} is ready", log=log)
        if not ready.exists():
            said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise SystemExit(f"scripts/bench: smartpark {' '.join(arguments[:2])} ended:\n{said}")
        yield process


@contextmanager
def running(line: list[str], log: Path, environment: Mapping[str, str] | None = None) -> Iterator[psutil.Process]:
    """Run a program; at the end it is asked to stop."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            line, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, **(environment or {})}
        )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(condition: Callable[[], bool], *, what: str, timeout_s: float = 60.0, log: Path | None = None) -> None:
    """Wait; when it takes too long, end the bench and say what was waited for."""
    give_up = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > give_up:
            said = "" if log is None else "\n" + log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise SystemExit(f"scripts/bench: waited in vain until {what}{said}")
        time.sleep(0.02)


def cpu_seconds(process: psutil.Process) -> float:
    """Processor time of a process and of those it has started."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system
    return total


def memory_mb(process: psutil.Process) -> float:
    """Resident memory of a process and of those it has started, in MB."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += one.memory_info().rss
    return total / 2**20


@dataclass(slots=True)
class MemoryWatch:
    """Memory of some processes, looked at every second in a thread of its own."""

    processes: dict[str, psutil.Process]
    seen: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    _done: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look until the end of the block."""
        thread = threading.Thread(target=self._look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()

    def _look(self) -> None:
        while not self._done.wait(1.0):
            for name, process in self.processes.items():
                self.seen.setdefault(name, []).append(memory_mb(process))

    def report(self) -> dict[str, dict[str, float]]:
        """Per process the mean of the first and of the last fifth, and the peak, in MB."""
        told: dict[str, dict[str, float]] = {}
        for name, seen in self.seen.items():
            part = max(len(seen) // 5, 1)
            told[name] = {
                "first": round(sum(seen[:part]) / part, 1),
                "last": round(sum(seen[-part:]) / part, 1),
                "peak": round(max(seen), 1),
            }
        return told


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
        return True
    return False
