"""Whether we have exactly what a source has: one digest there, one here, over the same rows at the same moment."""

from dataclasses import dataclass

from smartpark_storage import Connection
from smartpark_storage.aggregates import FeedFilter, read_source, state_digest

from smartpark_ingest.province.client import JSON, SourceClient
from smartpark_ingest.province.identities import identities_of
from smartpark_ingest.province.patience import Patience
from smartpark_ingest.province.pulling import Database
from smartpark_ingest.province.sources import Source


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two digests as of the cursor of the last pull."""

    source: str
    their_rows: int
    their_digest: str
    our_rows: int
    our_digest: str

    @property
    def is_same(self) -> bool:
        """Whether we have their numbers, all of them and no others."""
        return (self.their_rows, self.their_digest) == (self.our_rows, self.our_digest)


def compare(source: Source, client: SourceClient, database: Database, patience: Patience) -> Comparison:
    """Digest of a source as of our cursor, and ours of its parks.

    The source's is asked for first: what arrives here meanwhile would only show as a difference, never hide one.
    """
    cursor = database.do(lambda connection: read_source(connection, source.name)).cursor
    given = {"park": source.parks, "indicator": source.indicators, "grain": source.grains, "at": cursor}
    theirs = patience.insist(lambda: client.get("aggregates/digest", given, accept=JSON)).json()
    told = patience.insist(lambda: client.get("aggregates/identities", {"park": source.parks}, accept=JSON)).json()
    parks = frozenset(str(park["code"]) for park in identities_of(told)[1].parks)
    wanted = FeedFilter(
        parks=parks,
        indicators=frozenset(source.indicators) or None,
        grains=frozenset(source.grains) or None,
    )

    def digest(connection: Connection) -> tuple[int, str]:
        ours = state_digest(connection, wanted)
        return ours.rows, ours.sha256

    rows, sha256 = database.do(digest)
    return Comparison(source.name, int(theirs["rows"]), str(theirs["sha256"]), rows, sha256)
