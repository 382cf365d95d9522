"""What the API is told when it starts: addresses and limits, never rights (those come with access control).

The command line and the environment are read by `commands`, not here.
"""

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import Field
from smartpark.tomlfile import StrictModel

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
"""Names under which a browser on this machine may ask for us while we listen to this machine only."""


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
    console_key: Annotated[bytes | None, Field(min_length=32, repr=False)] = None
    """Signs cookies and forms of the pages; None: one made for this run."""
    grafana_url: Annotated[str | None, Field(pattern=r"^https?://[^\s@]+[^\s@/]$")] = None
    """Where people open Grafana, for the start page to link and to ask for its health; None: not told."""
    host_names: tuple[str, ...] | None = LOOPBACK_NAMES
    """Names a request's Host may carry; None: any. Guards a loopback server against DNS rebinding."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address; a name other than ``localhost`` counts as reachable."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
