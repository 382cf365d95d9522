"""Rules of alerts as pages: all of them in words, and one with its history. They are written by API or command."""

from fastapi import APIRouter, Request
from smartpark.access import Scope
from smartpark_storage.alerts import read_rules, rule_history
from starlette.responses import Response

from smartpark_api.access.needs import allowed_parks, needs
from smartpark_api.alerts.places import within
from smartpark_api.alerts.rule_words import in_words
from smartpark_api.alerts.ruling import is_theirs, no_rule, watched
from smartpark_api.console.alert_address import InboxAddress, inbox_address
from smartpark_api.console.alerts import names_of, tab_counts
from smartpark_api.console.desk import looking
from smartpark_api.pages import render
from smartpark_api.routes.alert_rules import RuleCode

router = APIRouter()


@router.get("/alerts/rules", dependencies=[needs(Scope.ALERTS_READ)])
def show_rules(request: Request) -> Response:
    """Newest version of every rule."""
    allowed = allowed_parks(request, Scope.ALERTS_READ)
    with looking(request) as desk:
        found = [one for one in read_rules(desk.connection) if is_theirs(one.rule, allowed)]
        names = names_of(desk.connection, [])
    return render(
        request,
        "console/alert_rules.html",
        rules=[(one, in_words(one.rule)) for one in sorted(found, key=lambda one: -one.rule.severity.rank)],
        names=names,
    )


@router.get("/alerts/rules/{rule}", dependencies=[needs(Scope.ALERTS_READ)])
def show_rule(request: Request, rule: RuleCode) -> Response:
    """One rule, what it watches, and what it said before."""
    with looking(request) as desk:
        versions = rule_history(desk.connection, rule)
        if not versions:
            raise no_rule(rule, [one.rule.code for one in read_rules(desk.connection)])
        address: InboxAddress = inbox_address(f"rule={rule}")
        counts = tab_counts(desk.connection, within(request, address.filter))
        return render(
            request,
            "console/alert_rule.html",
            newest=versions[0],
            versions=[(one, in_words(one.rule)) for one in versions],
            watched=watched(desk.connection, versions[0].rule),
            counts=counts,
            names=names_of(desk.connection, []),
        )
