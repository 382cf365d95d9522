"""What can be said of a command without running it: its program, its words and its files are what they should be."""

import functools
import re
import shlex
import subprocess
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from docs_commands import ROOT, Command
from smartpark.cli import build_parser

COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: Final = COMPOSE["services"]
PROFILES: Final = {profile for service in SERVICES.values() for profile in service.get("profiles", [])}
COMPOSE_VERBS: Final = {
    "up": {"-d", "--build", "--force-recreate", "--no-deps", "--no-build", "--pull"},
    "down": set[str](),
    "ps": set[str](),
    "build": set[str](),
    "stop": set[str](),
    "start": set[str](),
    "restart": set[str](),
    "exec": set[str](),
    "run": {"--rm", "--entrypoint", "-e", "-v", "-T"},
    "logs": {"--since", "--tail"},
    "pull": {"--ignore-buildable"},
    "config": {"--images"},
}
"""Verbs of `docker compose`, and of their options those that the documents may use."""
DOCKER_VERBS: Final = {
    "save": {"-o"},
    "load": {"-i"},
    "volume": set[str](),
    "run": {"--rm", "--network", "--user", "--volume", "--workdir", "-v"},
    "system": set[str](),
    "image": set[str](),
}
"""The same, of `docker` itself."""
IMAGES: Final = {"alpine", "python:3.13-slim"}
"""Those that are none of ours."""
SYSTEMCTL_VERBS: Final = {"daemon-reload", "enable", "start", "stop", "restart", "status", "list-timers"}
MADE: Final = {"mine.toml", "sources.toml", "uplink.toml"}
"""Files below deploy/ that whoever deploys writes."""
OF_PLACEHOLDERS: Final = re.compile(
    r"^[\[(]|<\w+>|…|^[A-Z][A-Z0-9_]*(?:…|\.[a-z]+)?[\])]?$|\bHOST\b|\bPORT\b|\bISSUER\b|^\||\.\.\.$"
)

METHODS: Final = {"GET", "POST", "PUT", "PATCH", "DELETE"}
"""Words in capitals that stand for themselves."""


@functools.cache
def is_only_named(command: Command) -> bool:
    """A command of a sentence without what it works on, or with a word in capitals in its place."""
    words = [word for word in words_of(command.text)[1] if word not in METHODS]
    if any(OF_PLACEHOLDERS.search(word) for word in words):
        return True
    if command.is_mentioned and words == ["scripts/backup"]:
        return True
    return command.is_mentioned and words[0] == "smartpark" and not parser_of(words[1:])[1]


def words_of(text: str) -> tuple[dict[str, str], list[str]]:
    """Variables that are set for a command, and its words."""
    words = list(_split(text))
    count = 0
    while count < len(words) and re.match(r"[A-Z][A-Z_0-9]*=", words[count]):
        count += 1
    return dict(word.split("=", 1) for word in words[:count]), words[count:]


@functools.cache  # each command is looked at a hundred times
def _split(text: str) -> tuple[str, ...]:
    return tuple(shlex.split(text.replace("\\\n", " ")))


@functools.cache
def own_parser() -> ArgumentParser:
    """What reads the words of `smartpark`."""
    return build_parser()


def parser_of(words: Sequence[str]) -> tuple[ArgumentParser, list[str]]:
    """Parser of the innermost sub-command that words name, and what is left of the words."""
    parser, rest = own_parser(), list(words)
    while rest and (verbs := _verbs(parser)) is not None:
        first = rest[0].split("|")[0]
        if first not in verbs:
            break
        parser, rest = verbs[first], rest[1:]
    return parser, rest


def _verbs(parser: ArgumentParser) -> dict[str, ArgumentParser] | None:
    for action in parser._actions:
        if action.nargs == "A...":
            return action.choices
    return None


def groups() -> Iterator[str]:
    """Names of commands that have others below them."""
    waiting = [own_parser()]
    while waiting:
        parser = waiting.pop(0)
        verbs = _verbs(parser)
        if verbs is not None:
            waiting += verbs.values()
            if parser is not own_parser():
                yield parser.prog


def syntax_error_of(commands: Iterable[Command]) -> str:
    """What the shell has against commands that are there to be typed, read as one script; nothing, or its words."""
    script = "\n".join(command.text for command in commands if not command.is_mentioned)
    return subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True, check=False).stderr


