"""Several agents in one process: start, watch their files, apply changes, stop when told. It never gives up itself.

Signals: SIGTERM and SIGINT stop cleanly, SIGHUP reads the files again (a changed file is also noticed by itself).
A disk that takes nothing when an agent starts is waited for, as it is while the agent runs.
"""

import json
import logging
import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

from smartpark.errors import InvalidFileError, SmartparkError

from smartpark_edge.agent import Agent
from smartpark_edge.check import check_files
from smartpark_edge.mqtt_client import Backoff
from smartpark_edge.settings import Settings
from smartpark_edge.spool_file import DiskRefusesError
from smartpark_edge.vitals import AgentsVitals

_log = logging.getLogger(__name__)

_LOOK_S: Final = 0.5
_RATE_S: Final = 5.0


@dataclass(slots=True)
class _Watched:
    """An agent and the file it comes from."""

    path: Path
    agent: Agent
    stamp: tuple[int, int]


class Supervisor:
    """Runs the agents of some files."""

    def __init__(self, paths: Sequence[Path], ready_file: Path | None = None) -> None:
        self._ready_file = ready_file
        self._stop = threading.Event()
        self._reread = threading.Event()
        self._ready = False
        self._ready_trouble = ""
        settings = check_files(paths)
        self._watched: list[_Watched] = []
        try:
            for path, one in zip(paths, settings, strict=True):
                self._watched.append(_Watched(path, _opened(one), _stamp(path)))
        except BaseException:  # raised again; the spools opened so far must not stay locked
            for watched in self._watched:
                watched.agent.spool.close()
            raise
        self.vitals = AgentsVitals([watched.agent for watched in self._watched])

    def run(self) -> None:
        """Work until a signal says stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_hangup)
        self._forget_ready()
        try:
            for watched in self._watched:
                watched.agent.start()
            self._watch()
        finally:
            self._forget_ready()
            for watched in self._watched:
                watched.agent.stop()
            _log.info("stopped")

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _on_hangup(self, _number: int, _frame: FrameType | None) -> None:
        self._reread.set()

    def _watch(self) -> None:
        rate_due = 0.0
        while not self._stop.wait(_LOOK_S):
            self.vitals.pulse.beat()
            if self._reread.is_set() or any(_stamp(w.path) != w.stamp for w in self._watched):
                self._reread.clear()
                self._reload()
            for watched in self._watched:
                if watched.agent.is_broken:
                    self._revive(watched.agent)
            if time.monotonic() >= rate_due:
                rate_due = time.monotonic() + _RATE_S
                for watched in self._watched:
                    watched.agent.save_rate()
            self._show_ready()

    def _revive(self, agent: Agent) -> None:
        try:
            agent.revive()
        except SmartparkError as error:
            _log.error("%s: cannot start again yet: %s", agent.settings.edge.code, error)

    def _reload(self) -> None:
        """Apply changed files; a wrong one changes nothing."""
        for watched in self._watched:
            watched.stamp = _stamp(watched.path)
        try:
            settings = check_files([watched.path for watched in self._watched])
        except InvalidFileError as error:
            for problem in error.problems:
                _log.error("new settings refused, the old ones stay in force: %s", problem)
            return
        for watched, new in zip(self._watched, settings, strict=True):
            if new == watched.agent.settings:
                continue
            try:
                watched.agent.apply(new)
            except SmartparkError as error:
                _log.error("new settings refused, the old ones stay in force: %s", error)
            else:
                self._ready = False
                _log.info("%s: new settings in force", new.edge.code)

    def _show_ready(self) -> None:
        if self._ready or not all(watched.agent.is_ready for watched in self._watched):
            return
        codes = [watched.agent.settings.edge.code for watched in self._watched]
        try:
            self._write_ready_file(codes)
        except OSError as error:
            # Its disk may be full, as the spool's may be: no reason to stop hearing the meters.
            if str(error) != self._ready_trouble:
                self._ready_trouble = str(error)
                _log.warning("cannot say in a file that all are ready, trying again: %s", error)
            return
        self._ready, self._ready_trouble = True, ""
        _log.info("ready: %s", ", ".join(codes))

    def _write_ready_file(self, codes: Sequence[str]) -> None:
        if self._ready_file is not None:
            text = json.dumps({"edges": codes, "pid": os.getpid()})
            draft = self._ready_file.with_name(self._ready_file.name + ".new")
            draft.write_text(text, encoding="utf-8")
            draft.replace(self._ready_file)

    def _forget_ready(self) -> None:
        if self._ready_file is not None:
            self._ready_file.unlink(missing_ok=True)


def _opened(settings: Settings) -> Agent:
    """An agent with its spool open, as soon as its disk allows."""
    backoff, told = Backoff(), ""
    while True:
        try:
            return Agent(settings)
        except DiskRefusesError as error:
            if str(error) != told:
                told = str(error)
                _log.warning("%s: %s; nothing is heard meanwhile, trying again", settings.edge.code, error)
            # Nothing is open yet: whoever wants it to stop may simply end it.
            time.sleep(backoff.next())


def _stamp(path: Path) -> tuple[int, int]:
    """Modification time and size; (0, 0) while an editor has the file away."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
