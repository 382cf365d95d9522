"""Every command in the documents is one that there is: its program, its words, its services and its files.

Most are run as well: `docs_fates` says which, by which test, and why the rest are not.
"""

from collections import Counter

import pytest
from docs_commands import ROOT, commands_of, complete_lines, documents
from docs_fates import READ_ONLY, Fate, fate_of, table
from docs_filled import FILLED, is_filled_by
from docs_reading import read, syntax_error_of

COMMANDS = [command for path in documents() for command in commands_of(path)]


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_commands_of_a_document_can_be_right(path, capsys):
    wrong = list[str]()
    for command in commands_of(path):
        try:
            read(command)
        except AssertionError as error:
            wrong.append(f"{command.text}: {error or capsys.readouterr().err}")
    assert wrong == []
    assert syntax_error_of(commands_of(path)) == ""


def test_there_are_commands_of_every_kind():
    assert len(COMMANDS) > 500
    assert {command.document for command in COMMANDS} >= {"README.md", "CONTRIBUTING.md", "docs/deployment.md"}
    fates = Counter(fate_of(command)[0] for command in COMMANDS)
    assert fates[Fate.RUN] > 180, table()
    assert fates[Fate.FILLED] > 280, table()
    assert fates[Fate.STARTED] > 40, table()
    assert fates[Fate.READ] * 7 < fates.total(), table()


def test_whoever_is_not_run_has_a_reason_that_is_needed_and_names_tests_that_there_are():
    given = [(command, *fate_of(command)) for command in COMMANDS]
    assert [c.text for c, fate, row in given if row is None and fate in {Fate.READ, Fate.ELSEWHERE}] == []
    for row in READ_ONLY:
        assert any(used is row for _, _, used in given), f"no command is like {row.pattern}"
        for name in row.tests:
            assert list(ROOT.glob(f"tests/*/{name}.py")), name


def test_what_a_reader_fills_in_is_a_command_that_is_named_somewhere():
    names = [command for command in COMMANDS if fate_of(command)[0] in {Fate.FILLED, Fate.STARTED}]
    idle = [line for line in FILLED if not any(is_filled_by(name, line) for name in names)]
    assert idle == []


def test_a_command_goes_on_over_lines_and_a_remark_ends_it():
    text = "a \\\n  b  # c\nd 'e\nf'  # 'g\n\n# h\nfor i in 1 2; do\n  j\ndone\nk '#' l#m\n"
    assert list(complete_lines(text)) == [
        "a \\\n  b",
        "d 'e\nf'",
        "for i in 1 2; do\n  j\ndone",
        "k '#' l#m",
    ]
