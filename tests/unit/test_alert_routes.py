"""Routes: whom an alert leads to at a moment, what waits and for what, every problem of a file by its key."""

from datetime import timedelta

import pytest
from alert_notices import at, firing, then
from hypothesis import given
from hypothesis import strategies as st
from smartpark.alerts.events import Acknowledged, Cleared, Evidence, Told
from smartpark.alerts.paging import Page, due_page
from smartpark.alerts.routes import Delivery, Directory, parse_routes
from smartpark.alerts.words import PageKind, Severity
from smartpark.errors import InvalidFileError
from smartpark.workdays import builtin_workdays

FIRED = Page(PageKind.FIRED)
CONTACTS = [
    {"code": "duty", "name": "值班室", "channel": "dingtalk", "address": "duty"},
    {"code": "chief", "name": "主任", "channel": "mail", "address": "chief"},
    {
        "code": "board",
        "name": "经理",
        "channel": "mail",
        "address": "board",
        "digest_at": ["08:00", "16:00", "00:00"],
    },
]


def directory(*routes: dict[str, object], contacts: list[dict[str, object]] | None = None) -> Directory:
    named = [{"code": f"r{n}", "contacts": ["duty"]} | route for n, route in enumerate(routes)]
    found = parse_routes({"contact": contacts or CONTACTS, "route": named}, file="test")
    return Directory(found.contact, found.route, builtin_workdays())


def whom(found: Directory, alert, when="10:00", page=FIRED, **more):
    led = found.deliveries(alert, page, at(when), **more)
    return None if led is None else sorted(one.contact for one in led)


def test_the_first_route_that_fits_is_taken_and_those_below_only_where_it_goes_on() -> None:
    alert = firing(at("09:50"))
    assert whom(directory({"contacts": ["duty"]}, {"contacts": ["chief"]}), alert) == ["duty"]
    assert whom(directory({"goes_on": True}, {"contacts": ["chief"]}, {"contacts": ["board"]}), alert) == [
        "chief",
        "duty",
    ]
    assert whom(directory({"is_active": False}, {"contacts": ["chief"]}), alert) == ["chief"]


@pytest.mark.parametrize(
    ("route", "fits"),
    [
        ({"severities": ["warning", "critical"]}, True),
        ({"severities": ["critical"]}, False),
        ({"causes": ["overload"]}, True),
        ({"causes": ["no_data"]}, False),
        ({"park": "park"}, True),
        ({"park": "other"}, False),
        ({"rules": ["over*"]}, True),
        ({"rules": ["under*"]}, False),
        ({"objects": ["point:park/M1/*"]}, True),
        ({"objects": ["edge:*"]}, False),
        ({"devices": ["park/M?"]}, True),
        ({"devices": ["park/T*"]}, False),
    ],
)
def test_a_route_takes_what_fits_every_key_it_gives(route, fits):
    assert whom(directory(route), firing(at("09:50"))) == (["duty"] if fits else [])


def test_outside_the_hours_of_its_only_route_an_alert_stays_due_and_another_route_may_take_it() -> None:
    office = {"hours": {"days": "workdays", "start": "08:00", "end": "18:00"}}
    night = firing(at("02:00"))
    assert whom(directory(office), night, "02:05") is None
    assert whom(directory(office), night, "08:00") == ["duty"]
    assert whom(directory(office, {"contacts": ["chief"]}), night, "02:05") == ["chief"]
    # 4 May 2026 is a holiday, 9 May a Saturday that is worked in exchange.
    assert whom(directory(office), night, "2026-05-04T10:00") is None
    assert whom(directory(office), night, "2026-05-09T10:00") == ["duty"]


def test_in_a_year_nobody_has_entered_people_are_told_rather_than_not() -> None:
    night = {"days": "restdays", "start": "22:00", "end": "07:30"}
    found = directory({"hours": {"days": "workdays"}, "quiet": {"hours": night}})
    alert = firing(at("2041-03-02T02:00"))
    (one,) = found.deliveries(alert, FIRED, at("2041-03-02T02:05")) or ()
    assert not one.is_digest
    assert "the working-day calendar knows" in found.trouble


