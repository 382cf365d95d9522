"""Words of the closed lists of load requests for templates: `said(words, 'stage', row.stage)`."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from smartpark.load_requests.words import (
    WORDS,
    Channel,
    Duty,
    Importance,
    Outcome,
    Owner,
    RequestKind,
    RequestSource,
    Stage,
    Standing,
    Supply,
    SuspendReason,
    UserKind,
    VoltageClass,
)
from smartpark_storage.load_requests import Person

from smartpark_api.load_requests.service import Card
from smartpark_api.words import Words

LISTS: Final[Mapping[str, type[StrEnum]]] = {
    "channel": Channel,
    "duty": Duty,
    "importance": Importance,
    "kind": RequestKind,
    "outcome": Outcome,
    "owner": Owner,
    "source": RequestSource,
    "stage": Stage,
    "standing": Standing,
    "supply": Supply,
    "suspended": SuspendReason,
    "user_kind": UserKind,
    "voltage": VoltageClass,
}
"""By the name of the field that holds them."""


def said(words: Words, name: str, value: str) -> str:
    """A member of a list as people call it.

    Examples
    --------
    >>> from smartpark_api.words import Language, words_of
    >>> said(words_of(Language.EN), "stage", "survey")
    'site survey'
    """
    return words.either(*WORDS[LISTS[name](value)])


def named(words: Words, persons: Mapping[str, Person], code: str) -> str:
    """A person by name; by code, where nobody of that code is on record."""
    found = persons.get(code)
    if found is None:
        return words(f"console.by_{code}") if code in ("system", "applicant") else code
    return words.either(found.name, found.name_en or found.name)


def time_left(words: Words, card: Card) -> str:
    """How the clock of a request stands, with the working days that are left or too many."""
    standing = words.either(*WORDS[card.standing])
    if card.left is None or card.standing in (Standing.NO_LIMIT, Standing.ENDED, Standing.DUE):
        return standing
    if card.standing is Standing.OVERDUE:
        return words("console.one_day_late") if card.left == -1 else words("console.days_late", n=-card.left)
    left = words("console.one_day_left") if card.left == 1 else words("console.days_left", n=card.left)
    return left if card.standing is Standing.IN_TIME else f"{standing} · {left}"
