"""What is said of alerts in one line, in Chinese and English; nothing here asks or decides."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from smartpark.alerts.events import About
from smartpark.alerts.life import Alert
from smartpark.alerts.objects import ObjectRef
from smartpark.alerts.rules import Rule
from smartpark.alerts.words import (
    WORDS,
    AlertState,
    Cause,
    EndedBy,
    Hidden,
    Label,
    PageKind,
    Resolution,
    Severity,
)
from smartpark.errors import SmartparkError

from smartpark_api.alerts.models import WordsOut
from smartpark_api.words import Words

LISTS: Final[Mapping[str, type[StrEnum]]] = {
    "cause": Cause,
    "ended_by": EndedBy,
    "hidden": Hidden,
    "label": Label,
    "page": PageKind,
    "resolution": Resolution,
    "severity": Severity,
    "state": AlertState,
}
"""By the name of the field that holds them."""


def both(kind: StrEnum) -> tuple[str, str]:
    """Chinese and English word of a member."""
    return WORDS[type(kind)][kind]


def said(words: Words, name: str, value: str) -> str:
    """A member of a list as people call it; `name` is that of the list.

    Examples
    --------
    >>> from smartpark_api.words import Language, words_of
    >>> said(words_of(Language.EN), "cause", "no_data")
    'no data'
    """
    return words.either(*both(LISTS[name](value)))


def object_name(subject: str) -> str:
    """What an alert is about, without what kind of thing that is.

    Examples
    --------
    >>> object_name("point:minhou/T01-E1/active_power")
    'minhou/T01-E1/active_power'
    """
    try:
        return ObjectRef.parse(subject).name
    except SmartparkError:
        return subject


def rule_names(about: About, rules: Mapping[str, Rule]) -> WordsOut:
    """What people call the rule of an alert; its code where nobody knows it any more."""
    rule = rules.get(about.rule)
    return WordsOut(zh=about.rule, en=about.rule) if rule is None else WordsOut(zh=rule.name, en=rule.name_en)


def title_of(alert: Alert, rules: Mapping[str, Rule]) -> WordsOut:
    """One line: how bad, which rule, what."""
    zh, en = both(alert.severity)
    names = rule_names(alert.about, rules)
    subject = object_name(alert.about.object)
    return WordsOut(zh=f"{zh} {names.zh}:{subject}", en=f"{en}: {names.en}: {subject}")