def test_what_is_mild_waits_for_the_next_digest_of_its_contact() -> None:
    found = directory({"contacts": ["board", "chief"]})
    (board, chief) = sorted(
        found.deliveries(firing(at("09:50"), Severity.INFO), FIRED, at("10:00")) or (), key=lambda one: one.contact
    )
    assert board == Delivery("board", at("16:00"), is_digest=True)
    assert chief == Delivery("chief", at("03T08:00"), is_digest=True)


def test_in_quiet_hours_only_what_is_worse_is_told_at_once() -> None:
    found = directory({"quiet": {"hours": {"start": "22:00", "end": "07:30"}}})
    warning, critical = firing(at("22:10")), firing(at("22:10"), Severity.CRITICAL)
    assert found.deliveries(warning, FIRED, at("22:15")) == (Delivery("duty", at("03T07:30"), is_digest=True),)
    assert found.deliveries(warning, FIRED, at("07:29")) == (Delivery("duty", at("07:30"), is_digest=True),)
    assert found.deliveries(critical, FIRED, at("22:15")) == (Delivery("duty", at("22:15"), is_digest=False),)
    assert found.deliveries(warning, FIRED, at("07:30")) == (
        Delivery("duty", at("07:30") + timedelta(seconds=5), is_digest=False),
    )


def test_a_message_waits_for_more_of_its_matter_unless_it_is_critical_or_its_route_says_otherwise() -> None:
    def due(route, severity):
        (one,) = directory(route).deliveries(firing(at("09:50"), severity), FIRED, at("10:00")) or ()
        return (one.due_at - at("10:00")).total_seconds()

    assert due({}, Severity.CRITICAL) == 0
    assert due({}, Severity.WARNING) == 5
    assert due({"group_wait_s": 30}, Severity.CRITICAL) == 30


def test_nobody_who_takes_note_means_the_next_step_and_taking_note_ends_that() -> None:
    found = directory(
        {"escalation": [{"after_min": 15, "contacts": ["chief"]}, {"after_min": 60, "contacts": ["board", "chief"]}]}
    )
    alert = then(firing(at("10:00")), Told(kind=PageKind.FIRED, contacts=("duty",)), at("10:01"))

    def due(one, when):
        return due_page(one, at(when), escalates_after=found.escalates_after(one, at(when)))

    assert due(alert, "10:15") is None, "it fired at 10:01"
    page = due(alert, "10:16")
    assert page == Page(PageKind.ESCALATED, 1)
    assert whom(found, alert, "10:16", page) == ["chief"]
    once = then(alert, Told(kind=PageKind.ESCALATED, contacts=("chief",), step=1), at("10:16"))
    assert due(once, "10:59") is None
    assert whom(found, once, "11:01", due(once, "11:01")) == ["board", "chief"]
    assert whom(found, alert, "11:01", due(alert, "11:01")) == ["board", "chief"], (
        "both steps at once, each told once"
    )
    assert due(then(once, Acknowledged(), at("10:20")), "12:00") is None


@pytest.mark.parametrize(
    ("told", "after"),
    [
        ("21:30", 20),  # at 21:50
        ("21:50", 9 * 60 + 40),  # 22:10 is quiet: at 07:30
        ("23:00", 8 * 60 + 50),  # told at 07:30: at 07:50
        ("03T07:29", 21),
    ],
)
def test_nobody_is_woken_because_somebody_slept(told, after) -> None:
    steps = [{"after_min": 20, "contacts": ["chief"]}]
    found = directory({"quiet": {"hours": {"start": "22:00", "end": "07:30"}}, "escalation": steps})
    alert = then(firing(at("20:00")), Told(kind=PageKind.FIRED, contacts=("duty",)), at(told))
    assert found.escalates_after(alert, at(told)) == (timedelta(minutes=after),)
    severe = then(firing(at("20:00"), Severity.CRITICAL), Told(kind=PageKind.FIRED, contacts=("duty",)), at(told))
    assert found.escalates_after(severe, at(told)) == (timedelta(minutes=20),)
    mild = then(firing(at("20:00"), Severity.INFO), Told(kind=PageKind.FIRED, contacts=("duty",)), at(told))
    assert found.escalates_after(mild, at(told)) == (), "it waits for the digest"


