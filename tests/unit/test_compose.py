"""docker-compose.yml and the Dockerfiles, as far as can be told without an engine: they fit the house."""

import json
import re
import runpy
import shlex
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml
from compose_demo import agents_for_compose
from smartpark.catalogue import load_catalogue
from smartpark.cli import build_parser
from smartpark_api.aggregates.seal_keys import load_key
from smartpark_api.console.signing import key_of_file
from smartpark_edge.settings import load_settings
from smartpark_ingest.province.sources import load_sources
from smartpark_ingest.shards import Shard

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
ROOMS = ("core", "storage", "ingest", "edge", "api", "simulators")
DOCKERFILES = sorted(ROOT.glob("*/Dockerfile"))
PINNED = re.compile(r"[a-z0-9./-]+:\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?")


@pytest.fixture(scope="module")
def secrets_folder(tmp_path_factory):
    """What scripts/init-secrets makes."""
    folder = tmp_path_factory.mktemp("secrets")
    script = runpy.run_path(str(ROOT / "scripts" / "init-secrets"), run_name="init_secrets")
    script["make_all"](folder, edges=list(script["DEMO_EDGES"]), hosts=[], owner=(1000, 1000), force=False)
    return folder


def test_it_follows_the_compose_specification():
    schema = json.loads((ROOT / "tests/data/compose/compose-spec.json").read_text(encoding="utf-8"))
    errors = list(jsonschema.Draft7Validator(schema).iter_errors(COMPOSE))
    assert [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors] == []


def test_it_has_every_part_of_the_platform():
    always = {
        "database",
        "broker",
        "migrate",
        "ingest-0",
        "ingest-1",
        "derive",
        "notices",
        "alerts",
        "outlook",
        "api",
        "admit-grafana",
        "grafana",
    }
    in_profile = {
        "full": {"edge", "backup"},
        "restore": {"restore-drill"},
        "edge": {"edge"},
        "province": {"province"},
        "uplink": {"uplink"},
        "demo": {"demo-catalogue", "demo-edge", "simulators"},
    }
    assert {name for name, service in SERVICES.items() if "profiles" not in service} == always
    assert set(SERVICES) == always.union(*in_profile.values())
    for profile, names in in_profile.items():
        assert {name for name, service in SERVICES.items() if profile in service.get("profiles", [])} == names


def test_every_worker_of_the_program_is_a_service():
    """A command that runs for good and writes by itself has its place here."""
    verbs = {
        group: set(parser._subparsers._group_actions[0].choices)
        for group, parser in build_parser()._subparsers._group_actions[0].choices.items()
        if parser._subparsers is not None
    }
    workers = {(group, "run") for group, known in verbs.items() if "run" in known} | {("api", "serve")}
    assert {tuple(command[:2]) for name in OURS for command in commands_of(name)} >= workers


def test_who_depends_on_a_service_of_a_profile_is_in_that_profile():
    for name, service in SERVICES.items():
        for needed in service.get("depends_on", {}):
            theirs = SERVICES[needed].get("profiles")
            assert theirs is None or set(service.get("profiles", [])) <= set(theirs), (name, needed)


