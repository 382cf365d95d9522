"""One pull: everything a source has that we do not have yet, page by page, each stored with its cursor or not at all.

It may be killed between any two instructions and begun again: what is stored stays, what is not is asked for again.
Submissions are taken only after their signature and their digest were verified. How long to go on trying is the
caller's patience; what a source publishes is not judged here.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, TypeVar
from uuid import UUID

from smartpark.aggregates import BadManifestError
from smartpark.clock import utc_now
from smartpark.errors import SmartparkError
from smartpark_storage import Connection
from smartpark_storage.aggregates import (
    AggregateColumns,
    ForeignParkError,
    UnknownSourceError,
    UnknownSubmissionError,
    note_source_error,
    put_identities,
    put_source,
    read_source,
    reset_source_cursor,
    store_pulled,
    store_submission,
)

from smartpark_ingest.province.client import ARROW, JSON, NDJSON, SourceAwayError, SourceClient, StartOverError
from smartpark_ingest.province.identities import identities_of
from smartpark_ingest.province.pages import BadPageError, Page, page_of
from smartpark_ingest.province.patience import Patience
from smartpark_ingest.province.seals import SealBrokenError, SealedPaper, check_seal, paper_of, rows_of_lines
from smartpark_ingest.province.sources import Source

Result = TypeVar("Result")
Run = Callable[[Callable[[Connection], Result]], Result]
"""Runs a transaction, again while the database is away."""
Said = Callable[[int], object]
"""Is told how many rows were handled."""

_log = logging.getLogger(__name__)
_MOST_RESTARTS: Final = 1
_TRIES: Final = 3
"""So often a submission is fetched before it is refused: paper has no digest; altered on its way it looks broken."""


@dataclass(slots=True)
class PullReport:
    """What a pull came to."""

    source: str
    pages: int = 0
    rows: int = 0
    """That came."""
    new: int = 0
    """Of them, revisions that were not stored yet."""
    submissions: int = 0
    restarts: int = 0
    """How often the source did not go on from our cursor."""
    retries: int = 0
    bytes: int = 0
    seconds: float = 0.0
    unchanged: bool = False
    """Whether the source had nothing new at all."""


class Database:
    """A transaction at a time on whatever connection there is."""

    def __init__(self, run: Run[Any], clock: Callable[[], datetime] = utc_now) -> None:
        self._run, self._clock = run, clock

    def now(self) -> datetime:
        """What now is."""
        return self._clock()

    def do(self, work: Callable[[Connection], Result]) -> Result:
        """Result of the work."""
        result: Result = self._run(work)
        return result


class Pull:
    """Pulls one source; keeps in memory only what saves an answer."""

    def __init__(self, source: Source, client: SourceClient, database: Database, patience: Patience) -> None:
        self._source, self._client, self._database, self._patience = source, client, database, patience
        self._etags = dict[str, str]()
        """Of answers that are still what we have, by address."""

    def run(self, said: Said = lambda _: None) -> PullReport:
        """Pull until the source has no more; the report counts, the database says how far.

        Raises
        ------
        OutOfPatienceError, StoppedError
            What was pulled until then is stored.
        SmartparkError
            When a person has to look; the words are kept with the source too.
        """
        report, began_s, retries = PullReport(self._source.name), time.monotonic(), self._patience.retries
        try:
            self._meet()
            self._take_pages(report, said)
        except SmartparkError as error:
            self._note(str(error))
            raise
        finally:
            report.retries = self._patience.retries - retries
            report.seconds = time.monotonic() - began_s
        self._note("")
        return report

    def _meet(self) -> None:
        """Learn which instance answers, and which parks it has."""
        answer = self._patience.insist(
            lambda: self._client.get(
                "aggregates/identities",
                {"park": self._source.parks},
                accept=JSON,
                etag=self._etags.get("identities", ""),
            )
        )
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return
        instance, given = identities_of(answer.json())
        source, at = self._source, self._database.now()

        def keep(connection: Connection) -> None:
            put_source(connection, source.name, source.url, instance, at)
            put_identities(connection, source.name, given)

        self._database.do(keep)
        self._etags["identities"] = answer.headers.get("ETag", "")

    def _take_pages(self, report: PullReport, said: Said) -> None:
        met = self._database.do(lambda connection: read_source(connection, self._source.name))
        cursor, passed = met.cursor, set[str]()
        while True:
            passed.add(cursor)
            try:
                page = self._page(cursor, report)
            except StartOverError:
                if report.restarts >= _MOST_RESTARTS or not cursor:
                    raise
                report.restarts += 1
                self._database.do(lambda connection: reset_source_cursor(connection, self._source.name))
                self._etags.clear()
                cursor = ""
                passed.clear()
                self._meet()
                continue
            if page is None:
                report.unchanged = report.pages == 0
                return
            _refuse_astray(page, met.instance, passed)
            report.new += self._store(page, report)
            report.pages, report.rows = report.pages + 1, report.rows + len(page.columns)
            said(len(page.columns))
            cursor = page.cursor
            if not page.more:
                return

    def _page(self, cursor: str, report: PullReport) -> Page | None:
        """Next page; none where nothing has changed since this cursor gave an empty one."""
        source = self._source
        given = {
            "park": source.parks,
            "indicator": source.indicators,
            "grain": source.grains,
            "revisions": source.revisions,
            "limit": source.page_rows,
            "cursor": cursor,
        }
        answer = self._patience.insist(
            lambda: self._client.get("aggregates", given, accept=ARROW, etag=self._etags.get(cursor, ""))
        )
        report.bytes += len(answer.body)
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return None
        page = page_of(answer.body)
        if not len(page.columns) and not page.more and page.cursor == cursor:
            self._etags = {cursor: answer.headers.get("ETag", ""), "identities": self._etags.get("identities", "")}
        return page

    def _store(self, page: Page, report: PullReport) -> int:
        """Store a page; what it rests on and is not here yet is fetched first."""
        at, met = self._database.now(), False

        def store(connection: Connection) -> int:
            return store_pulled(
                connection, self._source.name, page.columns, page.cursor, at=at, complete=not page.more
            )

        while True:
            try:
                return self._database.do(store)
            except UnknownSubmissionError as unknown:
                for code in unknown.codes:
                    self._take_submission(code)
                    report.submissions += 1
            except ForeignParkError:
                # A park that appeared since we met the source; one that is really another's is refused a second time.
                if met:
                    raise
                met = True
                self._etags.pop("identities", None)
                self._meet()

    def _take_submission(self, code: str) -> None:
        """Fetch a submission with its rows, verify both, and keep them; what does not verify is fetched anew."""
        for tries_left in reversed(range(_TRIES)):
            try:
                self._take_what_is_told(code)
            except (BadManifestError, SealBrokenError, SourceAwayError) as error:
                if not tries_left:
                    raise
                _log.warning("%s: %s; fetching submission %s again", self._source.name, error, code)
            else:
                return

    def _take_what_is_told(self, code: str) -> None:
        paper = self._paper(code)
        answer = self._patience.insist(lambda: self._client.get(f"submissions/{code}/rows", accept=NDJSON))
        rows: AggregateColumns = rows_of_lines(answer.body)
        manifest = self._database.do(lambda connection: check_seal(connection, self._source.name, paper, answer.body))
        self._database.do(
            lambda connection: store_submission(connection, self._source.name, manifest, paper.signature, rows)
        )

    def _paper(self, code: str) -> SealedPaper:
        """Manifest and signature; a key that we see for the first time is kept as this source's."""
        answer = self._patience.insist(lambda: self._client.get(f"submissions/{code}", accept=JSON))
        keys = self._patience.insist(lambda: self._client.get("submissions/keys", accept=JSON))
        return paper_of(code, answer.json(), keys.json())

    def _note(self, words: str) -> None:
        """Keep what went wrong, where the source is known and the database there."""
        at = self._database.now()

        def note(connection: Connection) -> None:
            try:
                note_source_error(connection, self._source.name, words, at)
            except UnknownSourceError:
                return  # never met: there is no row to say it in, and the caller is told

        self._database.do(note)


def _refuse_astray(page: Page, instance: UUID, passed: set[str]) -> None:
    """Refuse a page of another instance than the one whose parks we know, and one that leads back where we were."""
    if page.instance != instance:
        raise BadPageError(f"the page is of instance {page.instance}, and the source was met as {instance}")
    if page.more and page.cursor in passed:
        raise BadPageError("the source says that there is more, and its cursor leads where we have been")
