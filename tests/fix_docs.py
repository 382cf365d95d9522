"""Somebody who types what the documents say: in a folder of their own, before a database with the demonstration park.

`smartpark …` runs in this process; what the shell has to join runs in a shell, with the API served beside it. What a
document says of another machine holds for this one: its addresses, its databases, and what it lets `docker compose`
run inside of a service.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from docs_commands import ROOT
from docs_inside import inside
from docs_machine import lay_out_machine, on_the_machine
from docs_place import fill, key_of_a_reader, lay_out
from docs_reading import own_parser, words_of
from fix_api import serving
from fix_database import copied_database
from psycopg import connect as connect_plainly
from psycopg.conninfo import conninfo_to_dict
from smartpark.cli import main
from smartpark_api.app import create_app
from smartpark_api.settings import ApiSettings
from smartpark_storage import connect
from smartpark_storage.embedded_account import database_account
from smartpark_storage.embedded_account import programs as programs_of

SHELL = re.compile(r"[|&;<>$*\n]")
"""What only a shell can do something with."""
ADDRESSES = re.compile(
    r"https?://(127\.0\.0\.1:8000|park\.example\.org|minhou\.example\.cn)(?=[/\s\"]|$)", re.MULTILINE
)
BACKUPS = re.compile(r"(?:SMARTPARK_BACKUP_FOLDER|PGHOST|PGUSER)=\S+ ")
"""Where a machine keeps its backups, and its database: ours are others."""
OWN = re.compile(r"postgresql://postgres@127\.0\.0\.1/smartpark\b")
"""The database of a machine."""
PROVINCE = re.compile(r"postgresql://\S+/province")
"""The province's own database."""


@dataclass
class Reader:
    """Somebody who types what a document says."""

    dsn: str
    folder: Path
    guests: ExitStack
    capfd: pytest.CaptureFixture[str]
    new_database: Callable[[], Iterator[str]]
    address: str = ""
    province: str = ""
    said: list[str] = field(default_factory=list[str])
    """Variables that were set on the way."""

    def types(self, command: str) -> str:
        """Run a command; nothing, or what went wrong."""
        if "secrets/" in command or command.startswith("docker compose exec"):
            self.has_secrets()
        if "restore-drill" in command and not any((self.folder / "backups").iterdir()):
            assert self.in_shell("scripts/backup now") == ""
        if command.startswith("rm secrets/broker/edge-b"):
            assert self.in_shell("scripts/init-secrets --edge edge-b") == ""
        if command.startswith("install -m 0600 edge-b"):
            # They have been taken to the gateway.
            for name in ("secrets/broker/edge-b.password", "secrets/tls/ca.crt"):
                shutil.copy(self.folder / name, self.folder)
        if command.startswith("docker compose exec province"):
            self.province_has_pulled()
        text = on_the_machine(
            self.here(self.in_their_year(inside(command, self.dsn))), self.folder.parent / "machine"
        )
        variables, words = words_of(text)
        if not words:
            self.said.append(text)
            return ""
        if words[0] != "smartpark" or SHELL.search(re.sub(r"'[^']*'", "", text)):
            return self.in_shell(text)
        if words[1] == "province":
            # Those are typed over there.
            variables.setdefault("SMARTPARK_DSN", self.of_the_province())
        return self.in_process(words[1:], variables)

    def in_process(self, words: list[str], variables: dict[str, str]) -> str:
        """Run a command of ours; nothing, or what went wrong."""
        with pytest.MonkeyPatch.context() as patch:
            # Built anew, it takes longer than most commands.
            patch.setattr("smartpark.cli.build_parser", own_parser)
            for name, value in variables.items():
                patch.setenv(name, value)
            try:
                code = main(words)
            except SystemExit as ended:
                code = ended.code
        told = self.capfd.readouterr()
        return "" if code == 0 else f"{code}: {told.err}{told.out}"[:600]

    def in_shell(self, text: str) -> str:
        """Run a line by the shell."""
        script = "\n".join(("set -e", *self.said, BACKUPS.sub("", text)))
        done = subprocess.run(
            ["sh", "-c", script], capture_output=True, text=True, check=False, cwd=self.folder, timeout=120
        )
        return "" if done.returncode == 0 else f"{done.returncode}: {done.stderr}{done.stdout}"[:600]

    def here(self, text: str) -> str:
        """The same with the address at which the API is served here, and with the databases that there are."""
        text = OWN.sub(lambda _: shlex.quote(self.dsn), text)
        if PROVINCE.search(text):
            text = PROVINCE.sub(lambda _: shlex.quote(self.of_the_province()), text)
        return ADDRESSES.sub(lambda _: self.served(), text) if ADDRESSES.search(text) else text

    def in_their_year(self, text: str) -> str:
        """The same with load requests by the codes that they get here, which hold the year."""
        if "LR-2026-" not in text:
            return text
        with connect(self.dsn, application="test") as connection:
            newest = connection.execute("SELECT max(code) FROM smartpark.load_request").fetchone()
        return text if newest is None or newest[0] is None else text.replace("LR-2026-", newest[0][:8])

    def looks_up(self, text: str, places: dict[str, str]) -> str:
        """The same with what only the database knows in the place of braces."""
        for brace in re.findall(r"\{\w+\}", text):
            with connect_plainly(self.dsn) as connection:
                (found,) = connection.execute(places[brace].encode()).fetchone() or (None,)
            text = text.replace(brace, str(found))
        return text

    def of_the_province(self) -> str:
        """The province's database; it is made when it is first asked for."""
        if not self.province:
            made = self.new_database()
            self.province = next(made)
            self.guests.callback(lambda: next(made, None))
        return self.province

    def served(self) -> str:
        """Where the API answers; it begins when it is first asked."""
        if not self.address:
            settings = {
                "dsn": self.dsn,
                "attachments_folder": self.folder / "attachments",
                "webhook_secrets": self.folder / "webhooks",
                "seal_key_file": self.folder / "seal.key",
            }
            self.address = self.guests.enter_context(serving(create_app(ApiSettings.model_validate(settings))))
            sources = self.folder / "sources.toml"
            sources.write_text(ADDRESSES.sub(self.address, sources.read_text(encoding="utf-8")), encoding="utf-8")
        return self.address

    def has_secrets(self) -> None:
        """What scripts/init-secrets makes has been made."""
        if not (self.folder / ".env").exists():
            assert self.in_shell("scripts/init-secrets") == ""

    def province_has_pulled(self) -> None:
        """The service of that name has worked for a while."""
        self.has_a_key(into=self.folder / "province.key")
        pull = f"smartpark province pull {self.served()} --source minhou --key-file province.key"
        assert self.types(pull) == ""

    def has_a_key(self, *, into: Path | None) -> None:
        """A key, and the address of the API, as a document takes them for given."""
        key = key_of_a_reader(self.dsn)
        self.said += [f"KEY={key}", f"OPERATOR_KEY={key}", f"API={self.served()}/api/v1"]
        if into is not None:
            into.write_text(key, encoding="utf-8")