def test_the_shards_of_ingest_are_all_there():
    given = [service["command"][-1] for service in SERVICES.values() if "--shard" in service.get("command", [])]
    shards = [Shard.parse(text) for text in given]
    assert [shard.index for shard in shards] == list(range(len(shards)))
    assert {shard.count for shard in shards} == {len(shards)}


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_to_a_version(name):
    assert PINNED.fullmatch(SERVICES[name]["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_watched_or_says_why_not(name):
    service = SERVICES[name]
    assert ("healthcheck" in service) != bool(service.get("x-no-healthcheck"))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_limits_gains_no_privileges_and_writes_only_to_volumes(name):
    service = SERVICES[name]
    assert {"mem_limit", "cpus", "pids_limit"} <= set(service)
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert all("noexec" in place and "size=" in place for place in service["tmpfs"])
    assert "privileged" not in service
    assert service.get("network_mode") is None


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_comes_back_by_itself_unless_it_ends_after_its_work(name):
    ends = "ends after its work" in SERVICES[name].get("x-no-healthcheck", "")
    assert SERVICES[name]["restart"] == ("no" if ends else "unless-stopped")


@pytest.mark.parametrize("name", SERVICES)
def test_nobody_is_root_but_who_says_why(name):
    service = SERVICES[name]
    if "x-why-root" in service:
        assert name == "database"
        assert set(service["cap_add"]) == {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
        # Root before it could not signal another user's process without one right more.
        assert "init" not in service
    else:
        assert service["user"].startswith("${SMARTPARK_UID:?")
        assert ":${SMARTPARK_GID:?" in service["user"]
        assert "cap_add" not in service


# --- networks -----------------------------------------------------------------------------------------------------

NETWORKS = {
    "database": {
        "database",
        "migrate",
        "demo-catalogue",
        "backup",
        "restore-drill",
        "ingest-0",
        "ingest-1",
        "derive",
        "notices",
    }
    | {"outlook", "alerts", "province", "uplink", "api", "admit-grafana", "grafana"},
    "broker": {"broker", "ingest-0", "ingest-1", "edge", "demo-edge", "simulators"},
    "metrics": {"ingest-0", "ingest-1", "derive", "outlook", "notices", "alerts", "province", "uplink", "api"}
    | {"edge", "demo-edge"},
    "outside": {"grafana", "notices", "alerts", "province", "uplink", "edge"},
    "ports": {"broker", "api"},
}
"""Who can reach whom, and who can reach the world. A service more in one of them is a decision: write it here too."""
WAYS_OUT = {"outside", "ports"}


def test_who_has_no_business_with_somebody_cannot_reach_them():
    assert set(COMPOSE["networks"]) == set(NETWORKS)
    for network, names in NETWORKS.items():
        assert {name for name, service in SERVICES.items() if network in service["networks"]} == names, network


def test_only_the_network_of_those_who_speak_with_the_world_leads_out():
    for name, network in COMPOSE["networks"].items():
        assert network.get("internal", False) is (name not in WAYS_OUT)
    for name in WAYS_OUT:
        assert COMPOSE["networks"][name]["driver_opts"] == {"com.docker.network.bridge.enable_icc": "false"}
    for name, service in SERVICES.items():
        if "ports" in service:
            assert WAYS_OUT & set(service["networks"]), name


def hosts_in(text):
    """Services that a text names as hosts."""
    return {host for host in re.findall(r"(?:@|//)([a-z][a-z0-9-]*):\d+", text) if host in SERVICES}


def hosts_of(service):
    """Services that the environment of one names as hosts."""
    values = " ".join(str(value) for value in service.get("environment", {}).values())
    return hosts_in(values) | (
        {service["environment"]["PGHOST"]} if "PGHOST" in service.get("environment", {}) else set()
    )


def hosts_told(service):
    """Services that the files mounted into one name as hosts."""
    folders = [ROOT / volume.split(":")[0] for volume in service.get("volumes", ()) if volume.startswith("./")]
    kinds = ("alerting/*.yaml", "datasources/*.yaml", "*.toml")
    files = [file for folder in folders if folder.is_dir() for kind in kinds for file in folder.glob(kind)]
    return {host for file in files for host in hosts_in(file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("name", SERVICES)
def test_whoever_a_service_asks_is_in_a_network_with_it_and_waited_for(name):
    for host in hosts_of(SERVICES[name]) | hosts_told(SERVICES[name]):
        shared = set(SERVICES[name]["networks"]) & set(SERVICES[host]["networks"])
        assert shared - WAYS_OUT, f"{name} does not see {host}"
        # There they do not see each other, and Docker's names lead there first.
        assert not shared & WAYS_OUT, f"{name} finds {host} where it cannot reach it"
    for host in hosts_of(SERVICES[name]):
        waits = SERVICES[name]["depends_on"]
        assert host in waits or any(host in SERVICES[other].get("depends_on", {}) for other in waits), host


def test_whoever_may_open_the_database_is_whoever_does():
    """A role that no line of pg_hba.conf names is refused, so one that a service uses must stand there."""
    lines = (ROOT / "deploy/database/pg_hba.conf").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    over_tcp = {row[2] for row in rows if row[0] == "host"}
    used = {match for service in SERVICES.values() for match in re.findall(r"//(\w+)@database", str(service))}
    users = {service.get("environment", {}).get("PGUSER") for service in SERVICES.values()} - {None}
    # Readers of some parks are members of Grafana's role.
    assert used | users | {"+smartpark_grafana"} == over_tcp
    assert all(row[-1] == "scram-sha-256" for row in rows if row[0] == "host")
    assert [row for row in rows if row[-1] == "trust"] == [["local", "all", "postgres", "trust"]]
    assert f"hba_file={mounts_of('database')['./deploy/database/pg_hba.conf']}" in SERVICES["database"]["command"]


# --- secrets ------------------------------------------------------------------------------------------------------


def test_ports_are_open_to_this_machine_only_unless_asked_for():
    for service in SERVICES.values():
        for port in service.get("ports", []):
            assert re.match(r"\$\{SMARTPARK_[A-Z]+_BIND:-127\.0\.0\.1\}:\d+:\d+$", port)


def test_no_password_stands_in_the_file_and_none_has_a_default():
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert not re.search(r"://[^/\s@:]+:[^/\s@]+@", text), "a password in an address"
    for match in re.finditer(r"(?i)(\w*(?:password|secret|token|key)(?:_file|__file)?)\s*:\s*(\S+)", text):
        assert match[2].startswith(("/run/secrets/", "{")), match[0]
    assert re.findall(r"\$\{[^}]*(?:PASSWORD|SECRET|TOKEN|KEY)[^}]*\}", text) == []


def test_what_stands_in_env_is_no_secret(secrets_folder):
    text = (secrets_folder / ".env").read_text()
    for path in (secrets_folder / "secrets").rglob("*.password"):
        content = path.read_text()
        assert not content or content not in text, path.name


def test_scripts_init_secrets_makes_every_file_and_variable_it_asks_for(secrets_folder):
    for name, secret in COMPOSE["secrets"].items():
        assert (secrets_folder / secret["file"]).is_file(), name
    lines = (secrets_folder / ".env").read_text().splitlines()
    made = {line.partition("=")[0] for line in lines if not line.startswith("#")}
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{([A-Z_]+):\?", text)) == made


def test_topic_rights_are_those_of_the_wire():
    """docs/wire.md says who writes what; each edge gets just that, and ingest the other end of it."""
    rows = re.findall(r"^\| `(\w+)` \| (.+?) → (\w+) \|", (ROOT / "docs/wire.md").read_text("utf-8"), re.MULTILINE)
    script = runpy.run_path(str(ROOT / "scripts" / "init-secrets"), run_name="init_secrets")
    up = [leaf for leaf, _, to in rows if to == "platform"]
    down = [leaf for leaf, _, to in rows if to == "edge"]
    assert len(up) + len(down) == len(rows) == 8
    users = dict(re.findall(r"user (\S+)\n((?:topic .*\n)*)", script["topic_rights"](["x"], [])))
    topics = {user: set(re.findall(r"topic (\w+ smartpark/\S+)", text)) for user, text in users.items()}
    assert topics["x"] == {f"write smartpark/v1/x/{leaf}" for leaf in up} | {
        f"read smartpark/v1/x/{leaf}" for leaf in down
    }
    assert topics["ingest"] == {
        *(f"read smartpark/v1/+/{leaf}" for leaf in up),
        *(f"write smartpark/v1/+/{leaf}" for leaf in down),
    }
    assert topics["health"] == set()


def secrets_of(service):
    """Name of each secret that a service is given → where it finds it."""
    given = service.get("secrets", [])
    return {
        one if isinstance(one, str) else one["source"]: f"/run/secrets/{one}"
        if isinstance(one, str)
        else one["target"]
        for one in given
    }


def test_the_key_of_the_console_is_one_that_it_takes(secrets_folder):
    assert len(key_of_file(secrets_folder / "secrets/desk/console.key")) == 32


def test_the_key_that_seals_is_one_that_it_takes(secrets_folder):
    assert load_key(secrets_folder / "secrets/desk/seal.pem").key_id.startswith("ed25519-")


def test_every_secret_that_a_service_uses_is_declared_and_every_declared_one_used():
    used = {name for service in SERVICES.values() for name in secrets_of(service)}
    assert used == set(COMPOSE["secrets"])


@pytest.mark.parametrize("name", SERVICES)
def test_files_that_a_service_is_pointed_to_are_given_to_it(name):
    service = SERVICES[name]
    for value in service.get("environment", {}).values():
        if value.startswith("/run/"):
            places = [*secrets_of(service).values(), *mounts_of(name).values()]
            assert any(value in {place, str(Path(place).parent)} for place in places), value


@pytest.mark.parametrize("name", SERVICES)
def test_what_gets_mounted_exists(name, secrets_folder):
    for source in mounts_of(name):
        if source.startswith(("./secrets/", "./backups")):
            assert (secrets_folder / source).is_dir(), source
        else:
            assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"], source


def mounts_of(name):
    """What a service mounts, by default → where."""
    volumes = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume) for volume in SERVICES[name].get("volumes", [])]
    return dict(volume.split(":")[:2] for volume in volumes)


def test_volumes_are_used_and_only_places_of_their_own_are_written():
    used = {source for name in SERVICES for source in mounts_of(name)}
    assert set(COMPOSE["volumes"]) <= used
    writable = {
        volume for service in SERVICES.values() for volume in service.get("volumes", []) if not volume.endswith(":ro")
    }
    folders = {volume.split(":")[0] for volume in writable if volume.startswith("./")}
    assert folders == {"./secrets/uplinks"}


def test_a_drill_unpacks_where_there_is_room_for_a_database():
    """And not in memory, where 256 MB are."""
    folder = SERVICES["restore-drill"]["environment"]["SMARTPARK_DRILL_FOLDER"]
    volumes = {where: source for source, where in mounts_of("restore-drill").items()}
    assert volumes[folder] in COMPOSE["volumes"]
    assert [name for name in SERVICES if volumes[folder] in mounts_of(name)] == ["restore-drill"]
    # The image has that folder, writable for every user: a new volume anywhere else is root's.
    assert folder == mounts_of("database")["database"]


def test_environment_variables_are_known_to_the_code():
    code = "".join(path.read_text(encoding="utf-8") for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    broker_fields = set(re.findall(r'"(username|password_file|ca_file|cert_file|key_file)"', code))
    known = set(re.findall(r"SMARTPARK_[A-Z_]+", code)) | {
        f"SMARTPARK_BROKER_{name.upper()}" for name in broker_fields
    }
    for service in OURS.values():
        given = {name for name in service.get("environment", {}) if name.startswith("SMARTPARK_")}
        assert given <= known
    for service in ("backup", "restore-drill"):
        scripts = (f"scripts/{service}", "deploy/backup/common.sh")
        text = "".join((ROOT / name).read_text(encoding="utf-8") for name in scripts)
        for name in SERVICES[service]["environment"]:
            assert name.startswith("PG") or name == "TZ" or f"${{{name}" in text, name


THEIRS = {
    "database": {"POSTGRES_DB", "POSTGRES_PASSWORD_FILE", "TIMESCALEDB_TELEMETRY"},
    "broker": {"XDG_CONFIG_HOME"},
}
"""Variables of images that are not ours, as their own documents have them."""


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in OURS])
def test_variables_of_other_images_are_theirs(name):
    given = set(SERVICES[name].get("environment", {}))
    if name == "grafana":
        assert all(variable.startswith("GF_") for variable in given)
    elif name not in {"backup", "restore-drill"}:
        assert given == THEIRS[name]


def test_the_variables_for_env_are_told():
    """Each that docker-compose.yml takes from .env stands in the deployment guide, and no other."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    taken = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text))
    told = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/deployment.md").read_text("utf-8"), re.MULTILINE))
    assert taken == told


def commands_of(name):
    service = SERVICES[name]
    if "entrypoint" not in service:
        return [service["command"]] if "command" in service else [dockerfile_command(service["build"]["dockerfile"])]
    script = " ".join(service["command"]).replace("$$", "$").replace('"', "")
    return [shlex.split(call) for call in re.findall(r"smartpark ([^;\n]+)", script)]


def dockerfile_command(path):
    return json.loads(re.search(r"^CMD (\[.*\])$", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)[1])


def test_the_settings_that_a_profile_asks_for_are_made_from_an_example():
    sources = {"province": "sources", "uplink": "uplink"}
    for name, stem in sources.items():
        (command,) = commands_of(name)
        folder = next(source for source, place in mounts_of(name).items() if command[-1].startswith(f"{place}/"))
        assert Path(command[-1]).name == f"{stem}.toml"
        assert list((ROOT / folder).glob("*.example.toml"))
        ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
        assert f"/{(ROOT / folder).relative_to(ROOT)}/{stem}.toml" in ignored


def test_the_example_of_a_province_is_read_and_looks_for_keys_where_they_are_mounted(tmp_path):
    text = (ROOT / "deploy/province/sources.example.toml").read_text(encoding="utf-8")
    place = mounts_of("province")["./secrets/province"]
    keys = re.findall(r'_file = "([^"]+)"', text)
    assert keys
    for key in keys:
        assert key.startswith(f"{place}/")
        (tmp_path / Path(key).name).write_text("spk_x")
        (tmp_path / Path(key).name).chmod(0o600)
    (tmp_path / "sources.toml").write_text(text.replace(f"{place}/", ""))
    assert [source.name for source in load_sources(tmp_path / "sources.toml")] == ["minhou", "jinjiang"]


@pytest.mark.parametrize("name", OURS)
def test_commands_are_those_of_the_program(name):
    role = {"$role": "smartpark_api", "/run/secrets/$role.password": "password", "$park": "park.toml"}
    for command in commands_of(name):
        arguments = build_parser().parse_args([role.get(word, word) for word in command])
        assert callable(arguments.run)


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_built_from_the_room_whose_command_it_runs(name):
    dockerfile = ROOT / SERVICES[name]["build"]["dockerfile"]
    assert dockerfile in DOCKERFILES
    assert f"--package smartpark-{dockerfile.parent.name}\n" in dockerfile.read_text(encoding="utf-8")


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)
def test_a_dockerfile_builds_from_the_lock_in_two_stages_and_ends_without_root(dockerfile):
    lines = dockerfile.read_text(encoding="utf-8").splitlines()
    images = [line.split()[1] for line in lines if line.startswith("FROM")]
    assert len(images) == 2
    assert all(PINNED.fullmatch(image) for image in images)
    assert any("uv sync --locked --no-dev --no-editable --package" in line for line in lines)
    assert "USER 10001:10001" in lines
    assert dockerfile_command(dockerfile)


def test_dockerfiles_and_lock_are_in_the_build_context_and_secrets_are_not():
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    members = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]
    assert set(allowed) == {"pyproject.toml", "uv.lock", *members}


def test_the_example_agent_and_the_example_park_fit_each_other():
    settings = load_settings(ROOT / "deploy/edge/edge-a.toml")
    catalogue = load_catalogue(ROOT / "deploy/parks/example.toml")
    known = {f"{catalogue.park.code}/{device.code}" for device in catalogue.device}
    assert {device.device for source in settings.mqtt for device in source.device} <= known


def test_the_agents_of_the_demo_are_what_the_simulators_say(tmp_path):
    for name, text in agents_for_compose(tmp_path).items():
        committed = (ROOT / "deploy" / "demo" / name).read_text(encoding="utf-8")
        assert committed == text, "python -m tests.compose_demo writes it anew"


def test_the_agents_of_the_demo_find_their_broker_and_their_files():
    (command,) = commands_of("demo-edge")
    for name in command[2:]:
        settings = load_settings(ROOT / "deploy" / "demo" / Path(name).name)
        for address in (settings.broker, *settings.mqtt):
            assert (address.host, address.port, address.tls) == ("broker", 8883, True)
            for file in (address.password_file, address.ca_file):
                assert file.name in SERVICES["demo-edge"]["secrets"]
        assert all(source.url == "opc.tcp://simulators:4840/" for source in settings.opcua)


def test_python_and_uv_are_the_same_in_every_image():
    first, *others = (re.findall(r"FROM \S+|uv==\S+", path.read_text(encoding="utf-8")) for path in DOCKERFILES)
    assert all(other == first for other in others)


def test_long_running_services_of_ours_say_how_they_fare_inside_the_network_only():
    for name, service in OURS.items():
        if "healthcheck" not in service:
            continue
        assert "metrics" in service["networks"], name
        assert service["environment"]["SMARTPARK_METRICS_PORT"] == "9100", name
        assert not any("9100" in port for port in service.get("ports", [])), name
        assert "/healthz" in service["healthcheck"]["test"][-1], name


def test_the_page_of_what_to_look_at_speaks_of_metrics_that_there_are():
    told = set(re.findall(r"^\| `(smartpark_\w+)` \|", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE))
    page = (ROOT / "docs/what-to-look-at.md").read_text()
    words = set(re.findall(r"smartpark_(?:edge|ingest|derive|api)_\w+", page))
    assert len(words) > 25
    assert {word.removesuffix("_bucket") for word in words} <= told
