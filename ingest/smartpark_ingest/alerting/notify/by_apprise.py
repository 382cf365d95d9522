"""Everything else that Apprise reaches: only the services let in, nothing that runs or reads on this machine.

Apprise says whether a message was taken and little else, names no message, and writes tokens into its log: so the log
is shut, what it says of an attempt is told without the address, and a message may come twice when a process dies
between sending and noting it (ADR 0016).
"""

import logging
import re
import socket
import threading
import warnings
from collections.abc import Iterable
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from smartpark.webhooks import WebhookRefusedError, allowed_address, is_loopback_name

from smartpark_ingest.alerting.notify.message import Address, Message, NotTakenError

SCHEMES: Final = frozenset(
    {
        *("bark", "barks", "discord", "gotify", "gotifys", "json", "jsons", "matrix", "matrixs", "mmost", "mmosts"),
        *("mqtt", "mqtts", "ntfy", "ntfys", "pover", "pushplus", "rocket", "rockets", "schan", "slack", "tgram"),
        *("threema", "wecom", "workflows", "wxpusher", "zulip"),
    }
)
"""What is let in unless the installation says otherwise; none of them runs anything or reads a file here."""
NEVER: Final = frozenset(
    {
        *(
            "apprise",
            "apprises",
            "blink1",
            "dbus",
            "deltachat",
            "deltachats",
            "file",
            "gio",
            "glib",
            "gnome",
            "growl",
        ),
        *("http", "https", "kde", "macosx", "mailto", "mailtos", "qt", "rsyslog", "syslog", "windows"),
    }
)
"""What an installation cannot let in: it acts on this machine, hands over to another Apprise, or is ours (mail)."""
_REFUSED: Final = frozenset({"redirect", "verify", "template", "tmpl", "config", "include", "pgp", "pgpkey"})
"""Options that would follow redirects, trust any certificate, or read a file."""
_LOCAL_SERVERS: Final = frozenset(
    {
        *("bark", "barks", "gotify", "gotifys", "json", "jsons", "matrix", "matrixs", "mmost", "mmosts", "mqtt"),
        *("mqtts", "ntfy", "ntfys", "rocket", "rockets"),
    }
)
"""Services whose server somebody chose: its address is looked at as that of a webhook."""
TIMEOUT_S: Final = 20.0
_lock = threading.Lock()


def send_by_apprise(
    message: Message, address: Address, *, schemes: Iterable[str] = SCHEMES, may_be_private: bool = False
) -> None:
    """Hand a message over; `NotTakenError` says what little is known, without the address."""
    check_address(address, schemes, may_be_private=may_be_private)
    said = _notify(message, address, frozenset(schemes) - NEVER)
    if said is not None:
        raise NotTakenError(address.hidden_in(said or "the service did not take the message")[:400])


def check_address(address: Address, schemes: Iterable[str], *, may_be_private: bool = False) -> None:
    """Look at an address before Apprise does; `NotTakenError` says why it may not be used, without the address."""
    scheme = address.target.partition("://")[0].lower()
    if scheme not in frozenset(schemes) - NEVER:
        known = re.fullmatch(r"[a-z0-9]{1,12}", scheme)
        told = f"{scheme}:// is not among the services let in" if known else "its file holds no Apprise address"
        raise NotTakenError(f"{told} (SMARTPARK_ALERT_APPRISE)")
    try:
        parts = urlsplit(address.target)
        options = {name.lower().lstrip("+-:") for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        host, port = parts.hostname or "", parts.port or 0
    except ValueError:
        raise NotTakenError("its file holds no address that can be read") from None
    refused = sorted(options & _REFUSED)
    if refused:
        raise NotTakenError(f"its address may not have the option {refused[0]}")
    if scheme in _LOCAL_SERVERS and host:
        _check_host(host, port, may_be_private=may_be_private)


def _check_host(host: str, port: int, *, may_be_private: bool) -> None:
    """As with webhooks, but the name is looked up once more by Apprise itself (see ADR 0016)."""
    try:
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, port or None, type=socket.SOCK_STREAM)]
        allowed_address(host, found, may_be_private=may_be_private or is_loopback_name(host))
    except OSError as error:
        raise NotTakenError(f"the service's name cannot be looked up: {error.strerror}") from None
    except WebhookRefusedError as error:
        raise NotTakenError(str(error)) from None


def _notify(message: Message, address: Address, allowed: frozenset[str]) -> str | None:
    """What Apprise says about an attempt that failed; none: the service took the message."""
    # Apprise with its plugins takes most of a second to load, and few installations use it.
    from apprise import Apprise  # noqa: PLC0415

    one = Apprise(asset=_asset(allowed))
    if not one.add(address.target):
        return "Apprise cannot read the address"
    result = one.notify(body=message.words.text, title=message.words.subject, body_format="text")
    if result:
        return None
    return " ".join(entry.message for service in result.results for entry in service.logs())


@cache
def _asset(allowed: frozenset[str]) -> Any:
    """How Apprise behaves: no redirects, nothing kept on disk, nothing loaded from elsewhere, only what is let in."""
    from apprise import AppriseAsset, PersistentStoreMode  # noqa: PLC0415  as above
    from apprise.manager_plugins import NotificationManager  # noqa: PLC0415  as above

    log = logging.getLogger("apprise")
    log.propagate = False  # it names tokens
    log.addHandler(logging.NullHandler())
    with _lock, warnings.catch_warnings():
        # All plugins are loaded, also those not let in, and some stand on what Python is about to drop.
        warnings.simplefilter("ignore", DeprecationWarning)
        NotificationManager().enable_only(*allowed)
    return AppriseAsset(
        app_id="smartpark",
        app_desc="smartpark",
        async_mode=False,
        http_redirects=False,
        secure_logging=True,
        interpret_escapes=False,
        pgp_autogen=False,
        pem_autogen=False,
        service_timeout=TIMEOUT_S,
        storage_mode=PersistentStoreMode.MEMORY,
    )
