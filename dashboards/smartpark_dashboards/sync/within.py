"""One organisation while it is being furnished."""

from dataclasses import dataclass

from smartpark_dashboards.sync.link import Link
from smartpark_dashboards.sync.steps import Book


@dataclass(frozen=True, slots=True)
class Within:
    """An organisation, the way to it, and where its steps are noted."""

    link: Link
    book: Book
    name: str
    number: int | None
    """None where a dry run would make it: then there is nothing in it to compare with."""

    @property
    def exists(self) -> bool:
        """Whether there is something to compare with."""
        return self.number is not None
