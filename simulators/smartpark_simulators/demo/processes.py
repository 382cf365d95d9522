"""Child processes that are watched: started, restarted when they die unasked, ended in order.

Every child is the `smartpark` command of this environment, in a session of its own, so that Ctrl-C reaches only the
supervisor, which then ends its children one after the other. What a child says goes to its log file.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartpark.cli import command_line
from smartpark.errors import SmartparkError

_LONGEST_WAIT_S = 10.0


class DemoError(SmartparkError):
    """The demo cannot go on."""


def command(*arguments: str) -> list[str]:
    """Command line of a smartpark command in this very environment."""
    return bound_to_us(command_line(*arguments))


def bound_to_us(line: list[str]) -> list[str]:
    """The same command line, ended by the kernel when we are gone, where the system can do that."""
    setpriv = shutil.which("setpriv")
    # A supervisor that is killed cannot end its children; Linux does it in its place.
    return [setpriv, "--pdeathsig", "TERM", *line] if setpriv and sys.platform == "linux" else line


def run_once(arguments: Sequence[str], environment: Mapping[str, str], *, log: Path, timeout_s: float = 120.0) -> str:
    """Run a command to its end; its output, or `DemoError` with what it said."""
    done = ask(arguments, environment, timeout_s=timeout_s)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ smartpark {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise DemoError(f"smartpark {' '.join(arguments[:2])} did not work (exit {done.returncode}): {said}")
    return done.stdout


def ask(
    arguments: Sequence[str], environment: Mapping[str, str], *, timeout_s: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, whatever its exit code."""
    try:
        return subprocess.run(
            command(*arguments),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DemoError(f"smartpark {' '.join(arguments[:2])} did not end within {timeout_s:.0f} s") from None


def parse_object(text: str, *, of: str) -> dict[str, Any]:
    """Parse the one JSON object that a command printed last."""
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        found = json.loads(lines[-1]) if lines else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise DemoError(f"{of} did not answer with a JSON object: {text[:200]!r}")
    return found


@dataclass(slots=True)
class Child:
    """A long-running command."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    due: float = 0.0
    """Monotonic time before which it is not started again."""

    def start(self) -> None:
        """Start it; its output is added to its log."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command(*self.arguments),
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def exit_code(self) -> int | None:
        """None while it runs, or was never started."""
        return None if self.process is None else self.process.poll()

    def last_words(self, lines: int = 8) -> str:
        """End of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def end(self, timeout_s: float = 20.0) -> int | None:
        """Ask it to stop, insist when it does not; its exit code."""
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


@dataclass(slots=True)
class Household:
    """All children, in the order of their start."""

    tell: Callable[[str], None]
    children: list[Child] = field(default_factory=list[Child])

    def start(self, child: Child) -> Child:
        """Start a child and watch it from now on."""
        child.start()
        self.children.append(child)
        return child

    def look_after(self) -> None:
        """Start again whoever has died, the later the more often it happens."""
        now = time.monotonic()
        for child in self.children:
            code = child.exit_code
            if code is None:
                continue
            if not child.due:
                child.restarts += 1
                child.due = now + min(0.2 * 2**child.restarts, _LONGEST_WAIT_S)
                self.tell(f"{child.name} ended ({_why(code)}); will be started again")
            elif now >= child.due:
                child.due = 0.0
                child.start()

    def wait_until(self, condition: Callable[[], bool], *, what: str, timeout_s: float, fatal: bool = True) -> bool:
        """Look after everybody until a condition holds; `DemoError` (or False) when it does not in time."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.look_after()
            if time.monotonic() > deadline:
                if not fatal:
                    return False
                raise DemoError(f"{what} did not happen within {timeout_s:.0f} s\n{self._troubled()}")
            time.sleep(0.05)
        return True

    def end(self, child: Child, timeout_s: float = 30.0) -> int | None:
        """Stop one child for good."""
        if child in self.children:
            self.children.remove(child)
        return child.end(timeout_s)

    def end_all(self) -> None:
        """Stop everybody, the last one first."""
        while self.children:
            self.end(self.children[-1])

    def _troubled(self) -> str:
        """Last words of those who had to be started again, else of all."""
        chosen = [child for child in self.children if child.restarts] or self.children
        return "\n".join(f"--- {child.name} ({child.log})\n{child.last_words()}" for child in chosen)


def _why(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
