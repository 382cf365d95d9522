"""Real processes of the `smartpark` command, started by a test and surely gone after it.

A process started here is ended by the fixture: first politely (SIGTERM), then not. What it wrote is kept and shown
when something it should have done did not happen. Waiting is always for a condition, never for a time.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from smartpark.cli import command_line


class SmartparkProcess:
    """One running `smartpark …`, with everything it says in a file."""

    def __init__(self, arguments: tuple[str, ...], environment: Mapping[str, str], log: Path) -> None:
        self.arguments = arguments
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command_line(*arguments),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                # A group of its own, so that `kill_group` reaches the workers of a supervisor too.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_for_file(self, path: Path, *, timeout_s: float = 90.0) -> None:
        """Wait for a ready file, and fail with the process's own words when it ends before."""
        deadline = time.monotonic() + timeout_s
        while not path.exists():
            if not self.is_running:
                pytest.fail(f"{self} ended with {self.process.returncode} before it was ready:\n{self.output()}")
            if time.monotonic() > deadline:
                pytest.fail(f"{self} was not ready within {timeout_s:g} s:\n{self.output()}")
            time.sleep(0.02)

    def terminate(self, *, timeout_s: float = 60.0) -> int:
        """Ask it to end, and return its exit code."""
        if self.is_running:
            self.process.terminate()
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"{self} did not end within {timeout_s:g} s of SIGTERM:\n{self.output()}")

    def kill(self) -> None:
        """SIGKILL to this process alone."""
        self.process.kill()
        self.process.wait()

    def kill_group(self) -> None:
        """SIGKILL to it and to everything it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def __str__(self) -> str:
        return f"smartpark {' '.join(self.arguments)}"


class SmartparkRunner:
    """Starts `smartpark` commands for one test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.processes: list[SmartparkProcess] = []

    def start(self, *arguments: object, environment: Mapping[str, str] | None = None) -> SmartparkProcess:
        """Start a command in the background."""
        words = tuple(str(argument) for argument in arguments)
        log = self._folder / f"{len(self.processes)}-{'-'.join(words[:2]).replace('/', '_')}.log"
        process = SmartparkProcess(words, environment or {}, log)
        self.processes.append(process)
        return process

    def run(
        self, *arguments: object, environment: Mapping[str, str] | None = None, timeout_s: float = 120.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; the caller looks at `returncode`, `stdout` and `stderr`."""
        return subprocess.run(
            command_line(*(str(a) for a in arguments)),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
            timeout=timeout_s,
        )


@pytest.fixture
def smartpark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmartparkRunner]:
    """Start `smartpark` commands that end with the test."""
    runner = SmartparkRunner(tmp_path_factory.mktemp("smartpark-processes"))
    yield runner
    for process in runner.processes:
        # Shown where the test has failed, and nowhere else.
        print(  # noqa: T201  into pytest's report
            f"{process} ({process.process.poll()}):\n" + "\n".join(process.output().splitlines()[-30:])
        )
    for process in reversed(runner.processes):
        if process.is_running:
            process.process.terminate()
    for process in reversed(runner.processes):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.process.wait(5)
        process.kill_group()
