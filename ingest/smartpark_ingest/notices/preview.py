"""What people would be told at a moment, in words; nothing is kept and nobody is told."""

from dataclasses import dataclass
from datetime import datetime

from smartpark_storage import Connection
from smartpark_storage.load_requests import read_persons

from smartpark_ingest.mail import Words
from smartpark_ingest.notices.planning import Office, standing_notices
from smartpark_ingest.notices.wording import words_of


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as somebody would read it."""

    person: str
    kind: str
    words: Words


def preview(connection: Connection, office: Office, now: datetime, *, console: str | None = None) -> list[Shown]:
    """Everything there is to tell, in each receiver's language."""
    languages = {person.code: person.language for person in read_persons(connection)}
    return [
        Shown(one.person, one.kind, words_of(one.kind, one.document, languages[one.person], console=console))
        for one in standing_notices(connection, office, now)
    ]
