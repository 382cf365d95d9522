"""What the API is told when it starts: addresses, limits, and whether whoever asks has to prove who they are.

Never rights: those stand in the database.

The command line and the environment are read by `commands`, not here.
"""

import ipaddress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator
from smartpark.tomlfile import StrictModel

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
"""Names under which a browser on this machine may ask for us while we listen to this machine only."""


class AccessMode(StrEnum):
    """Whom the server believes."""

    LOCAL = "local"
    """Whoever reaches it without showing anything is at the machine itself and may do everything."""
    ENFORCED = "enforced"
    """Whoever shows nothing is nobody."""


class ApiSettings(StrictModel):
    """Where the database is, and how much one request may cost it."""

    dsn: Annotated[str, Field(min_length=1, repr=False)]
    pool_size: Annotated[int, Field(ge=1, le=64)] = 8
    """Connections at most; each busy request holds one."""
    statement_timeout_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    """A query that takes longer is ended by the database."""
    max_rows: Annotated[int, Field(ge=10, le=1_000_000)] = 50_000
    """Rows in one answer; a wider question is refused with advice on how to narrow it."""
    retry_after_s: Annotated[int, Field(ge=1, le=3600)] = 5
    """What a client is told to wait while the database is away."""
    workday_file: Path | None = None
    """Holidays that the built-in calendar does not have; None: the built-in calendar alone."""
    load_request_rules_file: Path | None = None
    """Rows of stages and limits before the built-in ones; None: those alone."""
    attachments_folder: Path | None = None
    """Where documents of load requests are kept; None: none are taken."""
    attachment_most_bytes: Annotated[int, Field(ge=1024, le=2**30)] = 20 * 2**20
    """Size of a document. [B]"""
    webhook_secrets: Path | None = None
    """Folder of the secrets that sign what webhooks are sent, a file each; None: nothing can be signed."""
    webhooks_may_be_private: bool = False
    """Whether webhooks may lead to private addresses."""
    seal_key_file: Path | None = None
    """Key that seals what is submitted, a file that this account alone reads; None: nothing can be submitted here."""
    console_key: Annotated[bytes | None, Field(min_length=32, repr=False)] = None
    """Signs cookies and forms of the pages; None: one made for this run."""
    grafana_url: Annotated[str | None, Field(pattern=r"^https?://[^\s@]+[^\s@/]$")] = None
    """Where people open Grafana, for the start page to link and to ask for its health; None: not told."""
    host_names: tuple[str, ...] | None = LOOPBACK_NAMES
    """Names a request's Host may carry; None: any. Guards a loopback server against DNS rebinding."""
    access: AccessMode = AccessMode.LOCAL
    """Local only where no other machine can reach the server, which the command sees to."""
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 1200
    """Of one principal, or of one address where nobody is named."""
    failures_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 30
    """Of one address: proofs that do not hold."""
    session_idle_minutes: Annotated[int, Field(ge=1, le=44_640)] = 480
    """A session that was left alone for longer is over."""
    session_longest_hours: Annotated[int, Field(ge=1, le=744)] = 24
    """A session is over then, however much it is used."""
    token_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    """How long an access token lasts that a program exchanged its secret for."""
    oidc_file: Path | None = None
    """Identity providers that people log in with; None: one-time links alone."""
    public_url: Annotated[str | None, Field(pattern=r"^https?://[^\s/@?#]+$")] = None
    """Where browsers reach this server; None: wherever they say they did."""

    @model_validator(mode="after")
    def _reachable_is_enforced(self) -> "ApiSettings":
        if self.host_names is None and self.access is not AccessMode.ENFORCED:
            raise ValueError("access: a server that answers to any host name needs access = 'enforced'")
        return self


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address; a name other than ``localhost`` counts as reachable."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
