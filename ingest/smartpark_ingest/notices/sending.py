"""Sending what is planned: notices by mail, events to webhooks; each settled, tried again later, or given up.

What is in hand has a lease in the database; a worker that dies loses it to the next one. So a receiver may hear of
the same thing twice, and never not at all, until the patience below has run out; then it stays on record as given up.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from smartpark.errors import RetryableError, SmartparkError
from smartpark.load_requests.events import BODY
from smartpark.webhooks import WebhookRefusedError, deliver, read_secret
from smartpark_storage.load_requests import (
    ClaimedNotice,
    Delivery,
    claim_notices,
    claim_outbox,
    done_notice,
    done_outbox,
    give_up_notice,
    give_up_outbox,
    retry_notice,
    retry_outbox,
)

from smartpark_ingest.database import PatientDatabase
from smartpark_ingest.mail import MailServer
from smartpark_ingest.notices.wording import words_of

_log = logging.getLogger(__name__)

BATCH: Final = 20
"""Taken in hand at once; few, so that their lease does not end while they are being sent."""
NEWS_FOR: Final = timedelta(days=3)
"""A notice older than this is no news: it is given up rather than sent."""
_FIRST_WAIT: Final = timedelta(minutes=1)
_LONGEST_WAIT: Final = timedelta(hours=6)
MOST_ATTEMPTS: Final = 20
"""About three and a half days with the waits above."""


class NotSentError(SmartparkError):
    """A notice that is not to be sent, now or ever."""


@dataclass(slots=True)
class Sent:
    """What came of sending."""

    mails: int = 0
    deliveries: int = 0
    """To webhooks."""
    put_off: int = 0
    given_up: int = 0

    @property
    def found_work(self) -> bool:
        """Whether there was anything to send."""
        return bool(self.mails or self.deliveries or self.put_off or self.given_up)


@dataclass(frozen=True)
class Channels:
    """How this installation reaches people and machines."""

    mail: MailServer | None = None
    webhook_secrets: Path | None = None
    webhooks_may_be_private: bool = False
    console: str | None = None
    """Address of the console, for links in messages."""


def wait_after(attempts: int) -> timedelta:
    """How long until the next attempt, after so many.

    Examples
    --------
    >>> [wait_after(n) // timedelta(minutes=1) for n in (1, 2, 3, 20)]
    [1, 2, 4, 360]
    """
    return min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(attempts - 1, 16))


def send_notices(database: PatientDatabase, channels: Channels, now: datetime) -> Sent:
    """Send some of the notices that are due; without a mail server they wait."""
    sent = Sent()
    if channels.mail is None:
        return sent
    for notice in database.run(lambda connection: claim_notices(connection, BATCH, now)):
        try:
            _send(channels.mail, channels, notice, now)
        except RetryableError as error:
            if notice.attempts < MOST_ATTEMPTS:
                _put_off_notice(database, notice, now, str(error))
                sent.put_off += 1
            else:
                _give_up_notice(database, notice, now, str(error))
                sent.given_up += 1
        except SmartparkError as error:
            _give_up_notice(database, notice, now, str(error))
            sent.given_up += 1
        else:
            database.run(lambda connection, line=notice.notice_id: done_notice(connection, line, at=now))
            sent.mails += 1
    return sent


def _send(server: MailServer, channels: Channels, notice: ClaimedNotice, now: datetime) -> None:
    if now - notice.planned_at > NEWS_FOR:
        raise NotSentError(f"planned on {notice.planned_at:%Y-%m-%d}, it is no news any more")
    if not notice.person.email:
        raise NotSentError(f"{notice.person.code} has no e-mail address")
    words = words_of(notice.kind, notice.document, notice.person.language, console=channels.console)
    server.send(notice.person.email, words, key=notice.key, at=now)


def _give_up_notice(database: PatientDatabase, notice: ClaimedNotice, now: datetime, error: str) -> None:
    _log.error("notice %s is given up: %s", notice.key, error)
    database.run(lambda connection: give_up_notice(connection, notice.notice_id, at=now, error=error))


def _put_off_notice(database: PatientDatabase, notice: ClaimedNotice, now: datetime, error: str) -> None:
    _log.warning("notice %s: %s; trying again later", notice.key, error)
    at = now + wait_after(notice.attempts)
    database.run(lambda connection: retry_notice(connection, notice.notice_id, at, error))


def deliver_events(database: PatientDatabase, channels: Channels, now: datetime) -> Sent:
    """Tell webhooks some of the events that are due."""
    sent = Sent()
    for delivery in database.run(lambda connection: claim_outbox(connection, BATCH, now)):
        error, is_for_good = _try(delivery, channels, now)
        line = delivery.outbox_id
        if error is None:
            database.run(lambda connection, line=line: done_outbox(connection, line, at=now))
            sent.deliveries += 1
        elif is_for_good or delivery.attempts >= MOST_ATTEMPTS:
            _give_up_delivery(database, delivery, now, error)
            sent.given_up += 1
        else:
            _put_off_delivery(database, delivery, now, error)
            sent.put_off += 1
    return sent


def document_of(delivery: Delivery) -> Mapping[str, Any]:
    """What a webhook is told: which event of which request; the receiver tells repeats by code and sequence."""
    event = delivery.event
    return {
        "type": f"load_request.{event.body.type}",
        "code": delivery.code,
        "park": delivery.park,
        "sequence": event.sequence,
        "at": event.at.isoformat(),
        "recorded_at": event.recorded_at.isoformat(),
        "by": event.by,
        "body": BODY.dump_python(event.body, mode="json"),
    }


def _try(delivery: Delivery, channels: Channels, now: datetime) -> tuple[str | None, bool]:
    """What went wrong, if anything, and whether it will for good.

    A secret that is not there may be put there, so it is tried again; an address that may not be told stays so.
    """
    try:
        secret = read_secret(channels.webhook_secrets, delivery.secret_ref)
    except WebhookRefusedError as error:
        return str(error), False
    try:
        came = deliver(
            delivery.url,
            document_of(delivery),
            secret,
            at_s=int(now.timestamp()),
            may_be_private=channels.webhooks_may_be_private,
        )
    except WebhookRefusedError as error:
        return str(error), True
    return (None if came.is_taken else came.detail), False


def _give_up_delivery(database: PatientDatabase, delivery: Delivery, now: datetime, error: str) -> None:
    _log.error("%s is given up: %s", _told(delivery), error)
    database.run(lambda connection: give_up_outbox(connection, delivery.outbox_id, at=now, error=error))


def _put_off_delivery(database: PatientDatabase, delivery: Delivery, now: datetime, error: str) -> None:
    _log.warning("%s: %s; trying again later", _told(delivery), error)
    at = now + wait_after(delivery.attempts)
    database.run(lambda connection: retry_outbox(connection, delivery.outbox_id, at, error))


def _told(delivery: Delivery) -> str:
    return f"webhook {delivery.webhook}, event {delivery.event.sequence} of {delivery.code}"
