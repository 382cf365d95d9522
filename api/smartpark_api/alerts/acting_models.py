"""What people send about alerts: deeds, silences, rules; and what they are answered."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field
from smartpark.alerts.silences import Matchers
from smartpark.alerts.words import Label, Resolution
from smartpark.isotext import IsoInstant
from smartpark.load_requests.events import Person, Text

from smartpark_api.alerts.models import WordsOut
from smartpark_api.load_requests.models import Given
from smartpark_api.models.base import Answer, Instant

Expected = Annotated[
    int | None, Field(ge=1, le=2**31 - 1, description="Version you have seen, where If-Match is not sent.")
]


RULE_EXAMPLE: Final[dict[str, Any]] = {
    "code": "oil-hot",
    "name": "油温高",
    "name_en": "Oil is hot",
    "why": "The maker's limit.",
    "severity": "warning",
    "cause": "overload",
    "scope": {"parks": ["minhou-demo"], "points": ["oil_temperature"]},
    "detector": {"kind": "limit", "above": 85, "clear_above": 80},
    "for_s": 300,
}
RuleDocument = Annotated[
    dict[str, Any],
    Field(
        description="A rule as a file of rules has it, as JSON; what each key means stands in docs/alerts.md.",
        examples=[RULE_EXAMPLE],
    ),
]


class DeedIn(Given):
    """What is done about an alert in view of a version of it."""

    expected: Expected = None


class AssignAlertIn(DeedIn):
    """Whose alert it becomes."""

    to: Annotated[Person | None, Field(description="Code of a person; null: nobody's.")]


class SnoozeIn(DeedIn):
    """Until when people are not told of it."""

    until: Annotated[IsoInstant | None, Field(description="Null: they are told again.")]


class AlertCommentIn(DeedIn):
    """Something to be said."""

    text: Text


class ResolveIn(DeedIn):
    """What it turned out to be."""

    resolution: Resolution
    note: Text | None = None


class LabelIn(DeedIn):
    """Whether it was right to tell people."""

    label: Annotated[Label | None, Field(description="Null: taken back.")]


class SilenceIn(Given):
    """A span in which people are not told of what fits."""

    kind: Annotated[
        Literal["silence", "maintenance"], Field(description="`maintenance`: a window of planned work.")
    ] = "silence"
    park: Annotated[str | None, Field(max_length=64, description="Null: all parks; then it names what it silences.")]
    matchers: Matchers = Matchers()
    starts_at: Annotated[IsoInstant | None, Field(description="Null: now.")] = None
    ends_at: IsoInstant
    reason: Text


class SilenceOut(Answer):
    """A silence, or a window of planned work."""

    silence: int
    kind: Literal["silence", "maintenance"]
    park: str | None
    matchers: Matchers
    starts_at: Instant
    ends_at: Annotated[Instant, Field(description="As planned when it was made.")]
    reason: str
    created_by: str
    created_at: Instant
    ended_by: Annotated[str | None, Field(description="Whoever ended it sooner.")]
    ended_at: Instant | None
    state: Annotated[Literal["planned", "in_force", "over"], Field(description="At this moment.")]


class SilenceList(Answer):
    """Silences and windows, the newest first."""

    silences: list[SilenceOut]


class AlertRuleOut(Answer):
    """A rule as it was written."""

    code: str
    version: int
    is_newest: bool
    rule: RuleDocument
    in_words: Annotated[WordsOut, Field(description="What it looks for, as a sentence.")]
    written_by: str
    written_at: Instant


class RuleList(Answer):
    """Rules in their newest version, by code."""

    rules: list[AlertRuleOut]


class RuleHistory(Answer):
    """Versions of a rule, the newest first."""

    code: str
    versions: list[AlertRuleOut]


class RuleIn(DeedIn):
    """A rule to be written; the code is that of the address."""

    rule: RuleDocument


class Watched(Answer):
    """How much a rule would watch."""

    objects: Annotated[int, Field(description="How many objects it would judge.")]
    examples: Annotated[list[str], Field(description="Some of them.")]
    by_park: dict[str, int]
    note: Annotated[str, Field(description="What cannot be counted here, and how to; empty: nothing.")]


class CheckedRule(Answer):
    """A rule that may be written, and what it would watch."""

    code: str
    in_words: WordsOut
    watched: Watched


class RuleWritten(Answer):
    """A rule that was written."""

    rule: AlertRuleOut
    watched: Watched
