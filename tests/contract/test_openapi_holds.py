"""The OpenAPI document is true: programs that know nothing else get on with a served instance.

A client that was generated from it reads and writes; schemathesis asks everything that it describes, and some of what
it does not. Every check of schemathesis is on, and one of ours; a failure prints the call that reproduces it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from fix_database import fresh_database, migrated
from fix_openapi import open_park
from openapi_park import API
from openapi_run import run_schemathesis
from smartpark_api.settings import AccessMode

EXAMPLES = int(os.environ.get("SMARTPARK_OPENAPI_EXAMPLES", "60"))
"""Of each operation, in the long run."""
PROGRAM = Path(__file__).parents[1] / "data" / "client_program.py"
ROOT = Path(__file__).parents[2]
GENERATING = """\
post_hooks: []
# Files: the generator has no reader of its own for these.
content_type_overrides:
  application/x-ndjson: application/octet-stream
  application/x-pem-file: application/octet-stream
"""


def tool(name):
    return str(Path(sys.executable).parent / name)


def done(command, folder, **more):
    """Output of a command that must end well and say nothing else."""
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=280, **more)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def generated(served_park, tmp_path_factory):
    """Folder with a client that was generated from what the server tells, and a program that uses it."""
    folder = tmp_path_factory.mktemp("client")
    document = httpx.get(f"{served_park.address}{API}/openapi.json", timeout=60).raise_for_status()
    (folder / "openapi.json").write_bytes(document.content)
    (folder / "generating.yml").write_text(GENERATING)
    (folder / "program.py").write_bytes(PROGRAM.read_bytes())
    command = [tool("openapi-python-client"), "generate", "--path", "openapi.json", "--config", "generating.yml"]
    told = done([*command, "--output-path", "park_client", "--meta", "none", "--fail-on-warning"], folder)
    assert "arning" not in told, told
    return folder


@pytest.mark.parametrize("served_park", [AccessMode.ENFORCED], indirect=True)
def test_a_program_with_a_generated_client_is_right_by_its_types(generated):
    config = {"include": ["program.py"], "typeCheckingMode": "strict", "pythonVersion": "3.11"}
    environment = {"venvPath": str(ROOT), "venv": ".venv"}
    (generated / "pyrightconfig.json").write_text(json.dumps(config | environment))

    assert "0 errors" in done([tool("pyright"), "-p", "."], generated)


@pytest.mark.parametrize("served_park", [AccessMode.ENFORCED], indirect=True)
def test_a_program_with_a_generated_client_reads_and_writes(generated, served_park):
    key = served_park.headers["Authorization"].removeprefix("Bearer ")
    told = json.loads(done([sys.executable, "program.py", served_park.address, key], generated))

    assert told["parks"] == ["netpark", "testpark"]
    assert told["missing"] == [404, "urn:smartpark:problem:park-not-found"]
    assert told["devices"] == 6
    assert told["values"] == [400.0] * 4
    assert told["made"] == [201, f"{API}/load-requests/{told['made'][2]}", told["made"][2]]
    assert told["applicant"] == "Stone Works"
    with served_park.client() as client:
        listed = client.get(f"{API}/load-requests", params={"park": "testpark"}).json()["requests"]
    assert len(listed) == told["before"] + 1


@pytest.mark.timeout(900)
def test_a_few_calls_of_every_operation_are_answered_as_described(served_park, tmp_path):
    # Where nobody has to prove who asks the routes are the same; there the documented examples are enough.
    phases = ["examples", "fuzzing"] if served_park.headers else ["examples"]
    ran = run_schemathesis(served_park, tmp_path, examples=1, phases=phases, seed=20261123, timeout_s=800)

    assert ran.returncode == 0, ran.told


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("access", list(AccessMode))
@pytest.mark.parametrize("database", ["plain", "timescale"])
def test_many_calls_of_every_operation_are_answered_as_described(request, database, access, tmp_path):
    for dsn in fresh_database(request.getfixturevalue(f"{database}_server_dsn")):
        with open_park(migrated(dsn), tmp_path, access) as park:
            phases = ["examples", "coverage", "fuzzing", "stateful"]
            ran = run_schemathesis(park, tmp_path, examples=EXAMPLES, phases=phases, timeout_s=7000)
            assert ran.returncode == 0, ran.told
