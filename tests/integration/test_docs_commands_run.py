"""The commands of the documents are run, as they stand there, against a database with the demonstration park.

Each document has a folder of its own, and those that write much a copy of that database; its commands are run in
their order. What is only named there is run with what a reader fills in (`docs_filled`). `docs_fates` says what is
not run here, and why.
"""

import shutil
from collections.abc import Callable

import pytest
from docs_commands import ROOT, Command, commands_of, documents
from docs_fates import SLOW, STARTED, Fate, fate_of
from docs_filled import FILLED, GROUPS, LOOKED_UP
from docs_place import write_parquet
from fix_docs import Reader

MakeReader = Callable[..., Reader]


def run_commands(path) -> list[Command]:
    """Commands of a document that are run."""
    return [command for command in commands_of(path) if fate_of(command)[0] is Fate.RUN]


WRITERS = {
    *("access.md", "aggregates.md", "alerts.md", "backup.md", "load-requests.md", "operator-guide.zh.md"),
    *("province.md", "upgrade.md"),
}
"""Documents whose commands would meet what another's have left: they have a database of their own."""
RUN = [path for path in documents() if run_commands(path)]


@pytest.fixture
def reader(path, request: pytest.FixtureRequest, make_reader: MakeReader) -> Reader:
    """In a new folder, before the database of a document."""
    is_writer = path.name in WRITERS
    dsn = request.getfixturevalue("own_docs_dsn" if is_writer else "shared_docs_dsn")
    return make_reader(dsn, is_deployed=path.name != "deployment.md")


@pytest.mark.parametrize("path", RUN, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_says_to_type_works(path, reader: Reader):
    work_through([command for command in run_commands(path) if not SLOW.match(command.text)], reader)


@pytest.mark.soak
@pytest.mark.parametrize(
    "path",
    [path for path in RUN if any(SLOW.match(command.text) for command in run_commands(path))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_so_does_what_takes_longer(path, reader: Reader):
    work_through(run_commands(path), reader)


def test_what_is_only_named_works_with_what_a_reader_fills_in(own_docs_dsn: str, make_reader: MakeReader):
    fill_in([line for line in (*FILLED, *GROUPS) if not SLOW.match(line)], make_reader(own_docs_dsn))


@pytest.mark.soak
def test_so_does_what_takes_longer_there(own_docs_dsn: str, make_reader: MakeReader):
    fill_in(FILLED, make_reader(own_docs_dsn))


def work_through(commands: list[Command], reader: Reader) -> None:
    """Run all of them, and fail with those that did not work."""
    if any("curl " in command.text for command in commands):
        if shutil.which("curl") is None:
            pytest.skip("curl is not installed")
        makes_one = any("--into province.key" in command.text for command in commands)
        reader.has_a_key(into=None if makes_one else reader.folder / "province.key")
    if any(".parquet" in command.text for command in commands):
        write_parquet(reader.folder)
    wrong = [f"{command.text}\n    {told}" for command in commands if (told := reader.types(command.text))]
    assert wrong == [], "\n".join(wrong)


def fill_in(lines: list[str], reader: Reader) -> None:
    """Run all of them but those that go on for good, and fail with those that did not work."""
    reader.has_a_key(into=reader.folder / "province.key")
    typed = [line for line in lines if not STARTED.match(line)]
    wrong = [f"{line}\n    {told}" for line in typed if (told := reader.types(reader.looks_up(line, LOOKED_UP)))]
    assert wrong == [], "\n".join(wrong)
