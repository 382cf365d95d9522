"""Words of the online monitoring of key energy users (NECC-NHJC): numbers to JSON, answers to verdicts.

The payload follows two independent public implementations of the enterprises' side; the documents of the series
(NECC-NHJC-01 …, GB/T 38692-2020) say what it is about. Dates are local time without an offset. Encryption is handed
in: here is only which values it is put on. Nothing here connects, asks the clock or knows a key.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from smartpark.clock import PARK_ZONE
from smartpark.errors import RetryableError, SmartparkError
from smartpark.periods import Grain, period_containing
from smartpark.uplinks import digest_of
from smartpark.uplinks.nhjc_settings import (
    GRAINS,
    STAT_TYPE_NUMBER,
    Below,
    Form,
    Item,
    Quality,
    StatDate,
    StatType,
    ValidWords,
    ValueForm,
    checked_address,
)

WELL = "0"
"""``responseCode`` of an answer that took what was asked."""

_LONGEST = 500
"""Of what the platform says of itself, and is kept. [characters]"""
_SINGLE_PRECISION = 2.0**-23
"""Completeness is kept in single precision: nine tenths are a little less there."""
_EXACT = Context(prec=700, rounding=ROUND_HALF_EVEN)
"""As many digits as the longest double has, scaled."""


class NhjcAnswerError(RetryableError):
    """The platform answered something that is no answer; nothing counts as taken."""


class NhjcRefusedError(RetryableError):
    """The platform answered, and did not take what was asked."""


class NhjcFormError(SmartparkError):
    """A message is not what the protocol says."""


class ValueCipher(Protocol):
    """Encrypts values, one by one."""

    def encrypt(self, plain: bytes) -> bytes:
        """Whole blocks."""
        ...

    def decrypt(self, secret: bytes) -> bytes:
        """What was encrypted; `ValueError` where that cannot be."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of one period of an item."""

    value: Decimal
    is_valid: bool


@dataclass(frozen=True, slots=True)
class Registration:
    """What the platform says to a new device."""

    device: str
    upload_url: str
    dictionary_url: str
    base_data_url: str
    upload_time: time
    secret: str
    """Key for values; empty where the platform gives none. Never kept in a database."""


# --- numbers ---


def told(
    item: Item, quality: Quality, value: float | None, completeness: float, *, was_told: bool = False
) -> Told | str:
    """What is said of a number, or why nothing is.

    Examples
    --------
    >>> item = Item(park="p", indicator="electricity_consumption", grain="day", data_code="00-00-0000-023300-11",
    ...     stat_type="day", scale="0.0001", decimals=4)
    >>> told(item, Quality(least_completeness=0.9), 123_456.0, 1.0)
    Told(value=Decimal('12.3456'), is_valid=True)
    >>> told(item, Quality(least_completeness=0.9), 123_456.0, 0.5)
    'completeness 50.0 % is below 90.0 %'
    >>> told(item, Quality(least_completeness=0.9), None, 0.0)
    'no value'
    """
    if value is None:
        return "no value any more; the platform has the one of before" if was_told else "no value"
    is_complete = completeness >= quality.least_completeness - _SINGLE_PRECISION
    if not is_complete and quality.below is Below.WITHHOLD:
        return f"completeness {completeness:.1%} is below {quality.least_completeness:.1%}".replace("%", " %")
    step = Decimal(1).scaleb(-item.decimals)
    number = _EXACT.quantize(_EXACT.multiply(Decimal(repr(value)), item.scale), step)
    # Adding zero takes the sign from a negative zero.
    return Told(_EXACT.add(number, Decimal(0)), is_complete or quality.below is Below.TELL)


def digest(item: Item, form: Form, said: Told) -> str:
    """By which it is known that the same was told before."""
    return digest_of(str(said.value), said.is_valid, item.input_type, item.scope, form.model_dump(mode="json"))


def form_digest(item: Item, form: Form, quality: Quality) -> str:
    """Of all settings that decide how an item is told."""
    return digest_of(*(part.model_dump(mode="json") for part in (item, form, quality)))


