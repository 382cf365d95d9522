"""deploy/systemd: commands exist, files and accounts fit each other, nothing is open that need not be."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from smartpark.cli import build_parser
from smartpark_edge.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "systemd"
UNITS = sorted([*FOLDER.glob("*.service"), *FOLDER.glob("*.timer"), *FOLDER.glob("*.target")])
SERVICES = [path for path in UNITS if path.suffix == ".service"]
DROP_IN = FOLDER / "smartpark-.service.d" / "10-hardening.conf"
WORKERS = [path for path in SERVICES if "Type=exec" in path.read_text(encoding="utf-8")]
needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def named(paths):
    return {"argvalues": paths, "ids": [path.name for path in paths]}


def settings_of(path):
    """(section, key, value) of a unit, in its order."""
    section, found = "", []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.append((section, key, value))
    return found


def values(path, key):
    return [value for _, name, value in settings_of(path) if name == key]


def environment_of(path):
    return dict(pair.split("=", 1) for value in values(path, "Environment") for pair in shlex.split(value))


@needs_analyze
def test_systemd_has_nothing_to_say_against_them(tmp_path):
    """It reads what it would run, with our programs where they are; it complains and ends with 0 all the same."""
    shutil.copytree(FOLDER, tmp_path / "units")
    for path in (tmp_path / "units").glob("*.service"):
        text = path.read_text(encoding="utf-8").replace(
            "/opt/smartpark/bin/smartpark", shutil.which("smartpark") or "/bin/sh"
        )
        path.write_text(text, encoding="utf-8")
    paths = [str(tmp_path / "units" / path.name) for path in UNITS]
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True, check=False
    )
    ours = [line for line in told.stderr.splitlines() if "smartpark" in line]
    assert ours == []


@needs_analyze
@pytest.mark.parametrize("path", **named(SERVICES))
def test_little_of_the_system_is_open_to_a_service(path):
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unrecognized option" in told.stderr:
        pytest.skip("this systemd-analyze cannot judge a unit that is not installed")
    assert told.returncode == 0, told.stdout


@pytest.mark.parametrize("path", **named(SERVICES))
def test_the_command_of_a_unit_is_one_of_the_program(path):
    for command in [*values(path, "ExecStartPre"), *values(path, "ExecStart"), *values(path, "ExecStartPost")]:
        program, *words = shlex.split(command.replace("%i", "nhjc"))
        if program == "/bin/sh":
            script = Path(words[0])
            assert (ROOT / script.relative_to("/opt/smartpark-files")).is_file()
        else:
            assert program == "/opt/smartpark/bin/smartpark"
            assert callable(build_parser().parse_args(words).run)


def test_whatever_runs_for_good_in_the_compose_has_a_unit():
    """All but shards, the demo, and what is not ours."""
    commands = {values(path, "ExecStart")[0].split()[1] for path in WORKERS}
    assert commands == {"edge", "ingest", "derive", "outlook", "notices", "alerts", "api", "province", "uplink"}


def test_the_target_starts_what_a_park_needs_and_names_units_that_exist():
    (wanted,) = values(FOLDER / "smartpark.target", "Wants")
    names = {path.name for path in UNITS}
    assert set(wanted.split()) <= names
    part = {path.name for path in WORKERS if "smartpark.target" in values(path, "PartOf")}
    optional = {"smartpark-province.service", "smartpark-uplink@.service"}
    assert set(wanted.split()) - {"smartpark-backup.timer"} == part - optional


@pytest.mark.parametrize("path", **named(UNITS))
def test_units_that_a_unit_names_exist(path):
    theirs = {
        "network-online.target",
        "postgresql.service",
        "mosquitto.service",
        "multi-user.target",
        "timers.target",
    }
    for key in ("Wants", "Requires", "After", "PartOf", "WantedBy"):
        for name in " ".join(values(path, key)).split():
            assert name in theirs or (FOLDER / name).is_file(), f"{key}={name}"


def test_a_drop_in_that_wins_over_every_unit_decides_nothing_that_a_unit_decides():
    decided = {key for _, key, _ in settings_of(DROP_IN)}
    for path in SERVICES:
        assert {key for _, key, _ in settings_of(path)} & decided == set(), path.name


@pytest.mark.parametrize("path", **named(WORKERS))
def test_a_worker_comes_back_for_ever_and_has_bounds(path):
    assert values(path, "Restart") == ["always"]
    assert values(path, "StartLimitIntervalSec") == ["0"]
    assert len(values(path, "MemoryMax")) == 1


@pytest.mark.parametrize("path", **named(SERVICES))
def test_secrets_are_handed_over_one_by_one_and_each_is_made_by_init_secrets(path):
    script = (ROOT / "scripts" / "init-secrets").read_text(encoding="utf-8")
    loaded = dict(value.split(":", 1) for value in values(path, "LoadCredential"))
    for name, source in loaded.items():
        assert source.startswith("/etc/smartpark/secrets/")
        if path.name == "smartpark-edge.service":
            continue  # brought to the gateway by hand, as the guide says
        stem = Path(source).name
        made = stem in script or stem.removesuffix(".password") in script
        assert made, f"{name}: {source}"
    used = {match for value in environment_of(path).values() for match in re.findall(r"^%d/(.+)$", value)}
    if path.name == "smartpark-edge.service":
        settings = (FOLDER / "edge.toml.example").read_text(encoding="utf-8")
        used = set(re.findall(rf'"/run/credentials/{re.escape(path.name)}/([^"]+)"', settings))
    assert used == set(loaded)


@pytest.mark.parametrize("path", **named(SERVICES))
def test_variables_are_known_to_the_code_and_hold_no_secret(path):
    rooms = ("core", "storage", "ingest", "edge", "api")
    code = "".join(file.read_text(encoding="utf-8") for room in rooms for file in (ROOT / room).rglob("*.py"))
    code += (ROOT / "scripts/backup").read_text() + (ROOT / "deploy/backup/common.sh").read_text()
    known = set(re.findall(r"SMARTPARK_[A-Z_]+", code)) | {
        f"SMARTPARK_BROKER_{name}" for name in ("USERNAME", "PASSWORD_FILE", "CA_FILE")
    }
    given = environment_of(path)
    for name, value in given.items():
        assert name in known or name.startswith("PG"), name
        assert not name.endswith(("PASSWORD", "KEY", "SECRET")), name
        assert not re.search(r"://[^/@]+:[^/@]+@", value)


@pytest.mark.parametrize("name", ["server", "edge"])
def test_settings_for_all_services_are_known_and_are_no_secrets(name):
    lines = (FOLDER / f"{name}.env.example").read_text(encoding="utf-8").splitlines()
    given = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}
    code = "".join(
        file.read_text(encoding="utf-8") for room in ("core", "ingest", "api") for file in (ROOT / room).rglob("*.py")
    )
    code += (ROOT / "scripts/backup").read_text()
    assert given
    assert given <= set(re.findall(r"SMARTPARK_[A-Z_]+", code))
    users = [path for path in SERVICES if f"/etc/smartpark/{name}.env" in "".join(values(path, "EnvironmentFile"))]
    assert users
    for path in users:
        assert not given & set(environment_of(path)), f"{path.name} and {name}.env.example both set one"


def test_ports_of_the_services_are_their_own_and_told():
    ports = {path.name: environment_of(path)["SMARTPARK_METRICS_PORT"] for path in WORKERS if "@" not in path.name}
    assert len(set(ports.values())) == len(ports)
    guide = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
    for port in ports.values():
        assert re.search(rf"\b{port}\b", guide), port


def test_the_agent_of_a_gateway_is_read_as_it_stands():
    settings = load_settings(FOLDER / "edge.toml.example")
    assert settings.broker.tls
    (state,) = values(FOLDER / "smartpark-edge.service", "StateDirectory")
    assert str(settings.edge.spool).startswith(f"/var/lib/{state}/")


def test_the_account_is_the_one_that_init_secrets_makes_secrets_for():
    script = (ROOT / "scripts" / "init-secrets").read_text(encoding="utf-8")
    uid = re.search(r"else \((\d+), \1\)", script)[1]
    line = (FOLDER / "smartpark.sysusers").read_text(encoding="utf-8").splitlines()[-1]
    assert line.split()[:3] == ["u", values(DROP_IN, "User")[0], uid]
    assert values(DROP_IN, "InaccessiblePaths") == ["-/etc/smartpark/secrets"]


def test_the_nightly_backup_is_made_up_after_a_night_without_power():
    timer = FOLDER / "smartpark-backup.timer"
    assert values(timer, "Persistent") == ["true"]
    assert values(timer, "OnCalendar") == ["*-*-* 02:30:00 Asia/Shanghai"]
    assert values(FOLDER / "smartpark-backup.service", "ReadWritePaths") == ["/var/backups/smartpark"]
    assert environment_of(FOLDER / "smartpark-backup.service")["SMARTPARK_BACKUP_FOLDER"] == "/var/backups/smartpark"
