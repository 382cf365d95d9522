"""The ways in of this installation: its identity providers, and where browsers reach us."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from fastapi import FastAPI, Request
from smartpark.errors import SmartparkError

from smartpark_api.access.login.provider import Provider
from smartpark_api.access.login.settings import URL_VARIABLE, OidcSettings, load_oidc
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.settings import ApiSettings

CALLBACK: Final = "/login/oidc/{name}"


class Logins:
    """What the pages of logging in ask."""

    def __init__(self, oidc: OidcSettings | None, public_url: str | None, *, clock: Callable[[], datetime]) -> None:
        self._root = public_url
        self.providers: Mapping[str, Provider] = {
            one.name: Provider(one, clock=clock) for one in (() if oidc is None else oidc.issuer)
        }

    def provider(self, name: str) -> Provider:
        """The identity provider of a name in our settings."""
        found = self.providers.get(name)
        if found is None:
            raise ProblemError(ProblemKind.NOT_FOUND, f"this server knows no identity provider {name[:60]!r}")
        return found

    def of_issuer(self, issuer: str | None) -> Provider | None:
        """The one that a session came from, when it is still one of ours."""
        return next((one for one in self.providers.values() if one.settings.issuer == issuer), None)

    def root(self, request: Request) -> str:
        """Where browsers reach us: as the settings say, else as this one did."""
        return self._root or str(request.base_url).rstrip("/")

    def callback(self, request: Request, name: str) -> str:
        """Address that a provider sends people back to."""
        return self.root(request) + CALLBACK.format(name=name)

    def is_secure(self, request: Request) -> bool:
        """Whether browsers speak https to us, if only as far as to a proxy."""
        return self.root(request).startswith("https:")


def install_logins(app: FastAPI, settings: ApiSettings, clock: Callable[[], datetime]) -> None:
    """Put the ways in where requests find them.

    Raises
    ------
    SmartparkError
        When the file of identity providers is wrong, or nobody says where browsers reach this server: a provider
        would send people wherever a request claims to have been sent.
    """
    oidc = None if settings.oidc_file is None else load_oidc(settings.oidc_file)
    if oidc is not None and settings.public_url is None and settings.host_names is None:
        raise SmartparkError(f"{settings.oidc_file}: {URL_VARIABLE} has to say where browsers reach this server")
    app.state.logins = Logins(oidc, settings.public_url, clock=clock)


def logins_of(request: Request) -> Logins:
    """Those of the server that answers."""
    logins: Logins = request.app.state.logins
    return logins
