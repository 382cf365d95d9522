"""Load requests that nobody made: histories of a utility's desk, with delays, reworks, suspensions and visits.

Pure and seeded: the same seed gives the same histories. Each follows the rules event by event, so it can be taken in
as if people had made it. Names of enterprises are made up of a place and a trade; no person is named.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from smartpark.clock import PARK_ZONE
from smartpark.load_requests.events import (
    Assigned,
    Body,
    Commented,
    Details,
    Event,
    Handed,
    Moved,
    Opened,
    Resumed,
    SchemeReplied,
    SentBack,
    Suspended,
    Withdrawn,
    happened,
)
from smartpark.load_requests.requests import LoadRequest, replay
from smartpark.load_requests.rules import LoadRequestRules, builtin_load_request_rules
from smartpark.load_requests.words import (
    Channel,
    Importance,
    Owner,
    RequestKind,
    RequestSource,
    Stage,
    Supply,
    SuspendReason,
    UserKind,
    VoltageClass,
)

_PLACES = ("闽侯", "晋江", "福清", "长乐", "南安", "龙海", "漳浦", "惠安", "连江", "古田")
_TRADES = ("铝业", "纺织", "食品", "冷链物流", "新能源材料", "陶瓷", "机械制造", "电子", "包装", "水产加工")
_ROLES = ("设备科负责人", "项目部电气负责人", "动力车间主任", "基建办")
_SIZES = {
    VoltageClass.LOW: (30, 50, 80, 100),
    VoltageClass.KV10: (315, 500, 800, 1250, 2000, 3150, 6300),
    VoltageClass.KV35: (8000, 12500, 20000),
}
_WEIGHTS = {VoltageClass.LOW: 3, VoltageClass.KV10: 8, VoltageClass.KV35: 1}
"""How often each voltage is asked for; made up."""
_MEAN_DAYS = {Owner.UTILITY: 2.5, Owner.CUSTOMER: 7.0, Owner.GOVERNMENT: 10.0}
"""Calendar days that whoever owes an action takes, on average; made up."""


@dataclass(frozen=True)
class DeskPark:
    """A park of the desk: who looks after it, and where a load could connect."""

    code: str
    manager: str
    nodes: tuple[str, ...] = ()
    largest_kva: float = 20_000.0
    """Nobody asks for more; at least 30. [kVA]"""


@dataclass
class _Story:
    """One request while it is made up."""

    events: list[Event]
    at: datetime
    rules: LoadRequestRules
    random: random.Random
    state: LoadRequest = field(init=False)

    def __post_init__(self) -> None:
        self.state = replay(self.events, self.rules)

    def say(self, by: str, body: Body) -> None:
        self.events.append(happened(len(self.events) + 1, self.at, by, body))
        self.state = replay(self.events, self.rules)

    def wait(self, mean_days: float) -> None:
        """Some days later, at an hour at which people work."""
        later = self.at + timedelta(days=min(self.random.expovariate(1 / mean_days), 6 * mean_days))
        local = later.astimezone(PARK_ZONE)
        office = local.replace(hour=self.random.randint(8, 16), minute=self.random.randint(0, 59), second=0)
        self.at = max(office, self.at + timedelta(minutes=self.random.randint(5, 90)))


def desk_histories(
    parks: Sequence[DeskPark],
    count: int,
    *,
    now: datetime,
    seed: int = 1,
    span_days: float = 240.0,
    rules: LoadRequestRules | None = None,
) -> Iterator[tuple[Event, ...]]:
    """Histories of requests opened within the last days, each told up to now.

    Parameters
    ----------
    parks : sequence of DeskPark
        Requests are spread over them.
    count : int
        How many.
    now : datetime
        Aware; nothing happens later.
    seed : int
        Same seed, same histories.
    span_days : float
        How far back the oldest was opened; short: most are still open. [d]
    """
    dice = random.Random(seed)  # noqa: S311  a story, not a secret
    served_by = rules or builtin_load_request_rules()
    for _ in range(count):
        park = dice.choice(parks)
        yield tuple(_history(dice, park, now - timedelta(days=dice.uniform(0.1, span_days)), now, served_by))


def line_of(reference: str, events: Sequence[Event]) -> str:
    """A history as a line that `smartpark requests import` takes in."""
    past = [{"at": e.at.isoformat(), "by": e.by, "body": e.body.model_dump(mode="json")} for e in events]
    return json.dumps({"reference": reference, "events": past}, ensure_ascii=False)


def _history(
    dice: random.Random, park: DeskPark, start: datetime, now: datetime, rules: LoadRequestRules
) -> list[Event]:
    is_lead = dice.random() < 0.2
    opened = Opened(details=_details(dice, park, start, is_lead=is_lead), is_lead=is_lead)
    story = _Story([happened(1, start, park.manager, opened)], start, rules, dice)
    story.say("system", Assigned(manager=park.manager))
    while story.state.outcome is None:
        story.wait(_MEAN_DAYS[story.state.owner])
        if story.at > now:
            break
        _next(story, park)
    return story.events


def _next(story: _Story, park: DeskPark) -> None:
    """What happens when whoever owes it gets round to it."""
    state, chance = story.state, story.random.random()
    if state.suspended is not None:
        story.say(park.manager, Resumed())
    elif chance < 0.03:
        reason = story.random.choice((SuspendReason.DOCUMENTS_MISSING, SuspendReason.CUSTOMER_ASKED))
        story.say(park.manager, Suspended(reason=reason))
    elif chance < 0.04 and state.energized_at is None:
        story.say(park.manager, Withdrawn(reason="用户取消投资"))
    elif chance < 0.07 and state.stage is Stage.COMPLETION_INSPECTION:
        story.say(park.manager, SentBack(to=Stage.CONSTRUCTION, reason="现场与图纸不符，整改后复验"))
    elif chance < 0.13:
        story.say(park.manager, Commented(text="已电话联系用户，约定上门时间"))
    elif state.owner is not Owner.UTILITY:
        _customer_acts(story, park)
    else:
        _utility_acts(story, park)


def _customer_acts(story: _Story, park: DeskPark) -> None:
    """The customer has done theirs: the next stage where it is all theirs, else our turn."""
    if story.state.stage in {Stage.CONSTRUCTION, Stage.ACCESS_STUDY, Stage.CONTRACT}:
        story.say(park.manager, Moved(to=story.state.next_stage))
    else:
        story.say(park.manager, Handed(to=Owner.UTILITY))


def _utility_acts(story: _Story, park: DeskPark) -> None:
    state = story.state
    if state.stage is Stage.SCHEME_REPLY and state.scheme is None:
        share = story.random.choice((1.0, 1.0, 1.0, 0.8))
        story.say(park.manager, SchemeReplied(approved_kva=round(state.details.applied_kva * share, 1)))
    story.say(park.manager, Moved(to=state.next_stage))


def _details(dice: random.Random, park: DeskPark, start: datetime, *, is_lead: bool) -> Details:
    sizes = {voltage: [one for one in all_ if one <= park.largest_kva] for voltage, all_ in _SIZES.items()}
    voltage = dice.choices(tuple(_SIZES), weights=[w * bool(sizes[v]) for v, w in _WEIGHTS.items()])[0]
    is_increase = dice.random() < 0.35
    source = dice.choice((RequestSource.PROACTIVE_VISIT, RequestSource.PROJECT_LIBRARY))
    is_special = voltage is not VoltageClass.LOW and dice.random() < 0.15
    return Details(
        park=park.code,
        applicant=f"{dice.choice(_PLACES)}{dice.choice(_TRADES)}有限公司",
        kind=RequestKind.CAPACITY_INCREASE if is_increase else RequestKind.NEW_SUPPLY,
        applied_kva=dice.choice(sizes[voltage]),
        existing_kva=dice.choice(sizes[voltage]) if is_increase else 0,
        voltage=voltage,
        supply=Supply.DUAL if voltage is VoltageClass.KV35 and dice.random() < 0.5 else Supply.SINGLE,
        user_kind=UserKind.SPECIAL_LOAD if is_special else UserKind.ORDINARY,
        importance=Importance.SECOND
        if dice.random() < 0.05 and voltage is not VoltageClass.LOW
        else Importance.ORDINARY,
        wanted_on=(start + timedelta(days=dice.randint(60, 300))).astimezone(PARK_ZONE).date(),
        contact_role=dice.choice(_ROLES),
        source=source if is_lead else RequestSource.APPLICATION,
        probability=dice.choice((0.3, 0.5, 0.8)) if is_lead else None,
        channel=Channel.GREEN if dice.random() < 0.25 else Channel.NORMAL,
        node=dice.choice(park.nodes) if park.nodes and dice.random() < 0.7 else None,
        coincidence=dice.choice((None, 0.8, 0.7)),
    )
