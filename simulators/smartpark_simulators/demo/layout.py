"""Where the demo keeps its things, and the credentials that it makes up on its first start.

One folder holds the database, the broker's files, the agents' spools and settings, the truth ledger and the logs.
Passwords are random, in files that only their owner can read, and never in a command line or an environment.
"""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from smartpark_simulators.ports import free_ports, is_free

EDGES = ("edge-a", "edge-b")
_DEVICE_TOPICS = ("tele/#", "meters/#", "logger/#", "+/events/rpc", "/gw/#")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the processes of this start listen, on the loopback interface."""

    broker: int
    opcua: int
    pages: int

    @staticmethod
    def choose(pages: int) -> "Ports":
        """Free ports; for the pages the one that was asked for, when it is free."""
        broker, opcua, other = free_ports(3)
        return Ports(broker, opcua, pages if pages and is_free(pages) else other)


@dataclass(frozen=True, slots=True)
class Layout:
    """Files of one demo folder."""

    folder: Path

    @property
    def database(self) -> Path:
        """Folder of the embedded database."""
        return self.folder / "database"

    @property
    def broker(self) -> Path:
        """Folder of the broker."""
        return self.folder / "broker"

    @property
    def users(self) -> Path:
        """Users of the broker, with passwords and rights."""
        return self.folder / "secrets" / "broker-users.json"

    @property
    def ledger(self) -> Path:
        """The truth ledger."""
        return self.folder / "truth.sqlite"

    @property
    def desk(self) -> Path:
        """Load requests that were made up for the desk, once."""
        return self.folder / "desk.jsonl"

    @property
    def attachments(self) -> Path:
        """Documents of load requests."""
        return self.folder / "attachments"

    @property
    def console_key(self) -> Path:
        """What signs the console's cookies."""
        return self.folder / "secrets" / "console.key"

    @property
    def shell(self) -> Path:
        """Lines for the shell of whoever wants to ask this park things: `. FILE`."""
        return self.folder / "env"

    @property
    def adopted_database(self) -> Path:
        """Notes which foreign database belongs to this folder."""
        return self.folder / "database.json"

    def password(self, user: str) -> Path:
        """Password file of a user of the broker."""
        return self.folder / "secrets" / f"{user}.password"

    def edge(self, code: str) -> Path:
        """Settings of an agent."""
        return self.folder / "edge" / f"{code}.toml"

    def ready(self, process: str) -> Path:
        """File by which a process says that it is ready."""
        return self.folder / "run" / f"{process}.ready"

    def log(self, process: str) -> Path:
        """What a process has said."""
        return self.folder / "logs" / f"{process}.log"

    def prepare(self) -> None:
        """Make the folders, forget the last run's ready files, and invent the credentials that are missing."""
        for name in ("secrets", "edge", "run", "logs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "secrets").chmod(0o700)
        for file in (self.folder / "run").iterdir():
            file.unlink()
        for user in rights():
            if not self.password(user).exists():
                write_private(self.password(user), secrets.token_hex(24))
        entries = [
            {"name": user, "password": self.password(user).read_text(encoding="utf-8"), "rights": granted}
            for user, granted in rights().items()
        ]
        write_private(self.users, json.dumps(entries, indent=1))


def rights() -> dict[str, list[str]]:
    """Users of the broker, and what each may touch: nobody reads or writes what is not theirs."""
    edges = {
        code: [*(f"read {topic}" for topic in _DEVICE_TOPICS), f"readwrite smartpark/v1/{code}/#"] for code in EDGES
    }
    return {
        **edges,
        "devices": [f"write {topic}" for topic in _DEVICE_TOPICS],
        "ingest": ["readwrite smartpark/v1/#"],
    }


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    draft = file.with_name(file.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
        handle.write(text)
    draft.replace(file)
