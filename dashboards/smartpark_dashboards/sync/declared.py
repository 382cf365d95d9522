"""What a Grafana server should have, as one TOML file says it. No secret stands in it: they lie elsewhere."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator
from smartpark.errors import SmartparkError
from smartpark.tomlfile import StrictModel

from smartpark_dashboards.words import Language

Role = Literal["None", "Viewer", "Editor", "Admin"]
May = Literal["view", "edit", "admin"]
Name = Annotated[str, Field(min_length=1, max_length=190)]
Uid = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,40}$")]

ROUND = ("park-overview", "park-power", "park-environment", "park-alerts")
"""What a screen on the wall shows in turn, where the file says nothing else."""


class SecretError(SmartparkError):
    """A password that the file points to is not there."""


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(
            f"{url!r} is no address of a Grafana; write https://grafana.park.example or http://127.0.0.1:3000"
        )
    if parts.username or parts.password:
        raise ValueError("credentials do not belong in an address; use user and password_file or password_env")
    if parts.query or parts.fragment:
        raise ValueError(f"{url!r}: an address ends after the path")
    _ = parts.port  # raises ValueError itself when it is not a port
    return url.rstrip("/")


class _WithPassword(StrictModel):
    password_file: Path | None = None
    password_env: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "_WithPassword":
        if self.password_file is not None and self.password_env is not None:
            raise ValueError("give password_file or password_env, not both")
        return self

    def password(self, environment: Mapping[str, str] | None = None) -> str | None:
        """Read the password now; None where the file points to none."""
        if self.password_file is not None:
            try:
                found = self.password_file.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SecretError(f"password file {self.password_file} cannot be read: {error.strerror}") from error
            if not found:
                raise SecretError(f"password file {self.password_file} is empty")
            return found
        if self.password_env is not None:
            found = (os.environ if environment is None else environment).get(self.password_env, "")
            if not found:
                raise SecretError(f"environment variable {self.password_env} is not set; it should hold the password")
            return found
        return None


class Server(_WithPassword):
    """Where Grafana is, and its administrator: only one of the whole server may make organisations and people."""

    url: Annotated[str, AfterValidator(_address)]
    user: Name = "admin"
    ca_file: Path | None = None
    """Certificates that sign Grafana's; none: the system's."""
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 30.0

    @model_validator(mode="after")
    def _has_password(self) -> "Server":
        if self.password_file is None and self.password_env is None:
            raise ValueError("password_file or password_env says where the password of the user is")
        return self


class Person(_WithPassword):
    """Somebody with an account. The password is the first one: whoever exists keeps theirs."""

    login: Name
    name: str = ""
    email: str = ""
    disabled: bool = False


class Source(_WithPassword):
    """The park's database as the viewers of one organisation may ask it."""

    host: Name
    database: Name = "smartpark"
    role: Annotated[str, Field(pattern=r"^smartpark_grafana(_[a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?)?$")]
    """Database role that Grafana logs in as; row rules show it its parks."""
    tls: Literal["disable", "require", "verify-ca", "verify-full"] = "verify-full"
    tls_root_file: str = ""
    """Certificates that sign the database's, as Grafana sees the path."""
    timescale: bool = True
    postgres_version: Annotated[int, Field(ge=1200, le=9900)] = 1700
    connections: Annotated[int, Field(ge=1, le=100)] = 8

    @model_validator(mode="after")
    def _secret(self) -> "Source":
        if self.password_file is None and self.password_env is None:
            raise ValueError("password_file or password_env says where the password of the role is")
        return self


class Member(StrictModel):
    """Somebody of an organisation, by login."""

    login: Name
    role: Role = "Viewer"


class Team(StrictModel):
    """People of an organisation who are given rights together; the list is the whole list."""

    name: Name
    email: str = ""
    members: tuple[Name, ...] | None = None


class Permission(StrictModel):
    """What a team, a person or everybody with a role may do in a folder."""

    team: Name | None = None
    login: Name | None = None
    role: Literal["Viewer", "Editor"] | None = None
    may: May

    @model_validator(mode="after")
    def _for_one(self) -> "Permission":
        if sum(given is not None for given in (self.team, self.login, self.role)) != 1:
            raise ValueError("a permission is for one team, one login or one role")
        return self


class Folder(StrictModel):
    """A folder; without a title it must be there already, from files or by `dashboards`."""

    uid: Uid
    title: Name | None = None
    permission: tuple[Permission, ...] | None = None
    """The whole list; whoever administers the organisation may do everything in any case."""


class Account(StrictModel):
    """A service account, for programs and screens; its token is written once, readable by you alone."""

    name: Name
    role: Role = "Viewer"
    token_file: Path | None = None


class Playlist(StrictModel):
    """Dashboards in turn, for a screen on the wall."""

    uid: Uid = "smartpark-round"
    name: Name = "智慧园区轮播"
    interval: Annotated[str, Field(pattern=r"^[1-9][0-9]*[smh]$")] = "1m"
    dashboards: Annotated[tuple[Uid, ...], Field(min_length=1)] = ROUND


class Organisation(StrictModel):
    """One park or group of parks: in open-source Grafana every viewer may ask every data source there."""

    name: Name
    home: Uid | None = None
    time_zone: str | None = None
    language: str | None = None
    week_start: Literal["", "saturday", "sunday", "monday"] | None = None
    theme: Literal["", "light", "dark"] | None = None
    dashboards: tuple[Language, ...] = ()
    """Sets to write, where no files provision them."""
    data_source: Source | None = None
    member: tuple[Member, ...] = ()
    team: tuple[Team, ...] = ()
    folder: tuple[Folder, ...] = ()
    service_account: tuple[Account, ...] = ()
    playlist: tuple[Playlist, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "Organisation":
        logins, teams = {member.login for member in self.member}, {team.name for team in self.team}
        _once("member", [member.login for member in self.member])
        _once("team", [team.name for team in self.team])
        _once("folder", [folder.uid for folder in self.folder])
        _once("service_account", [account.name for account in self.service_account])
        _once("playlist", [playlist.uid for playlist in self.playlist])
        for team in self.team:
            for login in team.members or ():
                if login not in logins:
                    raise ValueError(f"team {team.name}: {login} is no member of the organisation")
        for permission in (p for folder in self.folder for p in folder.permission or ()):
            if permission.team is not None and permission.team not in teams:
                raise ValueError(
                    f"a permission names the team {permission.team}, which the organisation does not have"
                )
            if permission.login is not None and permission.login not in logins:
                raise ValueError(f"a permission names {permission.login}, who is no member of the organisation")
        return self


class Declared(StrictModel):
    """The whole file."""

    grafana: Server
    user: tuple[Person, ...] = ()
    organisation: Annotated[tuple[Organisation, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> "Declared":
        _once("organisation", [organisation.name for organisation in self.organisation])
        _once("user", [person.login for person in self.user])
        if any(person.login == self.grafana.user for person in self.user):
            raise ValueError(f"{self.grafana.user} is who writes all this, and is not changed by it")
        nowhere = [p.login for p in self.user if not p.disabled and not any(self.organisations_of(p.login))]
        if nowhere:
            # Grafana would put them into its first organisation, which may show every park.
            raise ValueError(f"user: {', '.join(nowhere)} is a member of no organisation")
        files = [
            str(account.token_file) for o in self.organisation for account in o.service_account if account.token_file
        ]
        _once("token_file", files)
        return self

    def organisations_of(self, login: str) -> Iterator[Organisation]:
        """Where somebody is a member."""
        return (o for o in self.organisation if any(member.login == login for member in o.member))


def _once(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{what}: {', '.join(twice)} stands there twice")
