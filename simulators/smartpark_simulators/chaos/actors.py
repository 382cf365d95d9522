"""The processes of the park: each can be killed, kept away and started again; who dies unasked is noted.

Unlike the demo's household nobody is started again by himself: how long somebody stays away is the plan's to say.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from smartpark.cli import command_line

from smartpark_simulators.demo.processes import DemoError, bound_to_us


@dataclass(slots=True)
class Actor:
    """One process."""

    name: str
    line: list[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    is_wanted: bool = False
    unasked: list[int] = field(default_factory=list[int])
    """Exit codes of its ends that nobody had asked for."""

    def start(self) -> None:
        """Start it; its words are added to its log, through a pipe: its disk may be full while ours is not."""
        if self.pid is not None:
            raise DemoError(f"{self.name} runs already: two of a kind would fight for its files")
        self.process = subprocess.Popen(
            bound_to_us(self.line),
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        threading.Thread(target=_keep, args=(self.process.stdout, self.log), daemon=True).start()
        self.is_wanted = True

    def kill(self) -> None:
        """SIGKILL, to it and whatever it started."""
        self.is_wanted = False
        if self.process is not None:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def end(self, timeout_s: float = 30.0) -> int | None:
        """Ask it to end, insist when it does not; its exit code."""
        self.is_wanted = False
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        return self.process.returncode

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return None if self.process is None or self.process.poll() is not None else self.process.pid

    def look_after(self) -> int | None:
        """Start it again when it died unasked; its exit code then."""
        if not self.is_wanted or self.process is None or (code := self.process.poll()) is None:
            return None
        self.unasked.append(code)
        self.start()
        return code

    def last_words(self, lines: int = 12) -> str:
        """End of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _keep(said: IO[bytes], log: Path) -> None:
    with said, log.open("ab", buffering=0) as file:
        while words := said.read1(65_536):  # pyright: ignore[reportAttributeAccessIssue]  a BufferedReader
            file.write(words)


def smartpark(*arguments: str) -> list[str]:
    """Command line of a smartpark command."""
    return command_line(*arguments)


def turned_agent(offset: Path, *arguments: str) -> list[str]:
    """Command line of an agent whose clock follows a file."""
    return [sys.executable, "-m", "smartpark_simulators.chaos.agent_clock", str(offset), *arguments]
