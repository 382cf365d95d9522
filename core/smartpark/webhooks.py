"""Webhooks: which addresses may be told, how what is sent is signed, and one delivery over HTTP.

Whoever registers an address makes this server open connections, so it may not lead inwards: https only, and to public
addresses only, unless it is this very machine or the installation allows private ones. The name is looked up once
per delivery and that very address is connected to, so that a name cannot point elsewhere a moment later. Redirects
are not followed. The secret is read from a file by its name and is never told, logged or sent.
"""

import contextlib
import hmac
import http.client
import ipaddress
import json
import re
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from smartpark.errors import SmartparkError

SIGNATURE: Final = "Smartpark-Signature"
IDEMPOTENCY: Final = "Idempotency-Key"
"""Header by which a receiver tells what it was told before."""
TIMEOUT_S: Final = 10.0
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_LEAST_SECRET: Final = 16
_MOST_ANSWER: Final = 2000


class WebhookRefusedError(SmartparkError):
    """The address or the secret is not one that may be used."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a delivery came to."""

    status: int | None
    """What the other side answered; none: it could not be asked."""
    detail: str

    @property
    def is_taken(self) -> bool:
        """Whether the other side took it."""
        return self.status is not None and 200 <= self.status < 300


def checked_url(url: str, *, may_be_private: bool = False) -> SplitResult:
    """Parts of an address that may be told, as far as it says so itself; the name is looked up at each delivery."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise WebhookRefusedError("that is not an address; write https://host/path") from None
    if not parts.hostname or port == 0:
        raise WebhookRefusedError("that is not an address; write https://host/path")
    if parts.username is not None or parts.password is not None:
        raise WebhookRefusedError("an address carries no password; what is sent is signed instead")
    if not url.isascii():
        raise WebhookRefusedError("an address is written as it is sent: a name as xn--…, other signs as %E8…")
    if any(not 0 < len(label) < 64 for label in parts.hostname.removesuffix(".").split(".")):
        raise WebhookRefusedError("that is not an address; write https://host/path")
    if parts.fragment or any(sign <= " " or sign == "\x7f" for sign in url):
        raise WebhookRefusedError("an address has neither blanks nor a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback_name(parts.hostname)):
        raise WebhookRefusedError("events leave over https only; http is for this very machine")
    literal = _literal(parts.hostname)
    if literal is not None:
        _check_address(literal, is_loopback_meant=literal.is_loopback, may_be_private=may_be_private)
    return parts


def is_loopback_name(host: str) -> bool:
    """Whether an address names this very machine."""
    literal = _literal(host)
    return host == "localhost" or (literal is not None and literal.is_loopback)


def read_secret(folder: Path | None, name: str) -> bytes:
    """Secret of a name; it lies in a file of the folder of secrets."""
    if folder is None:
        raise WebhookRefusedError("no folder of secrets is configured, so nothing can be signed")
    if _NAME.fullmatch(name) is None:
        raise WebhookRefusedError(f"{name!r} is not the name of a secret")
    try:
        secret = (folder / name).read_bytes().strip()
    except OSError as error:
        raise WebhookRefusedError(f"there is no secret {name!r} that can be read: {error.strerror}") from None
    if len(secret) < _LEAST_SECRET:
        raise WebhookRefusedError(f"the secret {name!r} is shorter than {_LEAST_SECRET} bytes")
    return secret


def signature(secret: bytes, body: bytes, at_s: int) -> str:
    """Value of the header that proves who sent it and when: HMAC-SHA-256 of the time, a dot and the body.

    Examples
    --------
    >>> signature(b"0123456789abcdef", b"{}", 1)
    't=1,v1=2af693cb56b22c16912222aeefdc75a01de562bf70ee2015f41ecea48382997f'
    """
    return f"t={at_s},v1={hmac.digest(secret, f'{at_s}.'.encode() + body, 'sha256').hex()}"


def deliver(
    url: str,
    document: Mapping[str, Any],
    secret: bytes,
    *,
    at_s: int,
    key: str | None = None,
    may_be_private: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> Delivered:
    """Send a document once, signed; what goes wrong is told, and only an address that may not be told is an error.

    A receiver tells by `key` what it was told before.
    """
    body = encoded(document)
    headers = {SIGNATURE: signature(secret, body, at_s)} | ({} if key is None else {IDEMPOTENCY: key})
    answer = post(url, body, headers, may_be_private=may_be_private, timeout_s=timeout_s)
    return Delivered(answer.status, answer.detail)


def encoded(document: Any) -> bytes:
    """JSON as it is sent."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; without a status, why nothing did."""

    status: int | None
    detail: str
    body: bytes = b""


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str] | None = None,
    *,
    may_be_private: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> Answer:
    """Send JSON once to an address that may be told; what goes wrong is told, without the address.

    Other than a socket's own limit, `timeout_s` is for all of it: a receiver that dribbles holds nobody up.
    """
    parts = checked_url(url, may_be_private=may_be_private)
    sent = {
        "Content-Type": "application/json",
        "User-Agent": "smartpark",
        "Host": parts.netloc,
    } | dict(headers or {})
    is_late = threading.Event()
    try:
        connection = _Pinned(parts, _address(parts, may_be_private=may_be_private), timeout_s)
        watch = threading.Timer(timeout_s, _cut, (connection, is_late))
        watch.daemon = True
        watch.start()
        try:
            connection.request("POST", parts.path + (f"?{parts.query}" if parts.query else "") or "/", body, sent)
            answer = connection.getresponse()
            return Answer(answer.status, f"answered {answer.status} {answer.reason}", _begin_of(answer))
        finally:
            watch.cancel()
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        said = (
            f"took longer than {timeout_s:g} s"
            if is_late.is_set()
            else getattr(error, "strerror", None) or error or type(error).__name__
        )
        return Answer(None, f"could not be delivered: {said}")


