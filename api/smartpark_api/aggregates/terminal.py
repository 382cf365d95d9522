"""What the commands of aggregates share: filters and cursors as a terminal gives them, tables as it shows them."""

import argparse
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from smartpark.access import LOCAL
from smartpark.aggregates import Cursor
from smartpark.clock import PARK_ZONE, parse_instant, utc_now
from smartpark.errors import SmartparkError
from smartpark.indicators import INDICATORS
from smartpark_storage.access import AuditEntry, add_audit
from smartpark_storage.aggregates import (
    DEFAULT_BOUNDARIES,
    FeedFilter,
    FeedPage,
    Revisions,
    identities,
    read_feed,
)
from smartpark_storage.connections import Connection, transaction

from smartpark_api.aggregates.files import FORMS
from smartpark_api.aggregates.formats import Form
from smartpark_api.aggregates.models import TotalsOut
from smartpark_api.models.base import iso

PAGE: Final = 50_000
NAMED: Final = 10
"""Of those who are missing; --json names all."""
GRAINS: Final = ("hour", "day", "month", "year")
_REGION: Final = re.compile(r"\d{2}(\d{2}(\d{2})?)?")


class AskedError(SmartparkError):
    """What is asked for on the command line is not there, or not understood."""


def form_of(path: Path | None) -> Form:
    """Form that a file's name ends with."""
    if path is None:
        return Form.NDJSON
    form = FORMS.get(path.suffix.removeprefix("."))
    if form is None:
        raise AskedError(f"{path}: the name ends with none of .{', .'.join(FORMS)}, so no form is known")
    return form


def filter_of(connection: Connection, arguments: argparse.Namespace) -> FeedFilter:
    """Filters of the command line; a name that is not known is refused, or it would look like no numbers."""
    known_indicators(arguments.indicator)
    for grain in arguments.grain:
        if grain not in GRAINS:
            raise AskedError(f"--grain {grain}: one of {', '.join(GRAINS)}")
    check_known_parks(connection, arguments.park)
    return FeedFilter(
        parks=frozenset(arguments.park) or None,
        boundaries=frozenset(arguments.boundary) or DEFAULT_BOUNDARIES,
        indicators=frozenset(arguments.indicator) or None,
        grains=frozenset(arguments.grain) or None,
        since=None if arguments.from_ is None else instant_of(arguments.from_),
        until=None if arguments.to_ is None else instant_of(arguments.to_),
        revisions=Revisions(getattr(arguments, "revisions", Revisions.LATEST)),
    )


def check_known_parks(connection: Connection, codes: Sequence[str]) -> None:
    """Refuse parks that are not there."""
    known = {park["code"] for park in identities(connection, codes).parks}
    for code in codes:
        if code not in known:
            raise AskedError(f"there is no park {code!r}; smartpark catalog show lists them")


def known_indicators(codes: Iterable[str]) -> None:
    """Refuse codes that stand for no indicator."""
    for code in codes:
        if code not in INDICATORS:
            raise AskedError(f"there is no indicator {code!r}; smartpark indicators lists them")


def region_of(text: str | None) -> str | None:
    """GB/T 2260 code of a province, city or county."""
    if text is not None and _REGION.fullmatch(text) is None:
        raise AskedError(f"--region {text}: two, four or six digits, such as 35, 3501 or 350121")
    return text


def instant_of(text: str) -> datetime:
    """Instant, or the beginning of a day of the parks' calendar."""
    try:
        return parse_instant(text, default_zone=PARK_ZONE).astimezone(UTC)
    except ValueError as error:
        raise AskedError(f"{text!r} is no instant: write 2026-11-01, or 2026-11-01T00:00:00+08:00") from error


def span_of(start: str, end: str) -> tuple[datetime, datetime]:
    """Half-open span of the command line."""
    since, until = instant_of(start), instant_of(end)
    if since >= until:
        raise AskedError(f"--from {start} has to be before --to {end}")
    return since, until


def read_cursor(path: Path | None) -> Cursor | None:
    """Cursor of a file; None where there is none yet."""
    if path is None or not path.exists():
        return None
    try:
        return Cursor.decode(path.read_text(encoding="ascii").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise AskedError(f"{path}: cannot be read as a cursor: {error}") from error


def write_cursor(path: Path | None, text: str) -> None:
    """Replace the file's cursor, whole or not at all."""
    if path is None or not text:
        return
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(text + "\n", encoding="ascii")
    draft.replace(path)


def pages(connection: Connection, wanted: FeedFilter, after: Cursor | None) -> Iterator[FeedPage]:
    """Everything behind a cursor as of one moment."""
    page = read_feed(connection, wanted, after, limit=PAGE)
    yield page
    at = page.head.position
    while page.more:
        page = read_feed(connection, wanted, page.next, limit=PAGE, at=at)
        yield page


def log_reading(connection: Connection, action: str, parks: Sequence[str], rows: int) -> None:
    """Write down that somebody at the machine itself read aggregates."""
    write_down(connection, action, parks[0] if len(parks) == 1 else None, rows=rows)


def write_down(
    connection: Connection, action: str, park: str | None, *, rows: int | None = None, **detail: Any
) -> None:
    """Add a line to the audit log, in the caller's transaction or one of its own."""
    about = detail.pop("about", "")
    with transaction(connection):
        add_audit(
            connection,
            AuditEntry(
                at=utc_now(),
                principal=LOCAL.name,
                proof=LOCAL.proof,
                action=action,
                object=about,
                park=park,
                rows=rows,
                detail=detail,
            ),
        )


def totals_text(found: TotalsOut) -> Iterator[str]:
    """Totals as lines."""
    yield f"{found.indicator} by {found.grain}, {found.members} members ({found.boundary})"
    for total in found.totals:
        shown = "not known" if total.value is None else f"{total.value:,.3f} {found.unit}"
        share = f"{total.completeness:.1%} complete, {total.known} of {found.members}"
        yield f"  {iso(total.start)[:16]}  {shown:>24}  {share}" + (f"; {total.reason}" if total.reason else "")
        if total.missing:
            named = [one.park if one.boundary == "park" else f"{one.park}/{one.boundary}" for one in total.missing]
            yield f"      without: {', '.join(named[:NAMED])}" + (" …" if len(named) > NAMED else "")
