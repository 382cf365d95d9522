"""Parts of a request's page: steps and their days, forms to bodies, the plain drawing, the what-if, the timeline."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from load_request_cases import CALENDAR, RULES, details
from smartpark.load_requests.clocks import clocks_of
from smartpark.load_requests.events import (
    Amended,
    Commented,
    Handed,
    Moved,
    Opened,
    SchemeReplied,
    SentBack,
    Suspended,
    Undone,
    happened,
)
from smartpark.load_requests.requests import replay
from smartpark.load_requests.words import Owner, RequestSource, Stage, VoltageClass
from smartpark_api.console.duration_chart import HEIGHT, WIDTH, drawing_of, lowest_limit, rows_of
from smartpark_api.console.forms import Form
from smartpark_api.console.request_forms import (
    ACTS,
    RequestFormError,
    body_of,
    details_form,
    details_of,
    happened_at,
    is_lead,
)
from smartpark_api.console.steps import StepState, steps_of
from smartpark_api.console.timeline import comments_for_applicant, entries_of
from smartpark_api.load_requests.capacity import Ask
from smartpark_api.load_requests.capacity_models import CurveOut
from smartpark_api.planning.asking import QuestionError
from smartpark_api.routes.console.request_documents import what_if
from smartpark_api.words import Language, words_of
from starlette.datastructures import FormData

MORNING = datetime(2026, 10, 12, 1, 0, tzinfo=UTC)
"""Monday, nine in the park."""
GOOD = {
    "park": "hill",
    "applicant": "晋江纺织有限公司",
    "contact_role": "动力部经理",
    "kind": "new_supply",
    "applied_kva": "2,000",
    "voltage": "10kv",
}


def form(**fields):
    return Form(FormData(list(fields.items())))


def events_of(*bodies, wanted=None):
    """Events a day apart, from Monday morning."""
    first = Opened(details=wanted or details())
    told = [first, *bodies]
    return [happened(n + 1, MORNING + timedelta(days=n), "lin", body) for n, body in enumerate(told)]


def steps(*bodies, today=date(2026, 10, 20), wanted=None, used=()):
    events = events_of(*bodies, wanted=wanted)
    request = replay(events, RULES)
    view = SimpleNamespace(
        request=request,
        clocks=clocks_of(request, RULES, CALENDAR, today),
        row=SimpleNamespace(stage_limits=list(used)),
    )
    return {step.stage: step for step in steps_of(view, RULES, CALENDAR)}


# --- steps --------------------------------------------------------------------------------------------------------


def test_days_ahead_follow_from_the_limits_and_from_nothing_else():
    found = steps(Moved(to=Stage.SURVEY))
    assert [step.state for step in found.values()][:3] == [StepState.DONE, StepState.NOW, StepState.AHEAD]
    # Fifteen working days after Monday 2026-10-12, for all stages up to the reply.
    assert found[Stage.SCHEME_REPLY].planned_on == date(2026, 11, 2)
    assert found[Stage.SURVEY].planned_on is None
    assert found[Stage.SURVEY].limit.stage is Stage.SCHEME_REPLY
    # The customer begins what comes then: no day follows.
    assert found[Stage.CONSTRUCTION].planned_on is None
    assert found[Stage.ENERGIZATION].planned_on is None
    assert found[Stage.ENERGIZATION].limit.working_days == 5


def test_a_stage_done_says_when_and_by_whose_days():
    found = steps(Moved(to=Stage.SURVEY), Handed(to=Owner.CUSTOMER), today=date(2026, 10, 16))
    assert found[Stage.ACCEPTANCE].started_at == MORNING
    assert found[Stage.ACCEPTANCE].ended_at == MORNING + timedelta(days=1)
    assert (found[Stage.SURVEY].days[Owner.UTILITY], found[Stage.SURVEY].days[Owner.CUSTOMER]) == (1, 2)
    assert found[Stage.SURVEY].ended_at is None


def test_a_rework_is_told_as_a_second_passage():
    back = SentBack(to=Stage.SURVEY, reason="馈线走廊")
    found = steps(Moved(to=Stage.SURVEY), Moved(to=Stage.SCHEME_REPLY), back)
    assert (found[Stage.SURVEY].passages, found[Stage.SURVEY].state) == (2, StepState.NOW)
    assert (found[Stage.SCHEME_REPLY].passages, found[Stage.SCHEME_REPLY].state) == (1, StepState.AHEAD)


def test_a_limit_that_was_not_kept_is_late():
    used = [{"stage": "scheme_reply", "rule": "x", "used": 16, "limit": 15}]
    assert steps(used=used)[Stage.SCHEME_REPLY].is_late
    assert not steps()[Stage.SCHEME_REPLY].is_late


def test_suspended_stands_and_ended_never_comes():
    assert steps(Suspended(reason="other"))[Stage.ACCEPTANCE].state is StepState.STOPPED
    lead = details(source=RequestSource.PROJECT_LIBRARY)
    request = replay([happened(1, MORNING, "lin", Opened(details=lead, is_lead=True))], RULES)
    view = SimpleNamespace(
        request=request,
        clocks=clocks_of(request, RULES, CALENDAR, MORNING.date()),
        row=SimpleNamespace(stage_limits=[]),
    )
    found = steps_of(view, RULES, CALENDAR)
    assert (found[0].stage, found[0].state) == (Stage.LEAD, StepState.NOW)


# --- forms --------------------------------------------------------------------------------------------------------


def test_a_form_makes_details_with_numbers_as_people_write_them():
    made = details_of(form(**GOOD, coincidence="80", wanted_on="2027-03-01", node=""))
    assert (made.applied_kva, made.coincidence, made.wanted_on, made.node) == (2000, 0.8, date(2027, 3, 1), None)


def test_a_probability_left_from_a_lead_is_no_error_of_an_application():
    assert details_of(form(**GOOD, source="application", probability="60")).probability is None
    lead = form(**GOOD, source="project_library", probability="60 %")
    assert (details_of(lead).probability, is_lead(lead)) == (0.6, True)


@pytest.mark.parametrize(
    ("changed", "field", "key"),
    [
        ({"applicant": ""}, "applicant", "request.wrong_missing"),
        ({"applicant": "x" * 201}, "applicant", "request.wrong_long"),
        ({"applied_kva": "viel"}, "applied_kva", "request.wrong_number"),
        ({"applied_kva": "0"}, "applied_kva", "request.wrong_positive"),
        ({"applied_kva": "1e9"}, "applied_kva", "request.wrong_large"),
        ({"applied_kva": "nan"}, "applied_kva", "request.wrong_number"),
        ({"voltage": "9kv"}, "voltage", "request.wrong_choice"),
        ({"wanted_on": "soon"}, "wanted_on", "request.wrong_day"),
        ({"coincidence": "120"}, "coincidence", "request.wrong_large"),
        ({"node": "street"}, "node", "request.wrong_value"),
        ({"kind": "capacity_increase"}, "existing_kva", "request.wrong_existing"),
        ({"user_kind": "small_business"}, "user_kind", "request.wrong_small_business"),
    ],
)
def test_what_is_wrong_is_told_by_field_in_both_languages(changed, field, key):
    with pytest.raises(RequestFormError) as caught:
        details_of(form(**(GOOD | changed)))
    assert caught.value.fields == {field: key}
    assert all(words_of(language)(key) for language in Language)


def test_the_form_of_an_amendment_says_what_the_details_say():
    made = details_of(form(**GOOD, coincidence="75", existing_kva="400.5", importance="second"))
    assert details_of(Form(FormData(list(details_form(made).values.items())))) == made


def test_acts_of_forms_are_bodies():
    replied = body_of(form(type="scheme_replied", approved_kva="1,600", node="", note=""))
    assert replied == SchemeReplied(approved_kva=1600)
    assert body_of(form(type="moved", to="")) == Moved(to=None)
    assert body_of(form(type="commented", text="你好", is_for_applicant="yes")).is_for_applicant


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"type": "opened"}, "type"),
        ({"type": "sent_back", "to": "survey", "reason": ""}, "reason"),
        ({"type": "handed", "to": "nobody"}, "to"),
        ({"type": "scheme_replied", "approved_kva": ""}, "approved_kva"),
    ],
)
def test_an_act_that_is_none_names_its_field(fields, wrong):
    with pytest.raises(RequestFormError) as caught:
        body_of(form(**fields))
    assert list(caught.value.fields) == [wrong]


def test_every_act_of_a_form_has_a_message_and_a_button():
    for language in Language:
        entries = words_of(language).entries
        assert {f"flash.{act}" for act in ACTS} <= entries.keys()
        assert {f"request.do_{act}" for act in ACTS} <= entries.keys()


def test_when_it_happened_is_the_parks_time():
    assert happened_at(form(at="2026-11-20T09:30")) == datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
    assert happened_at(form(at="")) is None
    with pytest.raises(RequestFormError):
        happened_at(form(at="yesterday"))


# --- timeline -----------------------------------------------------------------------------------------------------


def test_an_amendment_is_told_field_by_field_and_an_undone_event_stays():
    later = details().model_copy(update={"wanted_on": date(2027, 4, 1), "voltage": VoltageClass.KV35})
    events = events_of(Amended(details=later, reason="设备推迟"), Moved(to=Stage.SURVEY), Undone(sequence=3))
    found = entries_of(events, words_of(Language.EN), {})
    assert [entry.sequence for entry in found] == [4, 3, 2, 1]
    assert [entry.is_undone for entry in found] == [False, True, False, False]
    assert (found[2].text, {change.field: change.after for change in found[2].changes}) == (
        "设备推迟",
        {"Voltage": "35 kV", "Wanted on": "2027-04-01"},
    )


def test_only_what_is_meant_for_the_applicant_reaches_them():
    events = events_of(Commented(text="内部"), Commented(text="请开门", is_for_applicant=True))
    assert [text for _, text in comments_for_applicant(events)] == ["请开门"]


# --- drawing and what-if ------------------------------------------------------------------------------------------


def test_the_plain_drawing_stays_in_its_box_and_the_limits_with_it():
    curve = CurveOut(share=[0.0, 0.5, 99.5], load_kva=[100.0, 90.0, 10.0], after_kva=[300.0, 290.0, 210.0])
    level = SimpleNamespace(limit_kva={"load_share": 240.0, "n_minus_1": None}, forecast_kva=[90.0, 110.0, 400.0])
    drawn = drawing_of(level, curve)
    heights = [height for _, height in drawn.limits] + [drawn.forecast]
    assert all(0 <= height <= HEIGHT for height in heights)
    assert drawn.forecast < drawn.limits[0][1]
    assert drawn.after.startswith("M0.0 ")
    assert float(drawn.load.split("L")[-1].split()[0]) <= WIDTH
    assert lowest_limit(level) == 240
    assert [share for share, _, _ in rows_of(curve)] == [0, 0.5, 99.5]


def test_a_what_if_changes_only_what_is_entered():
    own = Ask(900.0, 0.8, date(2027, 1, 1), "feeder/F1", request="LR-2026-000001")
    assert what_if(own, "", "", "", "") == own
    changed = what_if(own, "2,000", "2027-03", "feeder/F2", "60 %")
    assert (changed.kva, changed.coincidence, changed.start, changed.node, changed.request) == (
        2000,
        0.6,
        date(2027, 3, 1),
        "feeder/F2",
        "LR-2026-000001",
    )


@pytest.mark.parametrize("given", [("lots", "", ""), ("-1", "", ""), ("", "spring", ""), ("", "", "120")])
def test_a_what_if_that_is_not_understood(given):
    kva, start, share = given
    with pytest.raises(QuestionError):
        what_if(Ask(900.0), kva, start, "", share)
