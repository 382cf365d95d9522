"""Identity providers as an installation trusts them: one TOML file, refused whole when anything in it is wrong.

Secrets stay in files of their own. Nothing here speaks to a provider.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator
from smartpark.errors import InvalidFileError, Problem, SmartparkError
from smartpark.tomlfile import StrictModel, load_model

from smartpark_api.settings import is_loopback

FILE_VARIABLE: Final = "SMARTPARK_OIDC_FILE"
URL_VARIABLE: Final = "SMARTPARK_PUBLIC_URL"


def _checked_address(value: str) -> str:
    """Plain http carries secrets for all to read, so it is for this machine alone."""
    parts = urlsplit(value)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError("an address of the kind https://host/path is needed")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("without an account, a query or a fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("https is needed; plain http only for this machine itself")
    return value


Address = Annotated[str, AfterValidator(_checked_address)]


class IssuerSettings(StrictModel):
    """One identity provider."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")]
    """In our addresses: the provider is told ``PUBLIC/login/oidc/NAME`` as the place to send people back to."""
    title: Annotated[str, Field(min_length=1, max_length=60)]
    title_en: Annotated[str, Field(max_length=60)] = ""
    issuer: Address
    """As the provider writes itself in its discovery document, to the letter."""
    client_id: Annotated[str, Field(min_length=1, max_length=200)]
    client_secret_file: Path | None = None
    """None: a public client, which PKCE alone protects."""
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    first_login: Literal["bound", "verified_email"] = "bound"
    """Whom somebody is who was never here: nobody until bound by an administrator; or the one active person who has
    the e-mail address that the provider has verified."""
    make_people_of: tuple[str, ...] = ()
    """Domains of verified e-mail addresses whose owners become people here, without any rights; empty: none."""
    api_audience: str = ""
    """For whom a program's access token has to be given out to count here; empty: none of this provider counts."""
    programs: Annotated[dict[str, str], Field(default_factory=dict[str, str])]
    """Name of a program here by the client id that the provider gave it."""
    ends_session_there: bool = True
    """Whether logging out here offers to log out there too, where the provider can."""

    @model_validator(mode="after")
    def _openid_is_asked_for(self) -> "IssuerSettings":
        if "openid" not in self.scopes:
            raise ValueError("scopes: 'openid' has to be among them")
        if bool(self.programs) != bool(self.api_audience):
            raise ValueError("api_audience and programs: both or neither")
        if self.api_audience == self.client_id:
            raise ValueError("api_audience: another one than client_id, or people's ID tokens would pass for it")
        if self.make_people_of and self.first_login != "verified_email":
            raise ValueError('make_people_of: needs first_login = "verified_email"')
        return self

    def secret(self) -> str | None:
        """The client's secret, read when it is needed so that a new one counts at once."""
        if self.client_secret_file is None:
            return None
        try:
            secret = self.client_secret_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SmartparkError(f"{self.client_secret_file}: the secret of {self.name} cannot be read") from error
        if not secret:
            raise SmartparkError(f"{self.client_secret_file}: the secret of {self.name} is empty")
        return secret


class OidcSettings(StrictModel):
    """All that people may log in with, beside one-time links."""

    issuer: Annotated[tuple[IssuerSettings, ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _each_is_one(self) -> "OidcSettings":
        names, issuers = [one.name for one in self.issuer], [one.issuer for one in self.issuer]
        if len(set(names)) < len(names) or len(set(issuers)) < len(issuers):
            raise ValueError("issuer: each name and each issuer only once")
        return self


def load_oidc(path: Path) -> OidcSettings:
    """Settings of a file, secrets tried once, so that what is wrong stops the start and not a visitor.

    Raises
    ------
    InvalidFileError
        With every problem and its key.
    """
    settings = load_model(path, OidcSettings)
    problems: list[Problem] = []
    for one in settings.issuer:
        try:
            one.secret()
        except SmartparkError as error:
            problems.append(Problem(str(path), f"issuer[{one.name}].client_secret_file", str(error)))
    if problems:
        raise InvalidFileError(problems)
    return settings


def login_from_environment(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Settings of the server that the environment says about logging in, the file checked once.

    Raises
    ------
    SmartparkError
        When the file or the address is wrong.
    """
    file, url = environment.get(FILE_VARIABLE), environment.get(URL_VARIABLE)
    if file:
        load_oidc(Path(file))
    try:
        root = None if not url else TypeAdapter(Address).validate_python(url).rstrip("/")
    except ValidationError as error:
        raise SmartparkError(f"{URL_VARIABLE}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    if root is not None and urlsplit(root).path:
        raise SmartparkError(f"{URL_VARIABLE}: the root of a host; a path below it is not supported")
    return {"oidc_file": Path(file) if file else None, "public_url": root}
