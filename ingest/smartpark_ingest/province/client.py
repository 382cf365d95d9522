"""What is asked of one source over HTTP, and what its answers mean: taken, try again, start over, or refused.

An answer counts only when it is whole: its bytes are compared with the digest that came with them, so a body that a
bad link cut or changed is asked for again and never stored. Redirects are not followed: a key goes to the address it
was given for. No waiting happens here.
"""

import base64
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx
from smartpark.errors import RetryableError, SmartparkError

from smartpark_ingest.province.sources import Source, SourceError

ARROW: Final = "application/vnd.apache.arrow.stream"
JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
_CONNECT_S: Final = 10.0
_BUSY: Final = frozenset({408, 425, 429})
_START_OVER: Final = frozenset({409, 410})
_TOKEN_MARGIN_S: Final = 30.0
_MOST_WORDS: Final = 500
_MOST_BYTES: Final = 512 * 2**20
"""Of an answer: many times what the longest page has; a source that sends without end fills no memory. [B]"""
_CODINGS: Final = frozenset({"", "identity", "gzip"})
"""A body in several codings, one within the other, may be larger by thousands each time."""


class SourceAwayError(RetryableError):
    """The source cannot be reached, is busy, or its answer did not arrive whole."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        """How long the other side asked us to wait; None: it did not say."""


class SourceRefusedError(SmartparkError):
    """The source refuses what we ask, and will go on to; a person has to look."""


class StartOverError(SmartparkError):
    """The source does not go on from our cursor: pulling starts at the beginning, which stores nothing twice."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, checked against its digest."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise SourceAwayError("the answer is not JSON; is something between us and the source?") from None


class SourceClient:
    """Asks one source; used by one thread."""

    def __init__(self, source: Source) -> None:
        self._source = source
        verify: ssl.SSLContext | bool = True
        if source.ca_file is not None:
            verify = ssl.create_default_context(cafile=str(source.ca_file))
        timeout = httpx.Timeout(source.timeout_s, connect=min(_CONNECT_S, source.timeout_s))
        self._http = httpx.Client(
            base_url=source.url.rstrip("/"),
            headers={"Accept-Encoding": "gzip"},
            timeout=timeout,
            verify=verify,
            follow_redirects=False,
            trust_env=False,
        )
        self._token = ""
        self._token_until_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, parameters: Mapping[str, Any] | None = None, *, accept: str, etag: str = "") -> Answer:
        """Answer to a GET below ``/api/v1``; 304 comes back as such.

        Raises
        ------
        SourceAwayError
            When trying again may help.
        StartOverError
            When the cursor is of another history, or of other rights.
        SourceRefusedError
            When a person has to look: the key, its rights, the parameters.
        """
        headers = {"Accept": accept} | ({"If-None-Match": etag} if etag else {}) | self._authority()
        given = {name: value for name, value in (parameters or {}).items() if value not in (None, "", ())}
        answer = self._exchange("GET", f"/api/v1/{path}", headers, params=given)
        if answer.status == HTTPStatus.UNAUTHORIZED and self._token:
            self._token_until_s = 0.0  # it may have been revoked, or the other side restored: another one, once
            answer = self._exchange("GET", f"/api/v1/{path}", headers | self._authority(), params=given)
        self._judge(answer, path)
        return answer

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], **more: Any) -> Answer:
        try:
            with self._http.stream(method, path, headers=dict(headers), **more) as answer:
                body = self._whole(answer, path)
        except httpx.InvalidURL as error:
            raise SourceError(f"{self._source.url}: {error}") from error
        except httpx.HTTPError as error:
            # Addresses hold no secrets; headers, which do, are not part of these messages.
            raise SourceAwayError(f"{self._source.name}: {type(error).__name__}: {error}") from error
        # The body has been decompressed by now: its digest is that of the text before compression.
        given = answer.headers.get("Unencoded-Digest") or (
            "" if "Content-Encoding" in answer.headers else answer.headers.get("Repr-Digest", "")
        )
        _check_digest(self._source.name, given, body)
        return Answer(answer.status_code, answer.headers, body)

    def _whole(self, answer: httpx.Response, path: str) -> bytes:
        """The body, as long as it is no longer than any we asked for."""
        coding = answer.headers.get("Content-Encoding", "").strip().lower()
        if coding not in _CODINGS:
            raise SourceRefusedError(f"{self._source.name}: {path} is coded as {coding[:60]!r}, asked for was gzip")
        body = bytearray()
        for part in answer.iter_bytes():
            body += part
            if len(body) > _MOST_BYTES:
                raise SourceRefusedError(
                    f"{self._source.name}: {path} is longer than {_MOST_BYTES >> 20} MiB; ask for less with page_rows"
                )
        return bytes(body)

    def _judge(self, answer: Answer, path: str) -> None:
        status = answer.status
        if status in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}:
            return
        said = f"{self._source.name}: {path} → {status}: {_words_of(answer)}"
        if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise SourceAwayError(said, retry_after_s=_retry_after_s(answer))
        if status in _START_OVER:
            raise StartOverError(said)
        if status == HTTPStatus.UNAUTHORIZED:
            said += "; see to its key (key_file, or client_id with client_secret_file)"
        raise SourceRefusedError(said)

    def _authority(self) -> dict[str, str]:
        source = self._source
        if source.key_file is not None:
            return {"Authorization": f"Bearer {_read_secret(source.key_file)}"}
        if source.client_id is None:
            return {}
        if time.monotonic() >= self._token_until_s:
            self._take_token(source.client_id)
        return {"Authorization": f"Bearer {self._token}"}

    def _take_token(self, client_id: str) -> None:
        secret = _read_secret(self._source.client_secret_file or Path())
        basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        answer = self._exchange(
            "POST",
            "/oauth/token",
            {"Authorization": f"Basic {basic}", "Accept": JSON},
            data={"grant_type": "client_credentials"},
        )
        self._judge(answer, "oauth/token")
        given = answer.json()
        try:
            self._token, lasts_s = str(given["access_token"]), float(given.get("expires_in", 300))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise SourceRefusedError(f"{self._source.name}: what /oauth/token gave is no access token") from None
        self._token_until_s = time.monotonic() + max(lasts_s - _TOKEN_MARGIN_S, 1.0)


def _read_secret(path: Path) -> str:
    """Text of a secret's file, read for each use so that a rotated one is taken without a restart."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read: {error}") from error
    if not text or not text.isascii() or any(letter.isspace() for letter in text):
        raise SourceError(f"{path} holds no key: one line without blanks is expected")
    return text


def _check_digest(source: str, header: str, body: bytes) -> None:
    """Compare a body with the digest that came with it (RFC 9530), where there is one of a kind we know."""
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "sha-256":
            own = base64.b64encode(hashlib.sha256(body).digest()).decode()
            if not hmac.compare_digest(value.strip(":"), own):
                raise SourceAwayError(f"{source}: an answer of {len(body)} bytes does not match its digest")


def _retry_after_s(answer: Answer) -> float | None:
    """Seconds of ``Retry-After``; None where there are none, or it is a date, which a wrong clock would garble."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _words_of(answer: Answer) -> str:
    """What the other side said was wrong: of a problem its detail, of anything else its beginning."""
    try:
        given: Any = json.loads(answer.body)
        words = str(given["detail"])
    except (ValueError, KeyError, TypeError, RecursionError):
        words = answer.body[:_MOST_WORDS].decode("utf-8", "replace")
    return " ".join(words.split())[:_MOST_WORDS]
