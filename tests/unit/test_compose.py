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
    park = {"database", "broker", "grafana", "migrate", "ingest-0", "ingest-1", "derive", "notices", "edge", "api"}
    demo = {"demo-catalogue", "demo-edge", "simulators"}
    assert set(SERVICES) == park | demo
    assert {name for name, service in SERVICES.items() if service.get("profiles") == ["demo"]} == demo


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
def test_a_service_has_a_memory_limit_and_gains_no_privileges(name):
    assert "mem_limit" in SERVICES[name]
    assert "no-new-privileges:true" in SERVICES[name]["security_opt"]


@pytest.mark.parametrize("name", [*OURS, "broker"])
def test_our_services_are_no_root_and_write_only_to_volumes(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["user"].startswith("${SMARTPARK_UID:?")
    assert service["cap_drop"] == ["ALL"]


def test_ports_are_open_to_this_machine_only_unless_asked_for():
    for service in SERVICES.values():
        for port in service.get("ports", []):
            assert re.match(r"\$\{SMARTPARK_[A-Z]+_BIND:-127\.0\.0\.1\}:\d+:\d+$", port)


def test_no_password_stands_in_the_file_and_none_has_a_default():
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert not re.search(r"://[^/\s@:]+:[^/\s@]+@", text), "a password in an address"
    for match in re.finditer(r"(?i)(\w*(?:password|secret|token))\s*:\s*(\S+)", text):
        name, value = match.groups()
        assert value.startswith(('"${', "/run/secrets/", "{")) or name.endswith("secrets"), match[0]
    for variable in re.findall(r"\$\{([^}]*PASSWORD[^}]*)\}", text):
        assert ":?run scripts/init-secrets" in variable


def test_scripts_init_secrets_makes_every_file_and_variable_it_asks_for(secrets_folder):
    for name, secret in COMPOSE["secrets"].items():
        assert (secrets_folder / secret["file"]).is_file(), name
    made = {line.partition("=")[0] for line in (secrets_folder / ".env").read_text().splitlines()}
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{([A-Z_]+):\?", text)) <= made


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
            places = secrets_of(service).values()
            assert any(value in {place, str(Path(place).parent)} for place in places), value


@pytest.mark.parametrize("name", SERVICES)
def test_what_gets_mounted_exists(name):
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"], volume


def test_environment_variables_are_known_to_the_code():
    code = "".join(path.read_text(encoding="utf-8") for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    broker_fields = set(re.findall(r'"(username|password_file|ca_file|cert_file|key_file)"', code))
    known = set(re.findall(r"SMARTPARK_[A-Z_]+", code)) | {
        f"SMARTPARK_BROKER_{name.upper()}" for name in broker_fields
    }
    for service in OURS.values():
        given = {name for name in service.get("environment", {}) if name.startswith("SMARTPARK_")}
        assert given <= known


def commands_of(name):
    service = SERVICES[name]
    if "entrypoint" not in service:
        return [service["command"]] if "command" in service else [dockerfile_command(service["build"]["dockerfile"])]
    script = " ".join(service["command"]).replace("$$", "$").replace('"', "")
    return [shlex.split(call) for call in re.findall(r"smartpark ([^;\n]+)", script)]


def dockerfile_command(path):
    return json.loads(re.search(r"^CMD (\[.*\])$", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)[1])


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
    for name in ("ingest-0", "ingest-1", "derive", "api", "edge", "demo-edge"):
        service = SERVICES[name]
        assert service["environment"]["SMARTPARK_METRICS_PORT"] == "9100", name
        assert not any("9100" in port for port in service.get("ports", [])), name
        assert "/healthz" in service["healthcheck"]["test"][-1], name


def test_the_page_of_what_to_look_at_speaks_of_metrics_that_there_are():
    told = set(re.findall(r"^\| `(smartpark_\w+)` \|", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE))
    page = (ROOT / "docs/what-to-look-at.md").read_text()
    words = set(re.findall(r"smartpark_(?:edge|ingest|derive|api)_\w+", page))
    assert len(words) > 25
    assert {word.removesuffix("_bucket") for word in words} <= told
