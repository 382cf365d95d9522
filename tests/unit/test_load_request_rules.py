"""Limits, totals and stages of load requests against the table of the methods' notes, row by row."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from load_request_cases import RULES, cases, details, under_regime
from smartpark.dated import RuleNotFoundError
from smartpark.errors import InvalidFileError
from smartpark.load_requests.rules import Case, LoadRequestRules, load_load_request_rules
from smartpark.load_requests.words import (
    WORDS,
    Channel,
    Duty,
    Importance,
    Outcome,
    Owner,
    RequestKind,
    RequestSource,
    Stage,
    Standing,
    Supply,
    SuspendReason,
    UserKind,
    VoltageClass,
)

TODAY = date(2026, 11, 23)
LOW, HIGH = VoltageClass.LOW, VoltageClass.KV10
STUDY = (Stage.ACCEPTANCE, Stage.SURVEY, Stage.SCHEME_REPLY)

TABLE = [
    # stage, voltage, supply: NEA outer limits, Business Rules 2024, State Grid assessment rule; none: nothing there.
    (Stage.SCHEME_REPLY, LOW, Supply.SINGLE, 8, 3, 3),
    (Stage.SCHEME_REPLY, HIGH, Supply.SINGLE, 20, 10, 15),
    (Stage.SCHEME_REPLY, HIGH, Supply.DUAL, 45, 20, 30),
    (Stage.DESIGN_REVIEW, LOW, Supply.SINGLE, 8, None, 10),
    (Stage.DESIGN_REVIEW, HIGH, Supply.SINGLE, 20, None, 10),
    (Stage.MID_INSPECTION, LOW, Supply.SINGLE, 3, None, 5),
    (Stage.MID_INSPECTION, HIGH, Supply.SINGLE, 5, None, 5),
    (Stage.COMPLETION_INSPECTION, LOW, Supply.SINGLE, 5, None, 5),
    (Stage.COMPLETION_INSPECTION, HIGH, Supply.SINGLE, 7, None, 5),
    (Stage.ENERGIZATION, LOW, Supply.SINGLE, 5, None, 5),
    (Stage.ENERGIZATION, HIGH, Supply.SINGLE, 7, None, 5),
]
"""As the notes have it; at low voltage the State Grid rule has no row for the scheme, and the Rules' three count."""
REGIMES = ("nea_outer", "business_rules_2024", "state_grid")


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]} {row[1]} {row[2]}")
def test_every_limit_is_that_of_the_table(row: tuple[Any, ...], regime: str):
    stage, voltage, supply, *limits = row
    voltages = [LOW] if voltage is LOW else [v for v in VoltageClass if v is not LOW]
    for one in voltages:
        found = under_regime(regime).limit_for(stage, Case(voltage=one, supply=supply), TODAY)
        assert (None if found is None else found.working_days) == limits[REGIMES.index(regime)]
        assert found is None or found.counts == (STUDY if stage is Stage.SCHEME_REPLY else (stage,))


def test_no_row_of_limits_is_outside_the_table():
    in_table = {(stage, limit) for stage, _, _, *limits in TABLE for limit in limits if limit is not None}
    assert {(row.stage, row.working_days) for row in RULES.limit} == in_table
    assert {row.regime for row in RULES.limit} == set(REGIMES)


@pytest.mark.parametrize(
    ("case", "working_days"),
    [
        ({"voltage": LOW, "user_kind": UserKind.SMALL_BUSINESS}, 15),
        ({"voltage": LOW}, 6),
        *(({"voltage": v}, 22) for v in VoltageClass if v is not LOW),
        *(({"voltage": v, "supply": Supply.DUAL}, 32) for v in VoltageClass if v is not LOW),
    ],
)
def test_the_utilitys_part_as_a_whole_is_limited_as_in_2020_1479(case: dict[str, Any], working_days: int):
    found = RULES.total_for(Case(**case), TODAY)
    assert found is not None
    assert found.working_days == working_days


def test_the_regime_served_by_is_the_state_grid_rule_and_says_how_well_it_is_attested():
    practice = RULES.practice_on(TODAY)
    assert (practice.regime, practice.closes.hour, practice.at_risk_share) == ("state_grid", 17, 0.8)
    grades = {row.id: row.grade for row in RULES.limit}
    assert grades["limit:state-grid:scheme:high:single:1"] == "S"
    assert grades["limit:nea:scheme:high:single:1"] == "M88"
    assert grades["limit:rules-2024:scheme:high:single:1"] == "M80"


@pytest.mark.parametrize(("voltage", "months"), [(LOW, 3), (HIGH, 12), (VoltageClass.KV220, 12)])
def test_a_replied_scheme_is_valid_for_its_time(voltage: VoltageClass, months: int):
    found = RULES.scheme_validity_for(Case(voltage=voltage), TODAY)
    assert found is not None
    assert (found.months, found.extension_asked_days_before) == (months, 10)


