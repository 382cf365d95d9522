"""The house itself: arrows between the rooms, what each may stand on, and that every door explains itself."""

import argparse
import ast
import contextlib
import importlib
import inspect
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from smartpark.cli import build_parser, main
from smartpark.errors import SmartparkError

ROOT = Path(__file__).resolve().parents[2]

ROOMS = {
    "core": "smartpark",
    "storage": "smartpark_storage",
    "analytics": "smartpark_analytics",
    "edge": "smartpark_edge",
    "ingest": "smartpark_ingest",
    "api": "smartpark_api",
    "dashboards": "smartpark_dashboards",
    "simulators": "smartpark_simulators",
}

MAY_STAND_ON = {
    "core": {"chinesecalendar", "pydantic"},
    "storage": {"numpy", "psycopg", "smartpark"},
    "analytics": {"coolprop", "numpy", "smartpark"},
    "edge": {"asyncua", "cryptography", "paho-mqtt", "smartpark", "tqdm"},
    "ingest": {
        "apprise",
        "cryptography",
        "httpx",
        "numpy",
        "openpyxl",
        "paho-mqtt",
        "pyarrow",
        "smartpark",
        "smartpark-analytics",
        "smartpark-storage",
        "tqdm",
    },
    "api": {
        "authlib",
        "cryptography",
        "fastapi",
        "httpx2",
        "icalendar",
        "jinja2",
        "joserfc",
        "limits",
        "numpy",
        "openpyxl",
        "pyarrow",
        "python-multipart",
        "smartpark",
        "smartpark-analytics",
        "smartpark-storage",
        "uvicorn",
        "tqdm",
    },
    "dashboards": {"grafana-client", "niquests", "smartpark", "tqdm", "urllib3"},
    "simulators": {"asyncua", "cryptography", "numpy", "paho-mqtt", "smartpark", "tqdm"},
}
"""The plan, as in docs/architecture.md. A room that grows a dependency is a decision: change it there too."""

ELSEWHERE = re.compile(
    r"(?<![\w.])/(?:work|root|home/\w+|Users)/(?!\.\.\.)"  # somebody's machine
    r"|\.\./shared\b"
)


MADE = {"__pycache__", "var", "secrets", "node_modules"}


def folders_of(path):
    return [part for part in path.relative_to(ROOT).parts[:-1] if part != ".ci"]


def tracked_files():
    """Files of the project, as git sees them (or all of them, in an export without git)."""
    names: list[str] = []
    if shutil.which("git"):
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        names = listed.stdout.split("\0")
    paths = [ROOT / name for name in names if name] or [
        p for p in ROOT.rglob("*") if not any(part in MADE or part.startswith(".") for part in folders_of(p))
    ]
    return [path for path in paths if path.is_file()]


def modules_of(package):
    imported = importlib.import_module(package)
    names = [package, *(m.name for m in pkgutil.walk_packages(imported.__path__, f"{package}."))]
    return [importlib.import_module(name) for name in names if not name.endswith("__main__")]


def own_classes(modules):
    return {
        member
        for module in modules
        for member in vars(module).values()
        if inspect.isclass(member) and member.__module__ == module.__name__
    }


# --- arrows and rooms ---------------------------------------------------------------------------------------------


def test_the_arrows_between_the_rooms_hold():
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_every_room_of_the_workspace_is_in_the_plan():
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]
    assert set(workspace) == set(ROOMS) == set(MAY_STAND_ON)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_a_readme_a_licence_and_types(room):
    readme = (ROOT / room / "README.md").read_text()
    assert re.match(rf"# {room}\b", readme), "a README opens with the name of its folder"
    project = tomllib.loads((ROOT / room / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    assert project["requires-python"] == ">=3.11"
    assert (ROOT / room / ROOMS[room] / "py.typed").exists()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_depends_on_what_the_plan_allows(room):
    project = tomllib.loads((ROOT / room / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[\[<>=!~; ]", dependency)[0] for dependency in project["dependencies"]}
    # Whoever defines models says so; core has brought pydantic along in any case.
    assert names <= MAY_STAND_ON[room] | {"pydantic"}


def test_core_imports_only_pydantic_the_holidays_and_the_standard_library():
    found = set()
    for file in (ROOT / "core").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    assert found - set(sys.stdlib_module_names) == {"chinese_calendar", "pydantic", "smartpark"}


def test_every_module_opens_by_saying_what_it_is_for():
    silent = [
        str(file.relative_to(ROOT))
        for file in tracked_files()
        if file.suffix == ".py" and not ast.get_docstring(ast.parse(file.read_text()))
    ]
    assert silent == []


def test_no_file_mentions_a_path_of_somebodys_machine():
    found = []
    for file in tracked_files():
        with contextlib.suppress(UnicodeDecodeError):
            for number, line in enumerate(file.read_text().splitlines(), 1):
                if ELSEWHERE.search(line) and file != Path(__file__):
                    found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert found == []


# --- errors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", ROOMS)
def test_errors_are_of_the_one_tree_and_say_what_they_mean(room):
    for error in own_classes(modules_of(ROOMS[room])):
        if issubclass(error, Exception):
            assert issubclass(error, SmartparkError), f"{error.__module__}.{error.__name__} stands beside the tree"
            assert error.__doc__, f"{error.__module__}.{error.__name__} has no docstring"


# --- the command --------------------------------------------------------------------------------------------------


def walk(parser, path=()):
    yield path, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield from walk(child, (*path, name))


COMMANDS = dict(walk(build_parser()))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(path, capsys):
    assert COMMANDS[path].description, "a command says what it does"
    with pytest.raises(SystemExit) as ended:
        main([*path, "--help"])
    assert ended.value.code == 0
    assert "usage: smartpark" in capsys.readouterr().out


def test_every_option_explains_itself():
    silent = [
        f"{' '.join(path)} {'/'.join(action.option_strings)}"
        for path, parser in COMMANDS.items()
        for action in parser._actions
        if action.option_strings and not action.help
    ]
    assert silent == []


def test_every_command_at_the_end_of_a_path_does_something():
    for path, parser in COMMANDS.items():
        if not any(isinstance(action, argparse._SubParsersAction) for action in parser._actions):
            assert callable(parser.get_default("run")), " ".join(path)


def test_the_installed_command_starts():
    command = [Path(sys.executable).parent / "smartpark", "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    assert re.fullmatch(r"smartpark \d+\.\d+\.\d+\n", result.stdout)


def test_a_wrong_command_is_answered_without_a_traceback(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["catalogue"])
    assert ended.value.code == 2
    assert "invalid choice: 'catalogue'" in capsys.readouterr().err


# --- the scripts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script", sorted(p.name for p in (ROOT / "scripts").iterdir() if p.is_file() and not p.suffix)
)
def test_a_script_can_be_started_and_says_what_it_is_for(script):
    file = ROOT / "scripts" / script
    assert os.access(file, os.X_OK)
    lines = file.read_text().splitlines()
    assert lines[0].startswith("#!")
    if lines[0].endswith("sh"):
        assert lines[1].startswith("# ")
        subprocess.run(["sh", "-n", file], check=True)


def test_registering_every_command_imports_nothing_heavy():
    """`smartpark --version`, and each short command, would wait a second for what they do not use."""
    script = "import sys; from smartpark.cli import build_parser; build_parser(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "smartpark_storage" in loaded
    heavy = {"asyncua", "cryptography", "fastapi", "numpy", "paho", "pandas", "psycopg", "pydantic", "uvicorn"}
    assert loaded & heavy == set()
