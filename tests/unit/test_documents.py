"""Documents say what the code says: the nomenclature is complete, links lead somewhere, commands exist."""

import importlib.util
import re
from pathlib import Path

import pytest
from smartpark.cli import build_parser
from smartpark.measurands import CARRIER_WORDS, MEANINGS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("[a-z]*/README.md")])
NOMENCLATURE = (ROOT / "docs" / "nomenclature.md").read_text(encoding="utf-8")


def test_every_measurand_stands_in_the_nomenclature_with_its_unit_and_kind():
    for name, meaning in MEANINGS.items():
        row = next(line for line in NOMENCLATURE.splitlines() if line.endswith(f"| `{name}` |"))
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[:4] == [meaning.zh, meaning.en, meaning.unit, meaning.kind.value]


def test_every_carrier_stands_in_the_nomenclature():
    for name, (zh, en) in CARRIER_WORDS.items():
        assert f"| {zh} | {en} | `{name}` |" in NOMENCLATURE


def test_the_generated_tables_are_up_to_date():
    spec = importlib.util.spec_from_file_location("nomenclature", ROOT / "tests" / "nomenclature.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.with_tables(NOMENCLATURE) == NOMENCLATURE


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    broken = [
        target
        for target in targets
        if not target.startswith(("http://", "https://", "#", "mailto:"))
        and not (document.parent / target.split("#")[0]).exists()
    ]
    assert broken == []


def commands(parser, path=()):
    yield path
    for action in parser._actions:
        for name, child in (getattr(action, "choices", None) or {}).items() if action.nargs == "A..." else ():
            yield from commands(child, (*path, name))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_that_a_document_names_exist(document):
    known = set(commands(build_parser()))
    groups = {path[:1] for path in known if len(path) == 2}
    for call in re.findall(
        r"(?:^ {4}|`|bin/)smartpark ([a-z-]+(?: [a-z][a-z0-9-]*)?)",
        document.read_text(encoding="utf-8"),
        re.MULTILINE,
    ):
        words = tuple(call.split())
        wanted = words[:2] if words[:1] in groups else words[:1]
        assert wanted in known, f"smartpark {call}"


def test_every_command_stands_in_the_list_of_commands_with_what_it_says_of_itself():
    listed = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    missing = [f"smartpark {' '.join(path)}: {said}" for path, said in told_commands(build_parser()) if not said]
    missing += [
        row
        for path, said in told_commands(build_parser())
        if (row := f"| `smartpark {' '.join(path)}` | {said} |") not in listed
    ]
    assert missing == []


def test_every_command_teaches_beyond_its_usage_line():
    parsers = dict(parsers_of(build_parser()))
    leaves = [path for path in parsers if path and not any(other[:-1] == path for other in parsers)]
    assert leaves
    assert [" ".join(path) for path in leaves if not (parsers[path].description or parsers[path].epilog)] == []


def parsers_of(parser, path=()):
    yield path, parser
    for action in parser._actions:
        for name, child in (getattr(action, "choices", None) or {}).items() if action.nargs == "A..." else ():
            yield from parsers_of(child, (*path, name))


def told_commands(parser, path=()):
    for action in parser._actions:
        if action.nargs == "A...":
            for said in action._choices_actions:
                yield (*path, said.dest), said.help
                yield from told_commands(action.choices[said.dest], (*path, said.dest))


def test_every_page_of_a_method_stands_in_their_list_and_every_document_in_the_index():
    methods = (ROOT / "docs" / "methods" / "README.md").read_text(encoding="utf-8")
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = sorted(path.name for path in (ROOT / "docs" / "methods").glob("[a-z]*.md"))
    documents = sorted(path.name for path in (ROOT / "docs").glob("[a-z]*.md"))
    assert [name for name in pages if f"]({name})" not in methods] == []
    assert [name for name in documents if f"]({name})" not in index] == []


def test_every_decision_is_in_the_index():
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    pages = sorted(path.name for path in (ROOT / "docs" / "adr").glob("0*.md"))
    assert [name[:4] for name in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    assert all(f"]({name})" in index for name in pages)


def test_the_rooms_of_the_architecture_are_the_folders():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for room in ("core", "analytics", "storage", "ingest", "edge", "api", "dashboards", "simulators", "tests"):
        assert f"| `{room}/`" in text


def test_paths_that_the_architecture_names_exist():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:core|analytics|storage|ingest|edge|api|dashboards|simulators|tests)/[\w./]*)`", text)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_licence_is_the_one_that_every_room_names():
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").lstrip().startswith("Apache License")
