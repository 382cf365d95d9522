"""The way to a Grafana server, through grafana-client, and what its refusals mean in words.

Only addresses by uid are asked for, numbers only of people, teams and accounts, which have no other name there. No
redirect is followed (a password would go along), and nobody else is asked whether a certificate was revoked: behind
the walls of a park that would only cost the time until it fails.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote, urlsplit

import niquests
from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException, GrafanaServerError, GrafanaTimeoutError
from smartpark.errors import SmartparkError

from smartpark_dashboards.sync.declared import Server

OLDEST: Final = 12
"""First major version whose JSON and uid addresses are the ones used here."""
_MEANING: Final = {
    400: "Grafana does not take it as it is",
    401: "user or password is not accepted",
    403: "this user may not do that; organisations and people need the administrator of the whole server",
    404: "it is not there, or this Grafana has no such address",
    409: "another one of that name or uid is there, or somebody changed it at the same time; run again",
    412: "somebody changed it at the same time, or another one has its name; run again",
}


class GrafanaRefusedError(SmartparkError):
    """Grafana cannot be asked, or says no; the message says about what, and what that means."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def quoted(name: str) -> str:
    """A name as part of an address; grafana-client writes most of them in as they are."""
    return quote(name, safe="")


@contextmanager
def told(what: str) -> Generator[None]:
    """Say what was wanted when Grafana says no."""
    try:
        yield
    except GrafanaTimeoutError as error:
        raise GrafanaRefusedError(f"{what}: Grafana does not answer in time") from error
    except GrafanaClientError as error:
        meaning = _MEANING.get(error.status_code, "Grafana says no")
        raise GrafanaRefusedError(
            f"{what}: HTTP {error.status_code}: {meaning}{_said(error)}", error.status_code
        ) from error
    except GrafanaServerError as error:
        raise GrafanaRefusedError(
            f"{what}: HTTP {error.status_code}: Grafana itself failed; its log says why{_said(error)}",
            error.status_code,
        ) from error
    except niquests.exceptions.TooManyRedirects as error:
        raise GrafanaRefusedError(f"{what}: it leads elsewhere; write the address where Grafana really is") from error
    except niquests.exceptions.SSLError as error:
        raise GrafanaRefusedError(
            f"{what}: the certificate is not trusted (ca_file names who signs it): {error}"
        ) from error
    except niquests.exceptions.RequestException as error:
        raise GrafanaRefusedError(f"{what}: cannot be reached: {error}") from error
    except (GrafanaException, TypeError, ValueError, AttributeError, KeyError) as error:
        # grafana-client looks into answers as if they always were what it expects.
        raise GrafanaRefusedError(f"{what}: that is not an answer of Grafana: {error}") from error


def _said(error: GrafanaException) -> str:
    response = error.response
    message = response.get("message") if isinstance(response, dict) else None
    return f" ({message})" if message else ""


def or_none(ask: Callable[[], Any]) -> Any:
    """What was asked for, or None where it is not there."""
    try:
        return ask()
    except GrafanaClientError as error:
        if error.status_code == 404:
            return None
        raise


class Link:
    """A server, and in it one organisation, as its administrator."""

    def __init__(self, server: Server, password: str, organisation: int | None = None) -> None:
        self._server, self._password = server, password
        self.organisation = organisation
        parts = urlsplit(server.url)
        trusted: Any = str(server.ca_file) if server.ca_file else True  # typed as a mere bool there
        # Its answers are whatever JSON the server sends.
        self.api: Any = GrafanaApi(
            (server.user, password),
            host=f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or "",
            port=parts.port,
            url_path_prefix=f"{parts.path.strip('/')}/" if parts.path.strip("/") else "",
            protocol=parts.scheme,
            verify=trusted,
            timeout=server.timeout_s,
            user_agent="smartpark",
            organization_id=organisation,
        )
        headers = dict(self.api.client.s.headers)
        self.api.client.s.close()
        session = niquests.Session(revocation_configuration=None)
        session.max_redirects = 0
        session.trust_env = False
        session.headers.update(headers)
        self.api.client.s = session

    @property
    def user(self) -> str:
        """Who asks."""
        return self._server.user

    def within(self, organisation: int) -> "Link":
        """The same within one organisation."""
        return Link(self._server, self._password, organisation)

    def call(self, method: str, path: str, **content: Any) -> Any:
        """Address below ``/api`` for which grafana-client has no method, or one that does not fit."""
        return getattr(self.api.client, method)(path, **content)

    def apps(self, method: str, path: str, **content: Any) -> Any:
        """Address below ``/apis``, where Grafana keeps what it has moved, playlists among it."""
        here = self.api.client.url
        self.api.client.url = f"{here.removesuffix('/api')}/apis"
        try:
            return self.call(method, path, **content)
        finally:
            self.api.client.url = here

    def close(self) -> None:
        """Let the connections go."""
        self.api.client.s.close()


def version_of(link: Link) -> str:
    """Version of the server; refuses what is no Grafana, is not well, or is too old."""
    with told(f"Grafana at {link.api.client.url.removesuffix('/api')}"):
        health = link.call("GET", "/health")
        if not isinstance(health, dict) or "database" not in health:
            raise ValueError("/api/health says nothing of a database")
        if health["database"] != "ok":
            raise GrafanaRefusedError(f"Grafana is not well: its own database is {health['database']!r}")
        version = str(health.get("version") or link.api.health.check()["version"])
    major = version.partition(".")[0]
    if not major.isdigit() or int(major) < OLDEST:
        raise GrafanaRefusedError(f"this is Grafana {version}; {OLDEST} or newer is needed")
    return version