def read(command: Command) -> None:
    """Fail where a command cannot be right."""
    variables, words = words_of(command.text)
    for name in variables:
        assert name.startswith(("SMARTPARK_", "PG", "UV_")) or len(words) == 0, name
    if not words:
        return
    # In a synopsis a bar stands between choices; elsewhere it is a pipe.
    for part in [words] if is_only_named(command) else _parts(words):
        _read_part(part, command)


def _parts(words: list[str]) -> list[list[str]]:
    """Words of each command of a line: between pipes, behind `&&`; without where its output goes."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word in {"|", "||", "&&", "&", ";"}:
            parts.append([])
        else:
            parts[-1].append(word)
    return [part[: next((n for n, word in enumerate(part) if word[0] in "<>"), None)] for part in parts if part]


def _read_part(words: list[str], command: Command) -> None:
    program, *rest = words
    if (begins := next((n for n, word in enumerate(rest) if word.startswith("$(docker")), None)) is not None:
        # What a command inside of a command prints is not known; that it can be right is.
        rest, within = rest[:begins], rest[begins:]
        _read_part([word.strip("$()") for word in within], command)
    if program.startswith("scripts/"):
        read_script(program, rest)
    elif program in READERS:
        READERS[program](rest, is_named=is_only_named(command))
    else:
        assert program in OTHERS, f"nobody knows {program}: {command.text}"


def read_smartpark(words: Sequence[str], *, is_named: bool) -> None:
    """The command exists, and so do its options; whole ones are read as the program would read them."""
    if not is_named:
        try:
            own_parser().parse_args(list(words))
        except SystemExit as said:
            assert said.code == 0, " ".join(words)  # noqa: PT017  # 0 is what --help ends with
        return
    parser, rest = parser_of(words)
    assert parser is not own_parser() or not rest, " ".join(words)
    if _verbs(parser) is not None:
        assert not rest or rest[0].startswith("-"), f"{rest[0]} is no verb of {parser.prog}"
    for word in rest:
        if word.lstrip("[").startswith("--"):
            option = word.strip("[]").split("=")[0]
            assert option in parser._option_string_actions, f"{parser.prog} has no {option}"


def read_script(program: str, words: Sequence[str]) -> None:
    """It is there to be run, and each of its options stands in what it runs."""
    path = ROOT / program
    assert path.stat().st_mode & 0o111, program
    if path.name == "demo":
        read_smartpark(["demo", *words], is_named=False)
        return
    text = "\n".join(file.read_text(encoding="utf-8") for file in _sources_of(path))
    known_elsewhere = {"-k", "-s"} if path.name == "test" else set[str]()
    for word in words:
        if word.startswith("-") and word not in known_elsewhere:
            assert re.search(rf"{re.escape(word)}\b", text), f"{program} has no {word}"
    if path.name in {"backup", "bench", "score"} and words:
        assert re.search(rf"\b{words[0]}\b", text), f"{program} has no {words[0]}"


def _sources_of(script: Path) -> list[Path]:
    """Where the options of a script are written: in itself, or in the folder or package that it starts."""
    text = script.read_text(encoding="utf-8")
    folders = [ROOT / "scripts" / name for name in re.findall(r"\$here/scripts/(\w+)\" ", text)]
    folders += [next(ROOT.glob(f"*/{name.replace('.', '/')}")) for name in re.findall(r"-m (smartpark[\w.]+)", text)]
    return [script, ROOT / "scripts/measuring.py", *(file for folder in folders for file in folder.glob("*.py"))]


def read_docker(words: Sequence[str], *, is_named: bool) -> None:
    """Services, profiles, volumes and options are those that there are; what runs inside is read as well."""
    rest = list(words)
    if rest[0] != "compose":
        verb, *rest = rest
        # What stands behind an image's name is for what runs in it.
        image = next((n for n, word in enumerate(rest) if word in IMAGES), len(rest))
        _read_options(DOCKER_VERBS[verb], rest[:image])
        for volume in re.findall(r"\bsmartpark_(\w+?)(?:_before)?\b", " ".join(rest)):
            assert volume in COMPOSE["volumes"], volume
        return
    rest.pop(0)
    profiles = set[str]()
    while rest[0].startswith("-"):
        assert rest.pop(0) == "--profile", words
        profiles.add(rest.pop(0))
    assert profiles <= PROFILES, profiles
    verb = rest.pop(0)
    assert verb in COMPOSE_VERBS, verb
    if verb in {"exec", "run"}:
        service = _read_inside(rest, is_named=is_named)
        _read_options(COMPOSE_VERBS[verb], rest[: rest.index(service)])
        _read_needs({service} if verb == "run" else set(), profiles)
        return
    _read_options(COMPOSE_VERBS[verb], rest)
    options_with_value = {"--tail", "--since", "--pull"}
    names = {
        w for before, w in zip(["", *rest], rest, strict=False) if w[0] != "-" and before not in options_with_value
    }
    assert names <= set(SERVICES), names
    if verb == "up" and "--no-deps" not in rest:
        _read_needs(names, profiles)


def _read_options(known: set[str], words: Sequence[str]) -> None:
    given = {word.split("=")[0] for word in words if word.startswith("-")}
    assert given <= known, given - known


def _read_needs(names: set[str], profiles: set[str]) -> None:
    """What services wait for is there too: it has no profile, or one that is asked for by name or by its own."""
    for name in names:
        profiles |= set(SERVICES[name].get("profiles", []))
    for name in names or {name for name, service in SERVICES.items() if profiles & set(service.get("profiles", []))}:
        for needed in SERVICES[name].get("depends_on", {}):
            own = set(SERVICES[needed].get("profiles", []))
            assert not own or own & profiles, f"{name} waits for {needed}, which has the profiles {own}"


def _read_inside(given: Sequence[str], *, is_named: bool) -> str:
    """The service in which something runs."""
    words = list(given)
    script = None
    while words[0].startswith("-"):
        option = words.pop(0)
        if option == "--entrypoint":
            script = words.pop(0)
        elif option in {"-e", "-u", "-v"}:
            words.pop(0)
    service, *rest = words
    assert service in SERVICES, service
    if script == "smartpark":
        read_smartpark(rest, is_named=is_named)
    elif script is not None:
        _, path = script.split()
        mounted = next(v for v in SERVICES[service]["volumes"] if v.startswith("./scripts:")).split(":")[1]
        read_script(f"scripts/{Path(path).relative_to(mounted)}", rest)
    elif own := re.search(r"scripts/[a-z-]+", " ".join(SERVICES[service].get("entrypoint", []))):
        read_script(own[0], rest)
    elif rest and rest[0] == "smartpark":
        read_smartpark(rest[1:], is_named=is_named)
    else:
        assert not rest or rest[0] in {"psql", "df", "sh", "pg_dump"}, rest
    return service


def read_systemctl(words: Sequence[str], *, is_named: bool) -> None:
    """Units are ours."""
    assert not is_named, words
    assert words[0] in SYSTEMCTL_VERBS, words[0]
    for unit in (word for word in words[1:] if not word.startswith("-")):
        assert (ROOT / "deploy/systemd" / re.sub(r"@.*\.", "@.", unit)).is_file(), unit


def read_files(words: Sequence[str], *, is_named: bool) -> None:
    """Files of the project that are copied, made or changed exist, or are those that a reader writes."""
    for word in words:
        if word.startswith(("deploy/", "scripts", "tests/", "dashboards/")):
            assert (ROOT / word).exists() or Path(word).name in MADE, word


def read_uv(words: Sequence[str], *, is_named: bool) -> None:
    """Only what installs from the lock."""
    assert is_named or words[0] in {"sync", "lock", "export", "build"}, words


READERS: Final[dict[str, Callable[..., None]]] = {
    "smartpark": read_smartpark,
    "docker": read_docker,
    "systemctl": read_systemctl,
    "cp": read_files,
    "install": read_files,
    "rm": read_files,
    "chmod": read_files,
    "mkdir": read_files,
    "uv": read_uv,
}
OTHERS: Final = {
    *(
        "curl",
        "openssl",
        "jq",
        "test",
        "echo",
        "export",
        ".",
        "for",
        "df",
        "du",
        "timedatectl",
        "chronyc",
        "journalctl",
    ),
    *(
        "systemd-sysusers",
        "npm",
        "lint-imports",
        "git",
        "psql",
        "pytest",
        "sha256sum",
        "mosquitto_sub",
        "tar",
        "python3",
        "/opt/smartpark/bin/pip",
        "gunzip",
    ),
}
"""Programs that are not ours: nothing is known of their words here."""
