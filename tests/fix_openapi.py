"""Instances with something of everything in them, each served to programs that hold the API to its description."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fix_api import NOON, serving
from fix_database import fresh_database, migrated
from openapi_park import CHEN, OpenPark, fill_desk, fill_storage, key_of_an_administrator, secrets_in
from smartpark_api.aggregates.seal_keys import make_key
from smartpark_api.app import create_app
from smartpark_api.settings import AccessMode, ApiSettings

_UNLIMITED = 1_000_000


@contextmanager
def open_park(dsn: str, folder: Path, access: AccessMode) -> Iterator[OpenPark]:
    """Serve a filled instance over a migrated database."""
    fill_storage(dsn)
    settings = ApiSettings(
        dsn=dsn,
        access=access,
        attachments_folder=folder / "documents",
        seal_key_file=folder / "seal.key",
        webhook_secrets=secrets_in(folder / "secrets"),
        requests_per_minute=_UNLIMITED,
        failures_per_minute=_UNLIMITED,
    )
    make_key(settings.seal_key_file)
    is_local = access is AccessMode.LOCAL
    headers, own = ({}, ()) if is_local else key_of_an_administrator(dsn)
    with serving(create_app(settings, clock=lambda: NOON)) as address:
        park = OpenPark(address, headers, CHEN if is_local else {}, own=own)
        fill_desk(park)
        yield park


@pytest.fixture(scope="module", params=list(AccessMode))
def served_park(
    request: pytest.FixtureRequest, plain_server_dsn: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenPark]:
    """On plain PostgreSQL: once where the server trusts its machine, once where it asks for a key."""
    for dsn in fresh_database(plain_server_dsn):
        with open_park(migrated(dsn), tmp_path_factory.mktemp("instance"), request.param) as park:
            yield park
