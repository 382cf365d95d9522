"""Factors in the database: loaded with the schema, never edited, and read back as they were written."""

import json
from datetime import date

import psycopg
import pytest
from smartpark.cli import main
from smartpark.factors import Factor, FactorKind, builtin_factors
from smartpark.measurands import Carrier
from smartpark_storage import (
    Connection,
    FactorConflictError,
    IndicatorRow,
    connect,
    count_factors,
    factor_uses,
    list_factors,
    load_catalogue,
    load_factor_set,
    load_factors,
    migrate,
    publish_indicators,
    transaction,
)
from storage_cases import NOON, NOON_US, park


def a_factor(**changes):
    row = {
        "id": "hill:raw_coal:ncv",
        "kind": FactorKind.NET_CALORIFIC_VALUE,
        "carrier": Carrier.RAW_COAL,
        "scope": "measured",
        "park": "hill",
        "value": 20.1,
        "unit": "MJ/kg",
        "valid_from": date(2026, 10, 1),
        "source": "laboratory report 2026-118",
        "grade": "P",
    }
    return Factor.model_validate(row | changes)


@pytest.fixture
def hill(connection: Connection) -> Connection:
    load_catalogue(connection, park(), source="hill.toml", loaded_by="somebody", at=NOON)
    return connection


def load(connection: Connection, *rows: Factor):
    return load_factors(connection, rows, origin="hill.toml", loaded_by="somebody")


def test_a_new_database_has_the_rows_of_the_platform_and_the_same_digest(connection: Connection):
    builtin, stored = builtin_factors(), load_factor_set(connection)
    assert sorted(stored.factor, key=lambda r: r.id) == sorted(builtin.factor, key=lambda r: r.id)
    assert stored.version == f"{builtin.version}.{builtin.digest}"
    assert stored.electricity_method == builtin.electricity_method
    assert migrate(connection) == []
    assert count_factors(connection) == len(builtin.factor)


def test_a_park_loads_its_own_rows_and_loading_them_again_changes_nothing(hill: Connection):
    before = load_factor_set(hill)
    first, second = load(hill, a_factor()), load(hill, a_factor())
    assert [row.id for row in first.added] == ["hill:raw_coal:ncv"]
    assert (second.added, second.known, second.version) == ((), 1, first.version)
    after = load_factor_set(hill)
    assert (after.version, before.version == after.version) == (first.version, False)
    scopes, on = ("measured", "supplier"), date(2026, 11, 1)
    choice = after.choose(FactorKind.NET_CALORIFIC_VALUE, Carrier.RAW_COAL, scopes, on, park="hill")
    assert choice.factor == a_factor()
    (row,) = list_factors(hill, park="hill")
    assert (row["origin"], row["loaded_by"], row["as_stated"]) == ("hill.toml", "somebody", "20.1 MJ/kg")


def test_a_known_id_under_another_meaning_is_refused_and_nothing_is_loaded(hill: Connection):
    load(hill, a_factor())
    count = count_factors(hill)
    other = a_factor(id="hill:diesel:ncv", carrier="diesel")
    with pytest.raises(FactorConflictError, match=r"hill:raw_coal:ncv: is there with value 20\.1.* instead of 21\.0"):
        load(hill, other, a_factor(value=21.0))
    assert count_factors(hill) == count
    corrected = a_factor(id="hill:raw_coal:ncv:2", value=21.0, supersedes="hill:raw_coal:ncv")
    assert len(load(hill, other, corrected).added) == 2


def test_better_words_for_a_source_are_no_other_row(hill: Connection):
    load(hill, a_factor())
    report = load(hill, a_factor(source="laboratory report 2026-118, page 3", grade="C"))
    assert (report.added, report.known) == ((), 1)
    assert list_factors(hill, factor_id="hill:raw_coal:ncv")[0]["grade"] == "P"


def test_two_rows_of_one_day_are_refused(hill: Connection):
    load(hill, a_factor())
    with pytest.raises(FactorConflictError, match="says the same as hill:raw_coal:ncv from the same day on"):
        load(hill, a_factor(id="another"))