def entry(item: Item, form: Form, said: Told, start: datetime, now: datetime) -> dict[str, Any]:
    """One element of ``data``.

    Examples
    --------
    >>> from datetime import UTC
    >>> item = Item(park="p", indicator="electricity_consumption", grain="day", data_code="00-00-0000-023300-11",
    ...     stat_type="day", decimals=2)
    >>> entry(item, Form(valid="boolean"), Told(Decimal("123.45"), True),
    ...     datetime(2026, 11, 20, 16, tzinfo=UTC), datetime(2026, 11, 21, 17, 38, tzinfo=UTC))
    {'dataCode': '00-00-0000-023300-11', 'dataValue': 123.45, 'inputType': 4, 'statType': 1, 'statDate': '2026-11-21 \
00:00:00', 'uploadDate': '2026-11-22 01:38:00', 'scope': 1, 'valid': True}
    """
    period = period_containing(start, GRAINS[item.stat_type])
    return {
        "dataCode": item.data_code,
        "dataValue": float(said.value) if form.value is ValueForm.NUMBER else f"{said.value:f}",
        "inputType": item.input_type,
        "statType": STAT_TYPE_NUMBER[item.stat_type],
        "statDate": local_text(period.start if form.stat_date is StatDate.START else period.end),
        "uploadDate": local_text(now),
        "scope": item.scope,
        "valid": said.is_valid if form.valid is ValidWords.BOOLEAN else int(not said.is_valid),
    }


def local_text(instant: datetime) -> str:
    """Local time as the protocol writes it."""
    return instant.astimezone(PARK_ZONE).strftime("%Y-%m-%d %H:%M:%S")


# --- when ---


def ready_before(upload_time: time, now: datetime) -> dict[str, datetime]:
    """For each grain the start before which a period may be told: each device has its own time of day.

    Examples
    --------
    >>> from datetime import UTC
    >>> early = ready_before(time(1, 38), datetime(2026, 11, 30, 17, 37, tzinfo=UTC))
    >>> early["day"].isoformat(), early["month"].isoformat()
    ('2026-11-29T16:00:00+00:00', '2026-10-31T16:00:00+00:00')
    >>> then = ready_before(time(1, 38), datetime(2026, 11, 30, 17, 38, tzinfo=UTC))
    >>> then["day"].isoformat(), then["month"].isoformat()
    ('2026-11-30T16:00:00+00:00', '2026-11-30T16:00:00+00:00')
    """
    today = period_containing(now, Grain.DAY)
    has_come = now.astimezone(PARK_ZONE).time() >= upload_time
    day = today.start if has_come else today.start - (today.end - today.start)
    longer = {grain.value: period_containing(day, grain).start for grain in (Grain.MONTH, Grain.YEAR)}
    return {Grain.HOUR.value: period_containing(now, Grain.HOUR).start, Grain.DAY.value: day, **longer}


# --- messages ---


