"""Derive computes with the factors that the database has, and notices rows that were added while it runs."""

from datetime import date

from derive_park import HOUR, MIDNIGHT, DerivePark
from smartpark.factors import Factor, FactorKind, builtin_factors
from smartpark.measurands import Carrier
from smartpark_ingest.derive import Deriver
from smartpark_ingest.factor_watch import FactorWatch
from smartpark_ingest.recompute import mark_park_stale
from smartpark_storage import Connection, load_factor_set, load_factors


def rate(factor_id: str, value: float, **more):
    return Factor.model_validate(
        {
            "id": factor_id,
            "kind": FactorKind.COAL_EQUIVALENT_PRIMARY,
            "carrier": Carrier.ELECTRICITY,
            "scope": "national",
            "value": value,
            "unit": "kgce/kWh",
            "data_year": 2024,
            "valid_from": date(2025, 1, 1),
            "source": "bulletin",
            "grade": "S",
        }
        | more
    )


def test_rows_that_are_added_are_seen_at_the_next_step(connection: Connection):
    watch = FactorWatch()
    before = watch.current(connection)
    assert before == load_factor_set(connection)
    assert watch.current(connection) is before
    load_factors(connection, [rate("rate", 0.285)], origin="test", loaded_by="test")
    after = watch.current(connection)
    assert after.version != before.version
    assert {row.id for row in after.factor} - {row.id for row in before.factor} == {"rate"}


def test_a_set_that_was_given_stays(connection: Connection):
    given = builtin_factors()
    watch = FactorWatch(given)
    load_factors(connection, [rate("rate", 0.285)], origin="test", loaded_by="test")
    assert watch.current(connection) is given


def test_a_new_vintage_makes_a_new_revision_when_it_is_asked_for_and_keeps_the_old_one(hill: DerivePark):
    hill.deriver = Deriver()
    hill.feed(MIDNIGHT, MIDNIGHT + 2 * HOUR)
    hill.derive()
    old = hill.hour("carbon_location_national", 0)
    assert old["factor_set"] == load_factor_set(hill.connection).version
    newer = rate(
        "mee-next:electricity:national:2024",
        0.5,
        kind=FactorKind.CARBON_DIOXIDE,
        unit="kg/kWh",
        published=date(2026, 12, 1),
        valid_from=date(2024, 1, 1),
    )
    load_factors(hill.connection, [newer], origin="test", loaded_by="test")
    # Loading alone changes nothing that is published.
    assert hill.derive() == (0, 0)
    assert hill.hour("carbon_location_national", 0) == old
    mark_park_stale(hill.connection, "hill", MIDNIGHT, MIDNIGHT + HOUR)
    hill.derive()
    first, second = (
        row
        for row in hill.published("carbon_location_national", "hour", every_revision=True)
        if row["start"] == old["start"]
    )
    assert (first["revision"], first["value"], first["factors"]) == (1, old["value"], old["factors"])
    assert first["superseded_at"] is not None
    assert (second["revision"], second["superseded_at"]) == (2, None)
    assert newer.id in second["factors"]
    assert f"{newer.id}: latest_published" in second["reason"]
    assert second["value"] < first["value"]
    # What does not rest on the row keeps its revision.
    assert hill.hour("comprehensive_energy", 0)["revision"] == 1


def test_a_measured_calorific_value_of_the_park_goes_into_energy_and_carbon(hill: DerivePark):
    hill.deriver = Deriver()
    measured = rate(
        "hill:gas",
        35.0,
        kind=FactorKind.NET_CALORIFIC_VALUE,
        carrier=Carrier.NATURAL_GAS,
        scope="measured",
        park="hill",
        unit="MJ/m3",
    )
    load_factors(hill.connection, [measured], origin="test", loaded_by="test")
    hill.feed(MIDNIGHT, MIDNIGHT + HOUR)
    hill.derive()
    for indicator in ("comprehensive_energy", "carbon_location"):
        row = hill.hour(indicator, 0)
        assert "hill:gas" in row["factors"], indicator
        assert "hill:gas: measured" in row["reason"]
