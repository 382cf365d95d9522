"""Which person of ours an account at an identity provider is.

A bound account is who it is bound to. An account seen for the first time may become, where its provider is trusted
for that, the one active person with the e-mail address that the provider has verified, and stays bound to them: from
then on the address does not matter, and nobody who gets it later becomes them. Rights are never made here.
"""

import re
from datetime import datetime
from typing import Final

from smartpark_storage.access import AccessConflictError, bind_identity, person_of_identity, read_identities
from smartpark_storage.connections import Connection
from smartpark_storage.load_requests import Person, put_person, read_persons

from smartpark_api.access.login.errors import LoginError, Trouble
from smartpark_api.access.login.provider import Account
from smartpark_api.access.login.settings import IssuerSettings

_NOT_IN_CODES: Final = re.compile(r"[^a-z0-9._-]+")


def person_of(connection: Connection, account: Account, settings: IssuerSettings, *, now: datetime) -> str:
    """Code of the person; binds the account at its first log-in where the settings allow that.

    Raises
    ------
    LoginError
        When it is nobody here, somebody who left, or not clear who.
    """
    bound = person_of_identity(connection, account.issuer, account.subject)
    if bound is not None:
        return bound
    identities = [one for one in read_identities(connection) if one.issuer == account.issuer]
    if any(one.subject == account.subject for one in identities):
        raise LoginError(
            Trouble.INACTIVE, f"account {account.subject} of {settings.name} is bound to who is inactive"
        )
    found = _by_email(connection, account, settings)
    if any(one.person == found.code for one in identities):
        raise LoginError(Trouble.AMBIGUOUS, f"{found.code} has another account at {settings.name}", **_told(account))
    try:
        bind_identity(connection, account.issuer, account.subject, found.code, at=now)
    except AccessConflictError as error:
        raise LoginError(Trouble.STALE, f"account {account.subject} was bound by another log-in just now") from error
    return found.code


def _by_email(connection: Connection, account: Account, settings: IssuerSettings) -> Person:
    if settings.first_login != "verified_email" or not account.email:
        raise LoginError(
            Trouble.UNKNOWN, f"account {account.subject} of {settings.name} is not bound", **_told(account)
        )
    wanted = _comparable(account.email)
    same = [person for person in read_persons(connection) if _comparable(person.email) == wanted]
    active = [person for person in same if person.is_active]
    if len(active) == 1:
        return active[0]
    if active:
        raise LoginError(Trouble.AMBIGUOUS, f"several people have the e-mail of {account.subject}", **_told(account))
    if same:
        raise LoginError(Trouble.INACTIVE, f"{same[0].code} is not active")
    if wanted.rpartition("@")[2] in map(_comparable, settings.make_people_of):
        return _made(connection, account)
    raise LoginError(Trouble.UNKNOWN, f"nobody has the e-mail of {account.subject}", **_told(account))


def _comparable(email: str) -> str:
    """Without capitals, where that cannot turn one letter into another."""
    return email.lower() if email.isascii() else email


def _made(connection: Connection, account: Account) -> Person:
    """A new person, without rights."""
    code = _NOT_IN_CODES.sub("-", account.email.partition("@")[0].casefold()).strip("-.")[:50] or "person"
    taken = {person.code for person in read_persons(connection)} | {"applicant", "system", "local", "nobody"}
    if code in taken:
        code = next(one for one in (f"{code}-{n}" for n in range(2, len(taken) + 3)) if one not in taken)
    person = Person(code, account.name or account.email, account.name or "", account.email)
    put_person(connection, person)
    return person


def _told(account: Account) -> dict[str, str]:
    """What an administrator needs to bind the account."""
    return {"issuer": account.issuer, "subject": account.subject}