@pytest.fixture(scope="module")
def docs_dsn(plain_template_dsn: str) -> Iterator[str]:
    """The database that each document gets a copy of."""
    with pytest.MonkeyPatch.context() as patch:
        for dsn in copied_database(plain_template_dsn):
            patch.setenv("SMARTPARK_DSN", dsn)
            fill(dsn)
            yield dsn


@pytest.fixture(scope="module")
def shared_docs_dsn(docs_dsn: str) -> Iterator[str]:
    """A copy of it for all documents that get along with each other."""
    yield from copied_database(docs_dsn)


@pytest.fixture
def own_docs_dsn(docs_dsn: str) -> Iterator[str]:
    """A copy of it for one test."""
    yield from copied_database(docs_dsn)


@pytest.fixture
def make_reader(
    plain_template_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Reader]]:
    """Somebody in a new folder, before a database."""
    place, programs, machine = (tmp_path / name for name in ("place", "programs", "machine"))
    for folder in (place, programs, machine):
        folder.mkdir()
    lay_out(place)
    write_programs(programs)
    monkeypatch.chdir(place)
    monkeypatch.setenv("MACHINE", str(machine))
    monkeypatch.setenv("SMARTPARK_ALERT_SECRETS", str(place / "alerts"))
    monkeypatch.setenv("SMARTPARK_SMTP_URL", "smtp://127.0.0.1:25")
    monkeypatch.setenv("SMARTPARK_SMTP_FROM", "park@example.org")
    # psql and pg_dump are the server's own, as they are in its container.
    servers = programs_of(database_account())
    monkeypatch.setenv("PATH", os.pathsep.join((str(programs), str(servers), os.environ["PATH"])))
    monkeypatch.setenv("SMARTPARK_SEAL_KEY_FILE", str(place / "secrets/desk/seal.pem"))
    backups = place / "backups"
    backups.mkdir(mode=0o700)
    monkeypatch.setenv("SMARTPARK_BACKUP_FOLDER", str(backups))
    monkeypatch.delenv("SMARTPARK_ACTOR", raising=False)
    with ExitStack() as guests:

        def make(dsn: str, *, is_deployed: bool = True) -> Reader:
            lay_out_machine(machine, programs, units=ROOT / "deploy/systemd" if is_deployed else None)
            monkeypatch.setenv("SMARTPARK_DSN", dsn)
            for name, value in conninfo_to_dict(dsn).items():
                monkeypatch.setenv({"dbname": "PGDATABASE"}.get(name, f"PG{name.upper()}"), str(value))
            return Reader(dsn, place, guests, capfd, lambda: copied_database(plain_template_dsn))

        yield make


def write_programs(folder: Path) -> None:
    """`smartpark` of this very environment, and a curl that fails when the answer is a refusal."""
    curl = shutil.which("curl")
    lines = {
        "smartpark": f'exec {sys.executable} -c "import sys; from smartpark.cli import main; sys.exit(main())" "$@"',
        "curl": f'exec {curl} --fail --show-error --max-time 60 "$@"' if curl else "echo no curl here >&2; exit 127",
    }
    for name, line in lines.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
