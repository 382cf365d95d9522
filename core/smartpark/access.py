"""Who may do what: roles, the scopes that each brings, and what that lets a principal see and do in a park.

Pure rules: nothing here knows a database, a request or a clock but the moment it is given. That a secret is the right
one, or a person logged in, is proved elsewhere; here it only counts who it was.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What somebody is in a park."""

    OPERATOR = "operator"
    """Runs the park: sees all of it, enters figures, seals what is submitted."""
    UTILITY_MANAGER = "utility_manager"
    """Follows the park's load requests for the power utility."""
    PROVINCE = "province"
    """Pulls aggregates; sees no meter, no enterprise's figures behind them, no request."""
    ADMINISTRATOR = "administrator"
    """Decides who has access, and may do all else."""


class Scope(StrEnum):
    """One kind of thing that can be done; what each route and each command asks for."""

    PARKS_READ = "parks:read"
    """That a park exists, what it is called and where it is."""
    READINGS_READ = "readings:read"
    """Points, readings, power, load, bills and forecasts."""
    INDICATORS_READ = "indicators:read"
    """Published numbers with what is behind them."""
    FIGURES_READ = "figures:read"
    FIGURES_WRITE = "figures:write"
    AGGREGATES_READ = "aggregates:read"
    """What a province pulls: published numbers with their revisions, and submissions."""
    SUBMISSIONS_SEAL = "submissions:seal"
    REQUESTS_READ = "requests:read"
    REQUESTS_WRITE = "requests:write"
    PEOPLE_READ = "people:read"
    PEOPLE_WRITE = "people:write"
    OPERATIONS_READ = "operations:read"
    """Edge agents, dead letters."""
    ALERTS_READ = "alerts:read"
    """Alerts with their evidence, and what people were told of them; rules, silences."""
    ALERTS_WRITE = "alerts:write"
    """Deal with alerts: take note, resolve, silence."""
    ALERT_RULES_WRITE = "alert-rules:write"
    """Say what is to be watched, and what is too much."""
    PLATFORM_ALERTS_WRITE = "platform-alerts:write"
    """Tell what is wrong with the platform itself: for Grafana."""
    ACCESS_MANAGE = "access:manage"
    """Clients, keys, grants, sessions, log-in links."""
    AUDIT_READ = "audit:read"


class Domain(StrEnum):
    """Groups of tables whose rows the database shows a role, whatever a handler asks."""

    AGGREGATES = "aggregates"
    """Parks, sub-parks and enterprises by name; published numbers; submissions."""
    OPERATION = "operation"
    """Points, readings, devices, contracts, figures, edges."""
    REQUESTS = "requests"
    """Load requests with their events, documents and links."""
    ACCESS = "access"
    """Who has access: clients, grants, secrets, identities, sessions; and the audit log."""


ROLE_SCOPES: Final[dict[Role, frozenset[Scope]]] = {
    Role.OPERATOR: frozenset(
        {
            Scope.PARKS_READ,
            Scope.READINGS_READ,
            Scope.INDICATORS_READ,
            Scope.FIGURES_READ,
            Scope.FIGURES_WRITE,
            Scope.AGGREGATES_READ,
            Scope.SUBMISSIONS_SEAL,
            Scope.REQUESTS_READ,
            Scope.PEOPLE_READ,
            Scope.OPERATIONS_READ,
            Scope.ALERTS_READ,
            Scope.ALERTS_WRITE,
            Scope.ALERT_RULES_WRITE,
            Scope.PLATFORM_ALERTS_WRITE,
        }
    ),
    Role.UTILITY_MANAGER: frozenset(
        {
            Scope.PARKS_READ,
            Scope.READINGS_READ,
            Scope.INDICATORS_READ,
            Scope.REQUESTS_READ,
            Scope.REQUESTS_WRITE,
            Scope.PEOPLE_READ,
        }
    ),
    Role.PROVINCE: frozenset({Scope.PARKS_READ, Scope.AGGREGATES_READ}),
    Role.ADMINISTRATOR: frozenset(Scope),
}

ROLE_DOMAINS: Final[dict[Role, frozenset[Domain]]] = {
    Role.OPERATOR: frozenset({Domain.AGGREGATES, Domain.OPERATION, Domain.REQUESTS}),
    Role.UTILITY_MANAGER: frozenset({Domain.AGGREGATES, Domain.OPERATION, Domain.REQUESTS}),
    Role.PROVINCE: frozenset({Domain.AGGREGATES}),
    Role.ADMINISTRATOR: frozenset(Domain),
}
"""The database holds the same table (`smartpark.role_domain`), and a test holds the two together."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in one park, or in all parks."""

    role: Role
    park: str | None
    """None: every park there is and will be."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and what they were granted at that moment.

    Examples
    --------
    >>> puller = Principal("client:province", (Grant(Role.PROVINCE, "minhou"),), proof="key:ab12cd34ef56")
    >>> puller.may(Scope.AGGREGATES_READ, "minhou"), puller.may(Scope.AGGREGATES_READ, "jinjiang")
    (True, False)
    >>> sorted(puller.parks_for(Scope.AGGREGATES_READ) or ())
    ['minhou']
    """

    name: str
    """``person:CODE``, ``client:NAME``, ``local`` or ``nobody``; what the database and the audit log are told."""
    grants: tuple[Grant, ...] = ()
    scopes: frozenset[Scope] | None = None
    """What the secret that was shown allows at most; None: all that the roles do."""
    proof: str = ""
    """What proved it, for the audit log: ``key:ID``, ``token:ID``, ``session``, ``local``; never the secret."""
    display: str = field(default="", compare=False)
    """Name to show people."""
    display_en: str = field(default="", compare=False)
    """The same for pages in English; empty: there is no other."""

    @property
    def person(self) -> str | None:
        """Code of the person, where it is one."""
        kind, _, code = self.name.partition(":")
        return code if kind == "person" else None

    @property
    def client(self) -> str | None:
        """Name of the program, where it is one."""
        kind, _, code = self.name.partition(":")
        return code if kind == "client" else None

    def allows(self, scope: Scope) -> bool:
        """Whether it may do this anywhere at all."""
        return self._is_shown(scope) and any(scope in ROLE_SCOPES[grant.role] for grant in self.grants)

    def may(self, scope: Scope, park: str | None) -> bool:
        """Whether it may do this in a park; with None: in all of them."""
        return self._is_shown(scope) and any(
            scope in ROLE_SCOPES[grant.role] and grant.park in {None, park} for grant in self.grants
        )

    def parks_for(self, scope: Scope) -> frozenset[str] | None:
        """Parks in which it may do this; None: in all of them."""
        held = (
            [grant.park for grant in self.grants if scope in ROLE_SCOPES[grant.role]] if self._is_shown(scope) else []
        )
        return None if None in held else frozenset(park for park in held if park is not None)

    def _is_shown(self, scope: Scope) -> bool:
        return self.scopes is None or scope in self.scopes


LOCAL: Final = Principal("local", (Grant(Role.ADMINISTRATOR, None),), proof="local", display="local")
"""Whoever is at the machine itself: with the database's address, or at a server that only the machine reaches."""
NOBODY: Final = Principal("nobody", proof="none")


def unknown_scopes(names: Iterable[str]) -> list[str]:
    """Those that are no scopes, in the order given.

    Examples
    --------
    >>> unknown_scopes(["parks:read", "park:read"])
    ['park:read']
    """
    known = {scope.value for scope in Scope}
    return [name for name in names if name not in known]