def test_its_end_is_told_to_whoever_was_told_of_it() -> None:
    route = {"contacts": ["duty"], "escalation": [{"after_min": 15, "contacts": ["chief"]}]}
    over = then(firing(at("09:50")), Cleared(evidence=Evidence()), at("10:00"))
    page = Page(PageKind.RESOLVED)
    assert whom(directory(route), over, page=page, told=("duty",)) == ["duty"]
    assert whom(directory(route), over, page=page, told=("chief", "duty", "board")) == ["board", "chief", "duty"]
    assert whom(directory(route), over, page=page) == []
    quiet = route | {"tells_resolved": False}
    assert whom(directory(quiet), over, page=page, told=("chief", "duty")) == []


def test_a_contact_that_is_not_active_or_another_parks_is_not_told() -> None:
    contacts = [CONTACTS[0] | {"is_active": False}, CONTACTS[1]]
    assert whom(directory({"contacts": ["duty", "chief"]}, contacts=contacts), firing(at("09:50"))) == ["chief"]


def test_every_problem_of_a_file_is_told_by_its_key() -> None:
    document = {
        "contact": [
            CONTACTS[0],
            CONTACTS[0],
            {"code": "x", "name": "x", "channel": "pigeon", "address": "../../etc/passwd"},
        ],
        "route": [{"code": "r", "contacts": [], "escalation": []}],
    }
    with pytest.raises(InvalidFileError) as refused:
        parse_routes(document, file="routes.toml")
    assert {problem.key for problem in refused.value.problems} == {
        "contact[x].channel",
        "contact[x].address",
        "route[r].contacts",
    }
    document = {
        "contact": [CONTACTS[0], CONTACTS[0], CONTACTS[1] | {"park": "hill"}],
        "route": [
            {"code": "r", "contacts": ["duty", "nobody"], "escalation": [{"after_min": 5, "contacts": ["chief"]}]}
        ],
    }
    with pytest.raises(InvalidFileError) as refused:
        parse_routes(document, file="routes.toml")
    assert [str(problem) for problem in refused.value.problems] == [
        "routes.toml: contact[duty].code: stands twice",
        "routes.toml: route[r].contacts: there is no contact nobody",
        "routes.toml: route[r].escalation[0].contacts: contact chief is of park hill, and the route is not",
    ]


def test_steps_of_an_escalation_come_one_after_the_other() -> None:
    steps = [{"after_min": 60, "contacts": ["chief"]}, {"after_min": 15, "contacts": ["board"]}]
    with pytest.raises(InvalidFileError, match="each step comes later"):
        directory({"escalation": steps})


@given(
    st.datetimes(
        min_value=at("2026-01-01T00:00").replace(tzinfo=None), max_value=at("2026-12-30T00:00").replace(tzinfo=None)
    )
)
def test_what_waits_is_told_within_a_day_and_never_at_once(moment) -> None:
    now = moment.replace(tzinfo=at("10:00").tzinfo)
    found = directory({"quiet": {"hours": {"start": "22:00", "end": "07:30"}}, "contacts": ["board"]})
    for severity in Severity:
        (one,) = found.deliveries(firing(now, severity), FIRED, now) or ()
        assert one.due_at >= now
        assert one.due_at - now <= timedelta(days=1)
        if severity is Severity.CRITICAL:
            assert not one.is_digest
        assert one.due_at > now if one.is_digest else one.due_at - now <= timedelta(seconds=5)