@given(cases())
def test_every_case_has_a_template_from_the_lead_to_the_archive(case: dict[str, Any]):
    template = RULES.template_for(Case(**case), TODAY)
    order = template.order
    assert (order[0], order[1], order[-2:]) == (
        Stage.LEAD,
        Stage.ACCEPTANCE,
        (Stage.ENERGIZATION, Stage.ARCHIVING),
    )
    assert list(order) == sorted(order, key=tuple(Stage).index)
    is_reviewed = case["importance"] is not Importance.ORDINARY or case["user_kind"] is UserKind.SPECIAL_LOAD
    assert (Stage.DESIGN_REVIEW in order) == (Stage.MID_INSPECTION in order)
    assert (Stage.MID_INSPECTION in order) == (is_reviewed and case["voltage"] is not LOW)
    assert (Stage.ACCESS_STUDY in order) == (case["voltage"] not in {LOW, HIGH})


def test_before_its_first_day_no_row_is_in_force():
    with pytest.raises(RuleNotFoundError, match="no template of stages for 10kv, single, ordinary, ordinary"):
        RULES.template_for(details().case, date(2020, 8, 31))
    assert RULES.total_for(details().case, date(2020, 8, 31)) is None


OWN = """
version = "yard-1"

[[limit]]
id = "limit:yard:green:1"
regime = "state_grid"
stage = "scheme_reply"
counts = ["acceptance", "survey", "scheme_reply"]
channel = "green"
voltages = ["10kv"]
working_days = 7
valid_from = 2026-01-01
source = "Promise of the yard's supply office"
grade = "P"
"""


def test_an_installation_adds_limits_of_its_green_channel(tmp_path: Path):
    file = tmp_path / "own.toml"
    file.write_text(OWN, encoding="utf-8")
    rules = load_load_request_rules(file)

    def days(day: date, **case: Any) -> int:
        found = rules.limits_covering(Stage.SURVEY, details(**case).case, day)
        assert found is not None
        return found.working_days

    assert days(TODAY, channel=Channel.GREEN) == 7
    assert days(TODAY) == 15
    assert days(date(2025, 12, 31), channel=Channel.GREEN) == 15
    # A green request that no row names has the normal limit, never none.
    assert days(TODAY, channel=Channel.GREEN, voltage="35kv") == 15
    assert rules.version == f"{RULES.version}+yard-1"


def test_a_file_with_a_taken_id_or_an_unknown_key_is_refused_by_name(tmp_path: Path):
    file = tmp_path / "own.toml"
    file.write_text(OWN.replace("limit:yard:green:1", "limit:state-grid:energization:1"), encoding="utf-8")
    with pytest.raises(InvalidFileError, match=r"own\.toml: ids used twice: limit:state-grid:energization:1"):
        load_load_request_rules(file)
    file.write_text(OWN.replace("working_days", "workdays"), encoding="utf-8")
    with pytest.raises(InvalidFileError, match="workdays"):
        load_load_request_rules(file)


PRACTICE = """
version = "yard-2"

[[practice]]
id = "practice:yard:1"
regime = "state-grid"
opens = 08:30:00
closes = 17:30:00
at_risk_share = 0.7
green_quiet_working_days = 1
undo_seconds = 20
remind_working_days_before = [2]
valid_from = 2026-01-01
source = "Office hours of the yard"
grade = "P"
"""


def test_a_practice_of_a_regime_that_has_no_limits_is_refused_before_it_lifts_them_all(tmp_path: Path):
    file = tmp_path / "own.toml"
    file.write_text(PRACTICE, encoding="utf-8")
    with pytest.raises(InvalidFileError, match=r"practice\[practice:yard:1\].regime: no limit is of 'state-grid'"):
        load_load_request_rules(file)
    file.write_text(PRACTICE.replace("state-grid", "nea_outer"), encoding="utf-8")
    rules = load_load_request_rules(file)
    found = rules.limit_for(Stage.ENERGIZATION, details().case, TODAY)
    assert found is not None
    assert (found.id, rules.practice_on(TODAY).closes.minute) == ("limit:nea:energization:high:1", 30)


def test_every_row_names_its_source():
    rows = (*RULES.template, *RULES.limit, *RULES.total, *RULES.scheme_validity, *RULES.practice)
    assert [row.id for row in rows if not row.source or not row.grade] == []
    assert LoadRequestRules.model_validate(RULES.model_dump()) == RULES


@pytest.mark.parametrize(
    "words",
    [
        *(RequestKind, VoltageClass, Supply, UserKind, Importance, Channel, RequestSource),
        *(Stage, Outcome, Owner, SuspendReason, Standing, Duty),
    ],
)
def test_every_word_is_there_in_both_languages(words: Any):
    for member in words:
        chinese, english = WORDS[member]
        assert chinese
        assert english


def test_lists_that_share_a_word_share_it_in_both_languages():
    """Members are strings: two of them that are equal are one key, so the second would take the first one's words."""
    lists = (RequestKind, VoltageClass, Supply, UserKind, Importance, Channel, RequestSource, Stage, Outcome)
    members = [str(member) for kind in (*lists, Owner, SuspendReason, Standing, Duty) for member in kind]
    assert {one for one in members if members.count(one) > 1} == {"ordinary"}
