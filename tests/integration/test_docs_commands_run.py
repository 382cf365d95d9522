"""The commands of the documents are run, as they stand there, against a database with the demonstration park.

Each document has a folder of its own, and those that write much a copy of that database; its commands are run in
their order. What is not
run stands in `docs_fates.READ_ONLY` with the reason. `smartpark …` runs in this process; what the shell has to join
runs in a shell, with the API served beside it.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from docs_commands import ROOT, Command, commands_of, documents
from docs_fates import SLOW, fate_of
from docs_place import fill, key_of_a_reader, lay_out, write_parquet
from docs_reading import is_only_named, words_of
from fix_api import serving
from fix_database import copied_database
from smartpark.cli import main
from smartpark_api.app import create_app
from smartpark_api.settings import ApiSettings
from smartpark_storage import connect

SHELL = re.compile(r"[|&;<>$*\n]")
"""What only a shell can do something with."""
ADDRESSES = re.compile(r"https?://(127\.0\.0\.1:8000|park\.example\.org)(?=/|$)", re.MULTILINE)


def run_commands(path: Path) -> list[Command]:
    """Commands of a document that are run."""
    return [c for c in commands_of(path) if not is_only_named(c) and fate_of(c) is None]


WRITERS = {"access.md", "aggregates.md", "alerts.md", "load-requests.md", "province.md"}
"""Documents whose commands would meet what another's have left: they have a database of their own."""
RUN = [path for path in documents() if run_commands(path)]


@dataclass
class Reader:
    """Somebody who types what a document says."""

    dsn: str
    folder: Path
    guests: ExitStack
    address: str = ""
    said: list[str] = field(default_factory=list[str])
    """Variables that were set on the way."""

    def types(self, command: Command, capfd: pytest.CaptureFixture[str]) -> str:
        """Run a command; nothing, or what went wrong."""
        text = self.in_their_year(command.text)
        variables, words = words_of(text)
        if not words:
            self.said.append(self.here(text))
            return ""
        if words[0] != "smartpark" or SHELL.search(re.sub(r"'[^']*'", "", text)):
            return self.in_shell(text)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            try:
                code = main(words[1:])
            except SystemExit as ended:
                code = ended.code
        told = capfd.readouterr()
        return "" if code == 0 else f"{code}: {told.err}{told.out}"[:600]

    def in_shell(self, text: str) -> str:
        """Run a line by the shell."""
        script = "\n".join(("set -e", *self.said, self.here(text)))
        done = subprocess.run(
            ["sh", "-c", script], capture_output=True, text=True, check=False, cwd=self.folder, timeout=120
        )
        return "" if done.returncode == 0 else f"{done.returncode}: {done.stderr}{done.stdout}"[:600]

    def here(self, text: str) -> str:
        """The same with the address at which the API is served here."""
        return ADDRESSES.sub(lambda _: self.served(), text) if ADDRESSES.search(text) else text

    def in_their_year(self, text: str) -> str:
        """The same with load requests by the codes that they get here, which hold the year."""
        if "LR-2026-" not in text:
            return text
        with connect(self.dsn, application="test") as connection:
            newest = connection.execute("SELECT max(code) FROM smartpark.load_request").fetchone()
        return text if newest is None or newest[0] is None else text.replace("LR-2026-", newest[0][:8])

    def served(self) -> str:
        """Where the API answers; it begins when it is first asked."""
        if not self.address:
            settings = {
                "dsn": self.dsn,
                "attachments_folder": self.folder / "attachments",
                "webhook_secrets": self.folder / "secrets",
                "seal_key_file": self.folder / "seal.key",
            }
            self.address = self.guests.enter_context(serving(create_app(ApiSettings.model_validate(settings))))
        return self.address


@pytest.fixture(scope="module")
def filled_dsn(plain_template_dsn: str, monkeypatch_module: pytest.MonkeyPatch) -> Iterator[str]:
    """The database that each document gets a copy of."""
    for dsn in copied_database(plain_template_dsn):
        monkeypatch_module.setenv("SMARTPARK_DSN", dsn)
        fill(dsn)
        yield dsn


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    """For what a module shares."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def shared_dsn(filled_dsn: str) -> Iterator[str]:
    """A copy of it for all documents that get along with each other."""
    yield from copied_database(filled_dsn)


@pytest.fixture
def reader_dsn(path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The database of a document."""
    if path.name in WRITERS:
        yield from copied_database(request.getfixturevalue("filled_dsn"))
    else:
        yield request.getfixturevalue("shared_dsn")


@pytest.fixture
def reader(reader_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """In a new folder, before the database of a document."""
    place = tmp_path / "place"
    place.mkdir()
    lay_out(place)
    programs = tmp_path / "programs"
    programs.mkdir()
    write_programs(programs)
    monkeypatch.chdir(place)
    monkeypatch.setenv("SMARTPARK_DSN", reader_dsn)
    monkeypatch.setenv("SMARTPARK_ALERT_SECRETS", str(place / "alerts"))
    monkeypatch.setenv("SMARTPARK_SMTP_URL", "smtp://127.0.0.1:25")
    monkeypatch.setenv("SMARTPARK_SMTP_FROM", "park@example.org")
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("SMARTPARK_ACTOR", raising=False)
    with ExitStack() as guests:
        yield Reader(reader_dsn, place, guests)


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


@pytest.mark.parametrize("path", RUN, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_says_to_type_works(path: Path, reader: Reader, capfd: pytest.CaptureFixture[str]):
    work_through([command for command in run_commands(path) if not SLOW.match(command.text)], reader, capfd)


@pytest.mark.soak
@pytest.mark.parametrize(
    "path",
    [path for path in RUN if any(SLOW.match(command.text) for command in run_commands(path))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_so_does_what_takes_longer(path: Path, reader: Reader, capfd: pytest.CaptureFixture[str]):
    work_through(run_commands(path), reader, capfd)


def give_key(commands: list[Command], reader: Reader) -> None:
    """A key, and the address of the API, as a document takes them for given."""
    key = key_of_a_reader(reader.dsn)
    reader.said += [f"KEY={key}", f"OPERATOR_KEY={key}", f"API={reader.served()}/api/v1"]
    if not any("--into province.key" in command.text for command in commands):
        (reader.folder / "province.key").write_text(key, encoding="utf-8")


def work_through(commands: list[Command], reader: Reader, capfd: pytest.CaptureFixture[str]) -> None:
    """Run all of them, and fail with those that did not work."""
    if any("curl " in command.text for command in commands) and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    if any("curl " in command.text for command in commands):
        give_key(commands, reader)
    if any(".parquet" in command.text for command in commands):
        write_parquet(reader.folder)
    wrong = [f"{command.text}\n    {told}" for command in commands if (told := reader.types(command, capfd))]
    assert wrong == []