def _begin_of(answer: http.client.HTTPResponse) -> bytes:
    """It has answered; what follows may be lost, and must not make this look like no answer."""
    try:
        return answer.read(_MOST_ANSWER)
    except (OSError, http.client.HTTPException):
        return b""


def _cut(connection: http.client.HTTPConnection, is_late: threading.Event) -> None:
    is_late.set()
    # Closing alone does not wake a thread that reads; it may be over already.
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


class _Pinned(http.client.HTTPConnection):
    """Connection to one address that was looked up and checked, whatever the name may point to now."""

    def __init__(self, parts: SplitResult, address: str, timeout_s: float) -> None:
        is_secure = parts.scheme == "https"
        super().__init__(parts.hostname or "", parts.port or (443 if is_secure else 80), timeout=timeout_s)
        self._address = address
        self._context = ssl.create_default_context() if is_secure else None

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = plain if self._context is None else self._context.wrap_socket(plain, server_hostname=self.host)


def _address(parts: SplitResult, *, may_be_private: bool) -> str:
    host = parts.hostname or ""
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)]
    return allowed_address(host, found, may_be_private=may_be_private)


def allowed_address(host: str, found: Sequence[str], *, may_be_private: bool = False) -> str:
    """First of the addresses that a name has; `WebhookRefusedError` when any of them leads inwards.

    Examples
    --------
    >>> allowed_address("example.org", ["93.184.215.14"])
    '93.184.215.14'
    """
    for one in found:
        literal = ipaddress.ip_address(one.partition("%")[0])
        _check_address(literal, is_loopback_meant=is_loopback_name(host), may_be_private=may_be_private)
    return found[0]


def _check_address(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, *, is_loopback_meant: bool, may_be_private: bool
) -> None:
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped else address
    if inner.is_loopback and is_loopback_meant:
        return
    # Link-local has the machines' own services behind it (metadata of a cloud), and is never meant.
    never = (
        inner.is_loopback or inner.is_link_local or inner.is_multicast or inner.is_unspecified or inner.is_reserved
    )
    if never or not (inner.is_global or may_be_private):
        raise WebhookRefusedError(
            "the address leads to a private network; where that is meant, the installation has to allow it"
        )


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
