"""Agents and dead letters: how the platform itself fares."""

from fastapi import APIRouter, Request
from smartpark.access import Scope
from smartpark_storage.reads import read_dead_letter_counts, read_edges

from smartpark_api.access.needs import EVERY_PARK, needs
from smartpark_api.database import Now, reading
from smartpark_api.models.operations import AgentList, DeadLetterSummary
from smartpark_api.operations import RECENT, agents_now, dead_letter_summary

router = APIRouter(tags=["operations"])


@router.get("/edges", dependencies=[needs(Scope.OPERATIONS_READ, EVERY_PARK)])
def list_edges(request: Request, now: Now) -> AgentList:
    """Every edge agent: whether it can be heard, how far behind it is, how long its spool lasts."""
    with reading(request) as connection:
        return AgentList(as_of=now, edges=agents_now(read_edges(connection), now=now))


@router.get("/dead-letters/summary", dependencies=[needs(Scope.OPERATIONS_READ, EVERY_PARK)])
def summarize_dead_letters(request: Request, now: Now) -> DeadLetterSummary:
    """How many messages or readings could not be understood, by reason; replayed ones are not counted."""
    with reading(request) as connection:
        rows = read_dead_letter_counts(connection, recent_from=now - RECENT)
    return dead_letter_summary(rows, now=now)