def test_a_row_of_a_park_that_does_not_exist_is_refused(connection: Connection):
    with pytest.raises(FactorConflictError, match=r"no catalogue names: .*nowhere"):
        load(connection, a_factor(park="nowhere"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE smartpark.factor SET value = 1 WHERE id = 'gbt2589-2020:diesel'",
        "DELETE FROM smartpark.factor WHERE id = 'gbt2589-2020:diesel'",
        "TRUNCATE smartpark.factor",
    ],
)
def test_nobody_edits_a_row_not_even_the_owner(connection: Connection, statement: str):
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="is not edited and not removed"):
        connection.execute(statement)
    connection.rollback()


@pytest.mark.parametrize("role", ["smartpark_ingest", "smartpark_api"])
def test_derive_and_the_api_read_factors_and_write_none(connection: Connection, role: str):
    count = count_factors(connection)
    with transaction(connection):
        connection.execute(f"SET LOCAL ROLE {role}")
        rows = connection.execute("SELECT count(*) FROM smartpark.factor").fetchone()
        assert rows == (count,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM smartpark.factor")
    connection.rollback()


def test_a_row_says_which_numbers_rest_on_it(hill: Connection):
    rows = [
        IndicatorRow(
            park="hill", indicator="comprehensive_energy", grain="hour", start_us=NOON_US, value=1.0, numerator=None,
            denominator=None, unit="tce", completeness=1.0, estimated_share=0.0, method="test/1", factor_set="x",
            factors=("gbt2589-2020:diesel",), reason="", computed_at_us=NOON_US,
        )
    ]  # fmt: skip
    publish_indicators(hill, rows)
    (use,) = factor_uses(hill, "gbt2589-2020:diesel")
    assert (use["indicator"], use["revisions"]) == ("comprehensive_energy", 1)
    assert factor_uses(hill, "gbt2589-2020:lng") == []


FILE = """
[[factor]]
id = "rate:2024"
kind = "coal_equivalent_primary"
carrier = "electricity"
scope = "national"
value = 285.0
unit = "gce/kWh"
data_year = 2024
valid_from = 2025-01-01
source = "statistical bulletin, thermal power, generation rate 2024"
grade = "S"
"""


@pytest.fixture
def at_the_command_line(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SMARTPARK_DSN", database_dsn)
    return database_dsn


def test_the_commands_load_list_and_show(at_the_command_line, tmp_path, capsys):
    file = tmp_path / "rates.toml"
    file.write_text(FILE, encoding="utf-8")
    assert main(["factors", "load", "--json", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["added"] == ["rate:2024"]
    assert main(["factors", "load", str(file)]) == 0
    assert "0 added, 1 known" in capsys.readouterr().out
    assert main(["factors", "list", "--kind", "coal_equivalent_primary"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "rate:2024" in line
    assert "0.285 kgce/kWh" in line
    assert "电力折标准煤系数(等价值)" in line
    assert main(["factors", "show", "rate:2024"]) == 0
    told = capsys.readouterr().out
    assert "285.0 gce/kWh" in told
    assert "coal equivalent, primary of electricity" in told
    assert main(["factors", "show", "--json", "rate:2024"]) == 0
    assert json.loads(capsys.readouterr().out)["uses"] == []
    with connect(at_the_command_line, application="test") as connection:
        assert "rate:2024" in {row.id for row in load_factor_set(connection).factor}


def test_the_commands_name_what_is_wrong(at_the_command_line, tmp_path, capsys):
    file = tmp_path / "rates.toml"
    file.write_text(FILE.replace("285.0", "404.0"), encoding="utf-8")
    assert main(["factors", "load", str(file)]) == 2
    assert f"{file}: factor[rate:2024]: 0.404 kgce/kWh is an obsolete convention" in capsys.readouterr().err
    assert main(["factors", "show", "nothing"]) == 1
    assert "no factor has the id 'nothing'" in capsys.readouterr().err
