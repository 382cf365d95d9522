"""Every command in the documents is one that there is: its program, its words, its services and its files.

Those that are not run either, in tests/integration/test_docs_commands_run.py, stand in `docs_fates.READ_ONLY` with
the reason.
"""

import pytest
from docs_commands import ROOT, commands_of, complete_lines, documents
from docs_fates import READ_ONLY, fate_of
from docs_reading import is_only_named, read, syntax_error_of

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
    fates = [fate_of(command) for command in COMMANDS if not is_only_named(command)]
    assert sum(fate is None for fate in fates) > 80, "so many are run"


def test_every_reason_for_not_running_is_needed_and_names_tests_that_there_are():
    for row in READ_ONLY:
        assert any(fate_of(command) is row for command in COMMANDS), f"no command is like {row.pattern}"
        for name in row.tests:
            assert list(ROOT.glob(f"tests/*/{name}.py")), name


def test_a_command_goes_on_over_lines_and_a_remark_ends_it():
    text = "a \\\n  b  # c\nd 'e\nf'  # 'g\n\n# h\nfor i in 1 2; do\n  j\ndone\nk '#' l#m\n"
    assert list(complete_lines(text)) == [
        "a \\\n  b",
        "d 'e\nf'",
        "for i in 1 2; do\n  j\ndone",
        "k '#' l#m",
    ]
