"""The words of a notice, in the receiver's language: subject and text of a message. It decides nothing."""

from collections.abc import Mapping
from typing import Any, Final

from smartpark.load_requests.reminders import REMINDER_WORDS, ReminderKind
from smartpark.load_requests.words import WORDS, Channel, Owner, Stage, Standing, VoltageClass

from smartpark_ingest.mail import Words
from smartpark_ingest.notices.planning import DIGEST

_URGENT: Final = (Standing.OVERDUE, Standing.DUE, Standing.AT_RISK)
_ZH, _EN = 0, 1


def words_of(kind: str, document: Mapping[str, Any], language: str, *, console: str | None = None) -> Words:
    """Subject and text.

    Parameters
    ----------
    kind : str
        Of `ReminderKind`, or `DIGEST`.
    document : Mapping
        As it was planned.
    language : str
        ``zh`` or ``en``.
    console : str, optional
        Address of the console, for links; none: no links.
    """
    place = _EN if language == "en" else _ZH
    return _digest(document, place, console) if kind == DIGEST else _reminder(kind, document, place, console)


def _reminder(kind: str, document: Mapping[str, Any], place: int, console: str | None) -> Words:
    what = REMINDER_WORDS[ReminderKind(kind)][place]
    subject = f"[{what}] {document['code']} {document['applicant']} {_kva(document)}"
    return Words(subject, "\n".join([_why(kind, document["reminder"], place), "", *_facts(document, place, console)]))


def _why(kind: str, reminder: Mapping[str, Any], place: int) -> str:
    days, day = reminder["days"], reminder["day"]
    if days is None:
        return (
            f"供电方案延期或失效日为 {day}：请及时延期或开工。",
            f"The scheme is to be extended, or built by, until {day}.",
        )[place]
    sentences = {
        ReminderKind.DUE_SOON: (
            f"时限 {day} 到期，剩余 {days} 个工作日。",
            f"Due on {day}: {_working_days(days)} left.",
        ),
        ReminderKind.OVERDUE: (
            f"时限 {day} 已过，超期 {-days} 个工作日。",
            f"Was due on {day}: {_working_days(-days)} late.",
        ),
        ReminderKind.GREEN_QUIET: (
            f"绿色通道申请自 {day} 起 {days} 个工作日无任何进展，请跟进。",
            f"A green-channel request in which nothing has happened for {_working_days(days)}, since {day}.",
        ),
        ReminderKind.SCHEME_EXPIRES: (
            f"供电方案延期或失效日为 {day}（{days} 个工作日）：请及时延期或开工。",
            f"The scheme is to be extended, or built by, until {day} ({_working_days(days)}).",
        ),
    }
    return sentences[ReminderKind(kind)][place]


def _working_days(days: int) -> str:
    return f"{days} working day{'' if abs(days) == 1 else 's'}"


def _kva(document: Mapping[str, Any]) -> str:
    return f"{document['applied_kva']:g} kVA"


def _facts(document: Mapping[str, Any], place: int, console: str | None) -> list[str]:
    names = {
        "park": ("园区", "Park"),
        "voltage": ("容量与电压", "Capacity and voltage"),
        "stage": ("环节", "Stage"),
        "owner": ("责任方", "Next action by"),
        "rule": ("时限依据", "Limit by"),
    }
    voltage = WORDS[VoltageClass(document["voltage"])][place]
    values = {
        "park": document["park"],
        "voltage": f"{_kva(document)}, {voltage}",
        "stage": WORDS[Stage(document["stage"])][place],
        "owner": WORDS[Owner(document["owner"])][place],
        "rule": document["rule"],
    }
    colon = "：" if place == _ZH else ": "
    told = [f"{names[key][place]}{colon}{value}" for key, value in values.items() if value is not None]
    return told if console is None else [*told, "", f"{console.rstrip('/')}/requests/{document['code']}"]


def _digest(document: Mapping[str, Any], place: int, console: str | None) -> Words:
    counts = {standing: int(document["standings"].get(standing.value, 0)) for standing in _URGENT}
    told = ", ".join(f"{WORDS[standing][place]} {count}" for standing, count in counts.items())
    subject = (f"业扩日报 {document['day']}：{told}", f"Load requests on {document['day']}: {told}")[place]
    head = (
        f"在办 {document['open']} 件，共 {document['kva']:g} kVA，其中绿色通道 {document['green']} 件。",
        f"{document['open']} open, {document['kva']:g} kVA in all, {document['green']} in the green channel.",
    )[place]
    lines = [_line(one, place, console) for one in document["urgent"]]
    nothing = ("没有临期或超期的申请。", "Nothing is late or about to be.")[place]
    return Words(subject, "\n".join([head, "", *(lines or [nothing])]))


def _line(document: Mapping[str, Any], place: int, console: str | None) -> str:
    standing, stage = Standing(document["standing"]), Stage(document["stage"])
    green = f" [{WORDS[Channel.GREEN][place]}]" if document["channel"] == Channel.GREEN.value else ""
    due = "" if document["due_on"] is None else f" {document['due_on']}"
    line = (
        f"- {WORDS[standing][place]}{due}  {document['code']}  {document['applicant']}  {_kva(document)}  "
        f"{WORDS[stage][place]}{green}"
    )
    return line if console is None else f"{line}\n  {console.rstrip('/')}/requests/{document['code']}"
