"""Rules of alerts over HTTP: newest versions, one with its history, checked, written as another version.

What a rule would have told in the past is asked of the command `smartpark alerts backtest`: it may read years and
take minutes, which no answer should.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from smartpark.access import Scope
from smartpark_storage.alerts import read_rules, rule_history
from starlette.responses import Response

from smartpark_api.access.needs import allowed_parks, needs
from smartpark_api.alerts.acting_models import (
    AlertRuleOut,
    CheckedRule,
    RuleHistory,
    RuleIn,
    RuleList,
    RuleWritten,
)
from smartpark_api.alerts.rule_words import in_words
from smartpark_api.alerts.ruling import (
    check_theirs,
    check_watches,
    is_theirs,
    newest,
    no_rule,
    rule_given,
    rule_out,
    watched,
    write_rule,
)
from smartpark_api.database import reading
from smartpark_api.load_requests.service import Desk
from smartpark_api.load_requests.writes import VERSIONED, Done, etag, expected_version, write
from smartpark_api.openapi.answers import headers

router = APIRouter(tags=["alerts"])
READS: Final = [needs(Scope.ALERTS_READ)]
RuleCode = Annotated[
    str, Path(min_length=1, max_length=100, description="Code of a rule.", examples=["meter-silent"])
]


@router.get("/alerts/rules", dependencies=READS)
def list_alert_rules(
    request: Request,
    *,
    active: Annotated[bool | None, Query(description="Only those that are, or are not, active.")] = None,
) -> RuleList:
    """Rules in their newest version, by code; those of other parks are left out."""
    allowed = allowed_parks(request, Scope.ALERTS_READ)
    with reading(request) as connection:
        found = read_rules(connection)
    shown = [one for one in found if active in (None, one.rule.is_active) and is_theirs(one.rule, allowed)]
    return RuleList(rules=[rule_out(one, one.version) for one in shown])


@router.get("/alerts/rules/{rule}", dependencies=READS, responses={200: {"headers": headers("ETag")}})
def get_alert_rule(request: Request, response: Response, rule: RuleCode) -> AlertRuleOut:
    """One rule in its newest version. The ETag is that version."""
    with reading(request) as connection:
        found = newest(connection, rule)
        if found is None:
            raise no_rule(rule, [one.rule.code for one in read_rules(connection)])
    response.headers["ETag"] = etag(found.version)
    return rule_out(found, found.version)


@router.get("/alerts/rules/{rule}/history", dependencies=READS)
def list_alert_rule_versions(request: Request, rule: RuleCode) -> RuleHistory:
    """Versions of a rule, the newest first; an alert names the one that it comes from."""
    with reading(request) as connection:
        found = rule_history(connection, rule)
        if not found:
            raise no_rule(rule, [one.rule.code for one in read_rules(connection)])
    return RuleHistory(code=rule, versions=[rule_out(one, found[0].version) for one in found])


@router.post("/alerts/rules/{rule}/check", dependencies=[needs(Scope.ALERT_RULES_WRITE)])
def check_alert_rule(request: Request, rule: RuleCode, given: RuleIn) -> CheckedRule:
    """Whether a rule could be written, what it says in words, and how much it would watch; nothing is kept."""
    wanted = rule_given(given.rule, rule)
    with reading(request) as connection:
        check_theirs(request, wanted, newest(connection, rule))
        return CheckedRule(code=rule, in_words=in_words(wanted), watched=watched(connection, wanted))


@router.put(
    "/alerts/rules/{rule}",
    dependencies=[needs(Scope.ALERT_RULES_WRITE), *VERSIONED],
    responses={200: {"headers": headers("ETag")}},
    response_model=RuleWritten,
)
def put_alert_rule(request: Request, rule: RuleCode, given: RuleIn) -> Response:
    """Write a rule: another version of it, in force at once where it is active; the first one needs no `If-Match`.

    A rule that is active has to watch something. Alerts that the version before has begun are ended where this one no
    longer asks for them.
    """
    wanted = rule_given(given.rule, rule)

    def work(desk: Desk) -> Done:
        known = newest(desk.connection, rule)
        check_theirs(request, wanted, known)
        found = watched(desk.connection, wanted)
        check_watches(wanted, found)
        expected = expected_version(request, given.expected, is_required=known is not None)
        kept = write_rule(desk.connection, wanted, known, expected=expected, by=desk.actor or "system", now=desk.now)
        return Done(RuleWritten(rule=rule_out(kept, kept.version), watched=found), version=kept.version)

    return write(request, work, content=given)
