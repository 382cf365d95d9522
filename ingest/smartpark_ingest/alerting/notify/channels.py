"""How this installation reaches people and programs, and the one place where a message is handed over."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Final

from smartpark.alerts.routes import ChannelKind, Contact
from smartpark.errors import SmartparkError
from smartpark.webhooks import WebhookRefusedError, checked_url, deliver

from smartpark_ingest.alerting.notify import by_apprise
from smartpark_ingest.alerting.notify.alertmanager import push
from smartpark_ingest.alerting.notify.message import Address, Message, NotTakenError, RefusedError, read_address
from smartpark_ingest.alerting.notify.robots import SPACING_S, robot_url, send_to_robot
from smartpark_ingest.mail import MailRefusedError, MailServer, MailServerError

ROBOTS: Final = frozenset({ChannelKind.DINGTALK, ChannelKind.WECOM, ChannelKind.FEISHU})
_YES_NO: Final = {"": False, "no": False, "yes": True}
_FOR_GOOD: Final = frozenset({400, 410, 413, 422})
"""Answers of a webhook that say this very message will never be taken; an address or a right can be mended."""
_LEAST_SECRET: Final = 16


@dataclass(frozen=True)
class Ways:
    """What this installation has."""

    secrets: Path | None = None
    """Folder of the files that hold addresses."""
    mail: MailServer | None = None
    may_be_private: bool = False
    """Whether what is told may lie in a private network."""
    console: str | None = None
    """Address of the console, for links in messages."""
    schemes: frozenset[str] = field(default=by_apprise.SCHEMES)
    """Services that Apprise may reach."""


def ways_from_environment(environment: Mapping[str, str] | None = None) -> Ways:
    """What the environment says.

    ``SMARTPARK_ALERT_SECRETS`` (folder), ``SMARTPARK_ALERT_APPRISE`` (services let in, separated by commas),
    ``SMARTPARK_WEBHOOKS_PRIVATE``, ``SMARTPARK_CONSOLE_URL``, ``SMARTPARK_SMTP_*``.
    """
    given = os.environ if environment is None else environment
    private, secrets = given.get("SMARTPARK_WEBHOOKS_PRIVATE", ""), given.get("SMARTPARK_ALERT_SECRETS")
    if private not in _YES_NO:
        raise SmartparkError(f"SMARTPARK_WEBHOOKS_PRIVATE is {private!r}; it is yes or no")
    return Ways(
        secrets=Path(secrets) if secrets else None,
        mail=MailServer.from_environment(given),
        may_be_private=_YES_NO[private],
        console=given.get("SMARTPARK_CONSOLE_URL") or None,
        schemes=_schemes(given.get("SMARTPARK_ALERT_APPRISE")),
    )


def _schemes(given: str | None) -> frozenset[str]:
    if given is None:
        return by_apprise.SCHEMES
    wanted = frozenset(name.strip() for name in given.split(",") if name.strip())
    never = sorted(wanted & by_apprise.NEVER)
    if never:
        raise SmartparkError(
            f"SMARTPARK_ALERT_APPRISE lets in {never[0]}, which acts on this machine or has a way of its own"
        )
    return wanted


def spacing_s(channel: ChannelKind) -> float:
    """Least time between two messages to one contact [s]."""
    return SPACING_S if channel in ROBOTS else 0.0


def hand_over(message: Message, ways: Ways) -> None:
    """Hand a message over, once.

    Raises
    ------
    NotTakenError
        When it may work later.
    RefusedError
        When it never will.
    """
    contact = message.contact
    address = read_address(ways.secrets, contact.address)
    if contact.channel is ChannelKind.MAIL:
        _mail(message, address, ways)
    elif contact.channel is ChannelKind.WEBHOOK:
        _webhook(message, address, ways)
    elif contact.channel is ChannelKind.ALERTMANAGER:
        items = message.body["items"]
        push(items, address, message.now, console=ways.console, may_be_private=ways.may_be_private)
    elif contact.channel is ChannelKind.APPRISE:
        by_apprise.send_by_apprise(message, address, schemes=ways.schemes, may_be_private=ways.may_be_private)
    else:
        send_to_robot(message, address, may_be_private=ways.may_be_private)


def trouble_with(contact: Contact, ways: Ways) -> None:
    """Look at a contact's file as far as that goes without telling anybody; `NotTakenError` says what is wrong."""
    address = read_address(ways.secrets, contact.address)
    if contact.channel is ChannelKind.MAIL:
        _mailbox(address, ways)
    elif contact.channel is ChannelKind.WEBHOOK:
        _signing(address)
        _check_url(address, address.target, ways)
    elif contact.channel is ChannelKind.ALERTMANAGER:
        _check_url(address, address.target, ways)
    elif contact.channel is ChannelKind.APPRISE:
        by_apprise.check_address(address, ways.schemes, may_be_private=ways.may_be_private)
    else:
        _check_url(address, robot_url(contact.channel, address), ways)


def _check_url(address: Address, url: str, ways: Ways) -> None:
    try:
        checked_url(url, may_be_private=ways.may_be_private)
    except WebhookRefusedError as error:
        raise NotTakenError(address.hidden_in(str(error))) from None


def _mail(message: Message, address: Address, ways: Ways) -> None:
    """Over SMTP by ourselves: the message has a name that does not change, and what is refused for good is known."""
    server, to = _mailbox(address, ways)
    try:
        server.send(to, message.words, key=message.key, at=message.planned_at)
    except MailServerError as error:
        raise NotTakenError(address.hidden_in(str(error))) from None
    except MailRefusedError as error:
        raise RefusedError(address.hidden_in(str(error))) from None


def _mailbox(address: Address, ways: Ways) -> tuple[MailServer, str]:
    if ways.mail is None:
        raise NotTakenError("no mail server is configured (SMARTPARK_SMTP_URL)")
    to = address.target.removeprefix("mailto:")
    if "@" not in parseaddr(to)[1] or "," in to:
        raise NotTakenError("its file holds no e-mail address; write one, as name@example.org")
    return ways.mail, to


def _signing(address: Address) -> bytes:
    if len(address.secret) < _LEAST_SECRET:
        raise NotTakenError(f"the second line of its file is the secret that signs, of {_LEAST_SECRET} signs or more")
    return address.secret.encode()


def _webhook(message: Message, address: Address, ways: Ways) -> None:
    secret = _signing(address)
    try:
        came = deliver(
            address.target,
            document_of(message, ways.console),
            secret,
            at_s=int(message.now.timestamp()),
            key=message.name,
            may_be_private=ways.may_be_private,
        )
    except WebhookRefusedError as error:
        raise NotTakenError(address.hidden_in(str(error))) from None
    if came.status in _FOR_GOOD:
        raise RefusedError(address.hidden_in(came.detail))
    if not came.is_taken:
        raise NotTakenError(address.hidden_in(came.detail))


def document_of(message: Message, console: str | None) -> dict[str, Any]:
    """What a webhook is told: the facts, and the words that people would read."""
    body = message.body
    return {
        "type": f"alerts.{body['form']}",
        "key": message.name,
        "planned_at": message.planned_at.isoformat(),
        "subject": message.words.subject,
        "text": message.words.text,
        "total": body["total"],
        "severities": body["severities"],
        "alerts": body["items"],
        "console": console,
    }
