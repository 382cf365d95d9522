"""A living Grafana, asked over HTTP with nothing but the standard library. It is only read."""

import base64
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

from smartpark.errors import SmartparkError

from smartpark_dashboards.asking import NUMBER, OTHER, TEXT, TIME, Answer, Asked
from smartpark_dashboards.panels import DATASOURCE
from smartpark_dashboards.words import Json

_KINDS = {"number": NUMBER, "string": TEXT, "time": TIME, "boolean": NUMBER}


class NotAnsweredError(SmartparkError):
    """Grafana cannot be reached, or says no."""

    def __init__(self, message: str, status: int | None = None, body: Any = None) -> None:
        super().__init__(message)
        self.status, self.body = status, body


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user with a password, or a token."""

    user: str = ""
    secret: str = ""

    def header(self) -> str:
        """Value of the header ``Authorization``."""
        if not self.user:
            return f"Bearer {self.secret}"
        return "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()


class _StayHere(HTTPRedirectHandler):
    def redirect_request(  # noqa: PLR0917  # urllib's own signature
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        del req, fp, msg, headers
        raise NotAnsweredError(f"leads elsewhere ({code}, {newurl}): write the address where Grafana really is", code)


class Grafana:
    """One organisation of a server."""

    def __init__(
        self, url: str, credentials: Credentials, *, ca_file: Path | None = None, timeout_s: float = 60.0
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise NotAnsweredError(f"{url!r} is no address; write http://127.0.0.1:3000 or https://...")
        self.url, self._timeout_s = url.rstrip("/"), timeout_s
        self._headers = {
            "Authorization": credentials.header(),
            "Accept": "application/json",
            "User-Agent": "smartpark",
        }
        context = ssl.create_default_context(cafile=ca_file)
        # No proxy of the environment: a password goes along.
        self._opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context), _StayHere())

    def enter(self, organisation: str) -> None:
        """Ask within this organisation from now on."""
        found = self.get(f"/api/orgs/name/{quote(organisation, safe='')}")
        self._headers["X-Grafana-Org-Id"] = str(found["id"])

    def get(self, path: str) -> Any:
        """What stands at an address."""
        return self._send(Request(self.url + path, headers=self._headers))  # noqa: S310  # scheme is checked above

    def post(self, path: str, content: Json) -> Any:
        """Answer to a document."""
        headers = {**self._headers, "Content-Type": "application/json"}
        data = json.dumps(content).encode()
        return self._send(Request(self.url + path, data=data, headers=headers))  # noqa: S310  # scheme is checked above

    def _send(self, request: Request) -> Any:
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                return json.loads(response.read())
        except HTTPError as error:
            with error:
                body = _document(error.read())
            said = body.get("message") if isinstance(body, Mapping) else None  # pyright: ignore[reportUnknownVariableType]
            raise NotAnsweredError(f"HTTP {error.code}{f': {said}' if said else ''}", error.code, body) from error
        except URLError as error:
            raise NotAnsweredError(f"cannot be reached: {error.reason}") from error
        except ValueError as error:
            raise NotAnsweredError("answers something that is no JSON: is this Grafana?") from error
        except OSError as error:
            raise NotAnsweredError(f"cannot be reached: {error}") from error

    def ask(self, asked: Asked) -> Answer:
        """Answer of the data source to one query, the way a panel gets it."""
        query = {
            "refId": asked.letter, "datasource": DATASOURCE, "rawSql": asked.sql, "rawQuery": True,
            "format": "time_series" if asked.form == "time_series" else "table",
            "intervalMs": int(asked.interval.total_seconds() * 1000), "maxDataPoints": 1000,
        }  # fmt: skip
        span = {"from": _milliseconds(asked.start), "to": _milliseconds(asked.end)}
        try:
            results = self.post("/api/ds/query", {"queries": [query], **span})["results"]
        except NotAnsweredError as error:
            results = error.body.get("results") if isinstance(error.body, Mapping) else None
            if not results:
                raise
        result = results.get(asked.letter, {})
        if result.get("error"):
            raise NotAnsweredError(str(result["error"]), result.get("status"))
        return answer_of(result.get("frames") or [])


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _milliseconds(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))


def answer_of(frames: list[Json]) -> Answer:
    """Columns and rows of data frames; of several, such as one for each series, the longest speaks for all."""
    if not frames:
        return Answer([], [])
    frame = max(frames, key=lambda one: len((one.get("data", {}).get("values") or [[]])[0]))
    fields = frame.get("schema", {}).get("fields") or []
    columns = [(str(field["name"]), _KINDS.get(field.get("type", ""), OTHER)) for field in fields]
    values = frame.get("data", {}).get("values") or []
    return Answer(columns, list(zip(*values, strict=True)))
