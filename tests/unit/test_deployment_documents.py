"""Every command of the guides for deployment, backup and hardening is read as the program it names would read it."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from smartpark.cli import build_parser

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
GUIDES = ("deployment", "backup", "hardening")
PROFILES = {profile for service in COMPOSE["services"].values() for profile in service.get("profiles", [])}


def commands():
    for guide in GUIDES:
        text = (ROOT / "docs" / f"{guide}.md").read_text(encoding="utf-8")
        for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            for line in block.splitlines():
                yield pytest.param(line, id=f"{guide}: {line[:70]}")


def words_of(line):
    """Variables that are set for it, and the command."""
    words = shlex.split(line)
    count = next(index for index, word in enumerate(words) if not re.match(r"[A-Z_]+=", word))
    return dict(word.split("=", 1) for word in words[:count]), words[count:]


def read_smartpark(words):
    assert callable(build_parser().parse_args(words).run)


def read_docker(words):
    assert words.pop(0) == "compose"
    while words[0].startswith("--"):
        assert words.pop(0) == "--profile"
        assert words.pop(0) in PROFILES
    verb, *rest = words
    DOCKER[verb](rest)


def services_of(words):
    assert set(words) <= set(COMPOSE["services"]), words


def read_up(words):
    services_of([word for word in words if word not in {"-d", "--build", "--no-deps", "--force-recreate"}])


def read_exec(words):
    service, program, *rest = words
    services_of([service])
    if program == "smartpark":
        read_smartpark(rest)
    else:
        assert program == "psql"
        assert rest[:4] == ["-X", "-U", "postgres", "-d"]


def read_run(words):
    assert words.pop(0) == "--rm"
    if words[0] == "--entrypoint":
        _, program, service, *rest = words
        shell, path = program.split()
        assert shell == "sh"
        mounted = next(v for v in COMPOSE["services"][service]["volumes"] if v.startswith("./scripts:"))
        read_script(ROOT / "scripts" / Path(path).relative_to(mounted.split(":")[1]).name, rest)
    else:
        service, *rest = words
        services_of([service])
        if service == "backup":
            read_script(ROOT / "scripts" / "backup", rest)
        else:
            assert rest == []


def read_script(path, words):
    """It exists, may be run, and tells of each option and verb when asked."""
    assert path.stat().st_mode & 0o111
    told = subprocess.run([path, "--help"], capture_output=True, text=True, check=False).stdout
    for word in words:
        if word.startswith("--") or (path.name == "backup" and word != words[-1]):
            assert word in told, word
    if path.name == "backup":
        assert f"scripts/backup {words[0]}" in told


def read_systemctl(words):
    for unit in (word for word in words[1:] if not word.startswith("--")):
        assert (ROOT / "deploy/systemd" / re.sub(r"@.*\.", "@.", unit)).is_file(), unit
    assert words[0] in {"daemon-reload", "enable", "start", "status", "list-timers"}


def read_files(words):
    """Files of the project that are copied exist; the others are made by a command before, or brought along."""
    for word in words:
        if word.startswith(("deploy/", "scripts")):
            source = ROOT / word
            made = source.name in {"mine.toml", "sources.toml", "uplink.toml"}
            assert source.exists() or made, word


def read_uv(words):
    assert words[:4] == ["sync", "--locked", "--no-dev", "--no-editable"]
    assert words[4:] in (["--package", "smartpark-edge"], ["--all-packages"])


def read_openssl(words):
    told = subprocess.run(["openssl", words[0], "-help"], capture_output=True, text=True, check=False).stderr
    assert all(f" {word}" in told for word in words[1:] if word.startswith("-")), told


DOCKER = {
    "up": read_up,
    "ps": services_of,
    "build": services_of,
    "stop": services_of,
    "restart": services_of,
    "exec": read_exec,
    "run": read_run,
}
PROGRAMS = {
    "smartpark": read_smartpark,
    "docker": read_docker,
    "systemctl": read_systemctl,
    "systemd-sysusers": lambda words: None if not words else pytest.fail(str(words)),
    "install": read_files,
    "cp": read_files,
    "rm": read_files,
    "uv": read_uv,
    "openssl": read_openssl,
}


@pytest.mark.parametrize("line", list(commands()))
def test_a_command_of_a_guide_is_one_that_works(line):
    variables, (program, *words) = words_of(line)
    if program == "openssl" and shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    if program.startswith("scripts/"):
        read_script(ROOT / program, words)
    else:
        PROGRAMS[program](words)
    for name in variables:
        assert name.startswith(("SMARTPARK_", "PG", "UV_")), name


def test_the_guides_hold_no_commands_elsewhere_than_where_they_are_read():
    for guide in GUIDES:
        text = (ROOT / "docs" / f"{guide}.md").read_text(encoding="utf-8")
        assert set(re.findall(r"^```(\w*)\n", text, re.MULTILINE)) <= {"sh", ""}
        assert not re.search(r"^    \S", text, re.MULTILINE)


def test_services_and_profiles_that_the_guide_tells_of_are_those_of_the_compose():
    text = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
    table = text.split("| profile | adds |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == PROFILES


def test_networks_that_the_guide_tells_of_are_those_of_the_compose():
    text = (ROOT / "docs/hardening.md").read_text(encoding="utf-8")
    table = text.split("| network | who | leads out |")[1].split("\n\n")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| (no|yes)", table, re.MULTILINE))
    assert rows == {name: "no" if net.get("internal") else "yes" for name, net in COMPOSE["networks"].items()}
