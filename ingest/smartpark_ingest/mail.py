"""Mail to people: one message over SMTP, encrypted unless the server is this very machine.

Settings come from the environment; the password from a file. The identity of a message is made of what it is about,
so that one sent twice (a worker killed between sending and noting it) shows as one where mail programs look at that.
"""

import hashlib
import os
import smtplib
import socket
import ssl
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from smartpark.errors import RetryableError, SmartparkError
from smartpark.webhooks import is_loopback_name

TIMEOUT_S: Final = 20.0
"""For each answer of the server. [s]"""
AT_MOST_S: Final = 45.0
"""For all of a message, once there is a connection: a server that dribbles holds nobody up. [s]"""
_PORTS: Final = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody reads."""

    subject: str
    text: str


class MailSettingsError(SmartparkError):
    """The settings of the mail server are wrong."""


class MailServerError(RetryableError):
    """The mail server is away, or does not take the message now."""


class MailRefusedError(SmartparkError):
    """The mail server refuses this message for good."""


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed over, and who sends it."""

    host: str
    port: int
    is_tls_from_the_start: bool
    sender: str
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> "MailServer | None":
        """Server that the environment names; none: no mail.

        ``SMARTPARK_SMTP_URL`` (``smtp://host:587`` with STARTTLS, ``smtps://host:465``), ``SMARTPARK_SMTP_FROM``,
        ``SMARTPARK_SMTP_USERNAME`` with ``SMARTPARK_SMTP_PASSWORD_FILE``, ``SMARTPARK_SMTP_CA_FILE``.

        Raises
        ------
        MailSettingsError
            When one of them is wrong or missing; the message names it.
        """
        given = os.environ if environment is None else environment
        url = given.get("SMARTPARK_SMTP_URL", "")
        if not url:
            return None
        host, port, scheme = _address(url)
        sender = given.get("SMARTPARK_SMTP_FROM", "")
        if "@" not in parseaddr(sender)[1]:
            raise MailSettingsError(f"SMARTPARK_SMTP_FROM is {sender!r}; it is the address that mail comes from")
        username = given.get("SMARTPARK_SMTP_USERNAME") or None
        password_file = given.get("SMARTPARK_SMTP_PASSWORD_FILE") or None
        if username is not None and password_file is None:
            raise MailSettingsError("SMARTPARK_SMTP_USERNAME needs its SMARTPARK_SMTP_PASSWORD_FILE")
        ca_file = given.get("SMARTPARK_SMTP_CA_FILE") or None
        return MailServer(
            host,
            port,
            scheme == "smtps",
            sender,
            username,
            None if password_file is None else Path(password_file),
            None if ca_file is None else Path(ca_file),
        )

    def send(self, to: str, words: Words, *, key: str, at: datetime) -> None:
        """Hand one message over.

        Raises
        ------
        MailServerError
            When it may work later.
        MailRefusedError
            When this message or receiver is refused for good.
        """
        message = self._message(to, words, key, at)
        try:
            with self._connected() as server, _within(server, AT_MOST_S):
                self._introduce(server)
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise _refusal(code, said) from None
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code, error.smtp_error) from None
        except (OSError, smtplib.SMTPException) as error:
            raise MailServerError(f"mail server {self.host}:{self.port}: {error or type(error).__name__}") from error

    def _message(self, to: str, words: Words, key: str, at: datetime) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self.sender, to
        # A line break in a name must not begin another header; the library refuses it, so it is taken out here.
        message["Subject"] = " ".join(words.subject.split())
        message["Date"] = format_datetime(at)
        message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@smartpark>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(words.text)
        return message

    def _connected(self) -> smtplib.SMTP:
        if self.is_tls_from_the_start:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_S, context=self._context())
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
        return server

    def _introduce(self, server: smtplib.SMTP) -> None:
        if not self.is_tls_from_the_start and not is_loopback_name(self.host):
            server.starttls(context=self._context())
        if self.username is not None and self.password_file is not None:
            server.login(self.username, self.password_file.read_text(encoding="utf-8").strip())

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file)


@contextmanager
def _within(server: smtplib.SMTP, limit_s: float) -> Generator[None]:
    """Cut the connection when a message takes longer than all of it may."""
    watch = threading.Timer(limit_s, _cut, (server,))
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _cut(server: smtplib.SMTP) -> None:
    if server.sock is not None:
        with suppress(OSError):
            server.sock.shutdown(socket.SHUT_RDWR)


def _address(url: str) -> tuple[str, int, str]:
    refusal = f"SMARTPARK_SMTP_URL is {url!r}; write smtp://host:587 or smtps://host:465, without user and password"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise MailSettingsError(
            "SMARTPARK_SMTP_URL is no address; write smtp://host:587 or smtps://host:465"
        ) from None
    if parts.username is not None or parts.password is not None:
        # What it says may be a secret, so it is not repeated.
        raise MailSettingsError("SMARTPARK_SMTP_URL holds a user or password; use SMARTPARK_SMTP_USERNAME and a file")
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in {"", "/"}:
        raise MailSettingsError(refusal)
    return parts.hostname, port or _PORTS[parts.scheme], parts.scheme


def _refusal(code: int, said: bytes | str) -> SmartparkError:
    """Codes of 500 and more are for good (RFC 5321, 4.2.1), except for a log-in, which an operator can mend."""
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    for_good = code >= 500 and code not in {530, 534, 535, 538}
    return (MailRefusedError if for_good else MailServerError)(f"the mail server answered {code} {text}")
