"""A real mail server for tests: keeps what it is handed, and refuses or dies where a test says so."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from smartpark_simulators.ports import free_port


@dataclass
class Mailbox:
    """What the server was handed."""

    messages: list[tuple[str, EmailMessage]] = field(default_factory=list)
    """(receiver, message)"""
    refuse: dict[str, str] = field(default_factory=dict)
    """Receiver → what the server answers instead of taking it."""

    async def handle_RCPT(  # noqa: N802  the library's name
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802  the library's name
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages += [(receiver, message) for receiver in envelope.rcpt_tos]
        return "250 OK"

    def to(self, receiver: str) -> list[EmailMessage]:
        """Messages of one receiver."""
        return [message for address, message in self.messages if address == receiver]


class MailServerOfTest:
    """One server on a port of its own, which it keeps when it is stopped and started."""

    def __init__(self) -> None:
        self.box = Mailbox()
        self.port = free_port()
        self._controller: Controller | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a smartpark process needs to find it."""
        return {"SMARTPARK_SMTP_URL": f"smtp://127.0.0.1:{self.port}", "SMARTPARK_SMTP_FROM": "park@example.org"}

    def start(self) -> None:
        self._controller = Controller(self.box, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None


@pytest.fixture
def mail_server() -> Iterator[MailServerOfTest]:
    """A mail server that runs."""
    server = MailServerOfTest()
    server.start()
    yield server
    server.stop()