def upload(device: str, enterprise: str, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Whole message of an upload."""
    return {"deviceId": device, "enterpriseCode": enterprise, "data": list(entries)}


def encode(message: Mapping[str, Any], cipher: ValueCipher | None = None) -> bytes:
    """Bytes of a message; with a cipher each value that is no object or list is hex of its encrypted text."""
    told_as = message if cipher is None else _encrypted(message, cipher)
    return json.dumps(told_as, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _encrypted(value: Any, cipher: ValueCipher) -> Any:
    if isinstance(value, Mapping):
        return {key: _encrypted(part, cipher) for key, part in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_encrypted(part, cipher) for part in cast("Sequence[Any]", value)]
    return cipher.encrypt(_plain(value).encode()).hex()


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)


def decode(body: bytes, cipher: ValueCipher | None = None) -> dict[str, Any]:
    """Message of bytes; with a cipher every value is text. `NhjcFormError` where it is none."""
    try:
        message = json.loads(body)
        found = message if cipher is None else _decrypted(message, cipher)
    except (ValueError, RecursionError) as error:
        # Not a byte of it is shown: the answer to a registration holds a key.
        raise NhjcFormError(f"{len(body)} bytes are no message: {error}") from None
    if not isinstance(found, dict):
        raise NhjcFormError("a message is a JSON object")
    return cast("dict[str, Any]", found)


def _decrypted(value: Any, cipher: ValueCipher) -> Any:
    if isinstance(value, dict):
        return {key: _decrypted(part, cipher) for key, part in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_decrypted(part, cipher) for part in cast("list[Any]", value)]
    if not isinstance(value, str):
        raise ValueError("a value is no text")  # noqa: TRY004  what a value that cannot be decrypted is told as
    return cipher.decrypt(bytes.fromhex(value)).decode()


def answered(body: bytes) -> dict[str, Any]:
    """Answer of the platform that says it took what was asked.

    Raises
    ------
    NhjcRefusedError
        It says that it did not, and why.
    NhjcAnswerError
        It says neither: a page of some proxy, half an answer.
    """
    try:
        answer = decode(body)
    except NhjcFormError as error:
        raise NhjcAnswerError(f"the platform's answer is not understood: {error}") from None
    code = answer.get("responseCode")
    if not isinstance(code, str | int) or isinstance(code, bool):
        raise NhjcAnswerError("the platform's answer has no responseCode")
    if str(code) != WELL:
        said = f"{code}: {answer.get('responseMessage', '')}"[:_LONGEST]
        # It goes into logs and the database, which cannot keep everything that JSON can.
        raise NhjcRefusedError(f"the platform answers {''.join(sign for sign in said if sign.isprintable())}")
    return answer


def registration(answer: Mapping[str, Any], allowed_hosts: frozenset[str]) -> Registration:
    """What a registration brought; `NhjcAnswerError` where something is missing or leads elsewhere."""
    return Registration(
        device=_text(answer, "deviceId"),
        upload_url=_address(answer, "centerDataURL", allowed_hosts),
        dictionary_url=_address(answer, "loadDicVersionURL", allowed_hosts),
        base_data_url=_address(answer, "downloadBaseDataURL", allowed_hosts),
        upload_time=upload_time(_text(answer, "uploadTime")),
        secret=str(answer.get("secretKey") or ""),
    )


def upload_time(text: str) -> time:
    """Time of day of the uploads."""
    try:
        found = time.fromisoformat(text)
    except ValueError:
        raise NhjcAnswerError(f"uploadTime is {text!r}; it is a time of day such as 01:38:00") from None
    return found.replace(tzinfo=None)


def _text(answer: Mapping[str, Any], key: str) -> str:
    value = answer.get(key)
    if not isinstance(value, str | int) or not str(value):
        raise NhjcAnswerError(f"the platform's registration has no {key}")
    return kept_text(value, key)


def kept_text(value: object, key: str) -> str:
    """Something that the platform said as text that can be kept; `NhjcAnswerError` names the key of what cannot."""
    text = str(value)
    if len(text) > _LONGEST or not text.isprintable():
        raise NhjcAnswerError(f"{key} of the platform's answer is too long, or holds signs that are none")
    return text


def _address(answer: Mapping[str, Any], key: str, allowed_hosts: frozenset[str]) -> str:
    url = _text(answer, key)
    try:
        checked_address(url)
    except ValueError as error:
        raise NhjcAnswerError(f"{key} of the registration: {error}") from None
    host = urlsplit(url).hostname
    if host not in allowed_hosts:
        raise NhjcAnswerError(
            f"{key} of the registration leads to {host}; if that is right, add it to platform.hosts"
        )
    return url


def data_codes(base_data: object) -> frozenset[str]:
    """Every ``dataCode`` that the platform's base data name, however they are nested."""
    return frozenset(_codes(base_data))


def _codes(node: object) -> Iterator[str]:
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, Mapping):
            parts = cast("Mapping[str, object]", here)
            code = parts.get("dataCode")
            if isinstance(code, str):
                yield code
            waiting.extend(parts.values())
        elif isinstance(here, list):
            waiting.extend(cast("list[object]", here))


def stat_type_of(number: int) -> StatType:
    """Kind of value of a ``statType``; `NhjcFormError` where there is none."""
    for kind, code in STAT_TYPE_NUMBER.items():
        if code == number:
            return kind
    raise NhjcFormError(f"statType {number!r} is none of 0 to 3")
