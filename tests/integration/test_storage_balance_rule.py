"""The view `park.boundary_flow` says what core's `balance_rule` says: the same points with the same signs."""

from collections import defaultdict
from datetime import UTC, datetime
from importlib.resources import files

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from smartpark.balance_rule import Measures, signs_at_boundary
from smartpark.catalogue import Catalogue, Role, load_catalogue, parse_catalogue
from smartpark.measurands import Carrier, Measurand
from smartpark_storage import Connection, load_registry, transaction
from smartpark_storage import load_catalogue as store_catalogue
from storage_cases import park_document

COUNTED = [
    Measurand.ACTIVE_POWER,
    Measurand.ACTIVE_ENERGY_IMPORT,
    Measurand.ACTIVE_ENERGY_EXPORT,
    Measurand.GAS_VOLUME,
    Measurand.HEAT_ENERGY,
    Measurand.STEAM_MASS,
    Measurand.FUEL_MASS,
]
PHASES = [
    {"measurand": name, "code": f"{name}_l{n}"}
    for name in ("active_power", "active_energy_import")
    for n in (1, 2, 3)
]
TARIFF = [
    {"measurand": "active_energy_import", "code": "second_tariff"},
    {"measurand": "active_energy_import", "code": "active_energy_import_t2"},
    {"measurand": "gas_volume", "code": "gas_volume_valley"},
]
POINTS = [*({"measurand": m.value} for m in Measurand), *PHASES]
LIKELY = [*({"measurand": m.value} for m in COUNTED), *PHASES, *TARIFF]

EVERY = [
    {"role": role, "carrier": carrier, "internal_transfer": False, "point": points}
    for role in (Role.BOUNDARY, Role.GENERATION)
    for carrier in Carrier
    for points in (LIKELY, PHASES, [{"measurand": "active_power"}, {"measurand": "active_energy_import"}])
]
"""Each carrier in each role that counts: with all registers, with phases only, and with one direction."""

devices = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from([Role.BOUNDARY, Role.GENERATION, *Role]),
            "carrier": st.sampled_from([Carrier.ELECTRICITY, Carrier.PHOTOVOLTAIC, *Carrier]),
            "internal_transfer": st.sampled_from([False, False, True]),
            "point": st.lists(
                st.sampled_from(LIKELY) | st.sampled_from(POINTS), unique_by=str, min_size=1, max_size=6
            ),
        }
    ),
    min_size=1,
    max_size=12,
)


def catalogue_of(drawn) -> Catalogue:
    given_devices = [
        {"code": f"D{n}", "name": f"D{n}", "name_en": f"D{n}", "kind": "meter", **device}
        for n, device in enumerate(drawn)
    ]
    return parse_catalogue({**park_document(), "device": given_devices}, file="hill.toml")


def load(connection: Connection, catalogue: Catalogue) -> None:
    store_catalogue(connection, catalogue, source="park.toml", loaded_by="test", at=datetime.now(UTC))


def said_by_core(connection: Connection) -> dict[str, int]:
    by_device = defaultdict(list)
    for record in load_registry(connection).by_key.values():
        if not record.retired:
            by_device[record.park, record.device].append(record)
    said = {}
    for points in by_device.values():
        one = points[0]
        measures = [Measures(p.code, p.measurand) for p in points]
        signs = signs_at_boundary(one.role, one.carrier, measures, internal_transfer=one.internal_transfer)
        said |= {p.key: sign for p, sign in zip(points, signs, strict=True) if sign}
    return said


def said_by_view(connection: Connection) -> dict[str, int]:
    with transaction(connection):
        return dict(connection.execute("SELECT point, sign FROM park.boundary_flow").fetchall())


def test_view_and_rule_agree_on_the_demo_park(connection: Connection):
    demo = files("smartpark_simulators").joinpath("parks/minhou-demo.toml")
    load(connection, load_catalogue(demo))
    said = said_by_view(connection)
    assert said == said_by_core(connection)
    assert {-1, 1} == set(said.values())


# Each catalogue takes the place of the one before, so that retired points are about too.
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=devices)
@example(drawn=EVERY)
def test_view_and_rule_agree_on_any_catalogue(connection: Connection, drawn):
    load(connection, catalogue_of(drawn))
    assert said_by_view(connection) == said_by_core(connection)


def test_the_dashboards_role_may_read_the_view(connection: Connection):
    with transaction(connection):
        row = connection.execute(
            "SELECT has_table_privilege('smartpark_grafana', 'park.boundary_flow', 'SELECT')"
        ).fetchone()
    assert row == (True,)
