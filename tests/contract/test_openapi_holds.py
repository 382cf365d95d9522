"""The OpenAPI document is true: schemathesis asks everything that it describes, and some of what it does not.

Every check of schemathesis is on, and one of ours; a failure prints the call that reproduces it.
"""

import os

import pytest
from fix_database import fresh_database, migrated
from fix_openapi import open_park
from openapi_run import run_schemathesis
from smartpark_api.settings import AccessMode

EXAMPLES = int(os.environ.get("SMARTPARK_OPENAPI_EXAMPLES", "60"))
"""Of each operation, in the long run."""


def told(ran):
    """The end of what was printed: the failures with their calls."""
    return ran.output[-20_000:]


def test_a_few_calls_of_every_operation_are_answered_as_described(served_park, tmp_path):
    phases = ["examples", "fuzzing"]
    ran = run_schemathesis(served_park, tmp_path, examples=1, phases=phases, seed=20261123, timeout_s=280)

    assert ran.returncode == 0, told(ran)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("access", list(AccessMode))
@pytest.mark.parametrize("database", ["plain", "timescale"])
def test_many_calls_of_every_operation_are_answered_as_described(request, database, access, tmp_path):
    for dsn in fresh_database(request.getfixturevalue(f"{database}_server_dsn")):
        with open_park(migrated(dsn), tmp_path, access) as park:
            phases = ["examples", "coverage", "fuzzing", "stateful"]
            ran = run_schemathesis(park, tmp_path, examples=EXAMPLES, phases=phases, timeout_s=7000)
            assert ran.returncode == 0, told(ran)
