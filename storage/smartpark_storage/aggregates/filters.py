"""Which rows a pull asks for, and a short digest of that, by which a cursor knows its pull again."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from smartpark.clock import to_us

DEFAULT_BOUNDARIES: Final = frozenset({"park", "sub_park", "enterprise"})
"""Kinds of boundaries that are given where none is asked for; meters and the like only on demand."""


class Revisions(StrEnum):
    """Which revisions of a number a pull gets."""

    LATEST = "latest"
    """What holds, and whatever was submitted."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class FeedFilter:
    """What is asked for; None: no bound."""

    parks: frozenset[str] | None = None
    boundaries: frozenset[str] = DEFAULT_BOUNDARIES
    """Kinds such as ``enterprise``, or single ones such as ``enterprise/T1``."""
    indicators: frozenset[str] | None = None
    grains: frozenset[str] | None = None
    since: datetime | None = None
    """Periods that begin at or after."""
    until: datetime | None = None
    """Periods that begin before."""
    revisions: Revisions = Revisions.LATEST
    scope: frozenset[str] | None = None
    """Parks that whoever asks may see. None: all there are and will be."""

    @property
    def seen_parks(self) -> frozenset[str] | None:
        """Parks that are asked for and may be seen."""
        if self.parks is None or self.scope is None:
            return self.scope if self.parks is None else self.parks
        return self.parks & self.scope

    @property
    def filter_digest(self) -> bytes:
        """Of all that was asked for."""
        return _digest(
            [
                _listed(self.parks),
                _listed(self.boundaries),
                _listed(self.indicators),
                _listed(self.grains),
                None if self.since is None else to_us(self.since),
                None if self.until is None else to_us(self.until),
                self.revisions.value,
            ]
        )

    @property
    def scope_digest(self) -> bytes:
        """Of what may be seen, as far as it makes a difference: parks that are asked for by name are those."""
        return _digest(_listed(self.scope) if self.parks is None else _listed(self.seen_parks))

    @property
    def parameters(self) -> dict[str, Any]:
        """For the statements."""
        return {
            "parks": _listed(self.seen_parks),
            "boundaries": _listed(self.boundaries),
            "indicators": _listed(self.indicators),
            "grains": _listed(self.grains),
            "since": "-infinity" if self.since is None else self.since,
            "until": "infinity" if self.until is None else self.until,
            "all_revisions": self.revisions is Revisions.ALL,
        }


EVERYTHING: Final = FeedFilter()
"""All that is given by default."""


def _listed(names: frozenset[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


def _digest(value: object) -> bytes:
    return hashlib.blake2b(json.dumps(value, ensure_ascii=False).encode(), digest_size=8).digest()
