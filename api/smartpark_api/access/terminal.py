"""What the verbs of `smartpark access` do, and how it is told; they print nothing themselves.

Each change and its line in the audit log are one transaction. A secret that goes into a file is written before the
transaction ends: where it cannot be written, it was never made.
"""

import argparse
import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from smartpark.access import Grant, Role
from smartpark.clock import PARK_ZONE, utc_now
from smartpark_storage.access import (
    GrantRow,
    NewSecret,
    SecretKind,
    SecretRow,
    add_client,
    add_grant,
    admit_secret,
    disable_client,
    enable_client,
    end_session_by_id,
    end_sessions_of,
    make_login_link,
    make_secret,
    read_client,
    read_clients,
    read_grants,
    read_secrets,
    read_sessions,
    revoke_secret,
    rotate_secret,
)
from smartpark_storage.access import end_grant as end_kept_grant
from smartpark_storage.connections import Connection

from smartpark_api.access.models import client_out, grant_out, is_over, key_out, session_out
from smartpark_api.access.telling import (
    WHO,
    AccessAskedError,
    Told,
    Write,
    day_of,
    instant_of,
    new_file,
    note,
    working,
)

_FEW: Final = 5
_ONCE: Final = "it is shown this once and kept as a digest; nobody can look it up"


def client_add(arguments: argparse.Namespace) -> Told:
    """Make a program known."""
    name: str = arguments.client
    with working() as connection:
        add_client(connection, name, title=arguments.title, contact=arguments.contact, by=WHO, at=utc_now())
        note(connection, "access client add", name, title=arguments.title)
        made = read_client(connection, name)
    return Told(
        [f"{name}: {arguments.title}; it may do nothing until it is granted something and has a key"],
        None if made is None else client_out(made).model_dump(mode="json"),
    )


def client_list(arguments: argparse.Namespace) -> Told:
    """Programs by name."""
    del arguments
    now = utc_now()
    with working() as connection:
        clients, grants = read_clients(connection), read_grants(connection, at=now)
    return Told(
        [
            f"{one.client}: {one.title}; {_held(row for row in grants if row.client == one.client)}"
            + (f"; shut out since {day_of(one.disabled_at)}" if one.disabled_at else "")
            for one in clients
        ]
        or ["no program has access"],
        [client_out(one).model_dump(mode="json") for one in clients],
    )


def _held(grants: Iterable[GrantRow]) -> str:
    """Roles, each with its parks, or with how many they are."""
    parks: dict[str, list[str]] = {}
    for grant in grants:
        parks.setdefault(grant.role, []).append(grant.park or "all parks")
    told = [
        f"{role} in {', '.join(held) if len(held) <= _FEW else f'{len(held)} parks'}" for role, held in parks.items()
    ]
    return ", ".join(told) or "nothing granted"


def client_disable(arguments: argparse.Namespace) -> Told:
    """Shut a program out."""
    with working() as connection:
        disable_client(connection, arguments.client, at=utc_now())
        note(connection, "access client disable", arguments.client)
    return Told([f"{arguments.client} is shut out"], {"client": arguments.client, "is_disabled": True})


def client_enable(arguments: argparse.Namespace) -> Told:
    """Let a program in again."""
    with working() as connection:
        enable_client(connection, arguments.client)
        note(connection, "access client enable", arguments.client)
    return Told([f"{arguments.client} is let in again"], {"client": arguments.client, "is_disabled": False})


def key_make(arguments: argparse.Namespace) -> Told:
    """Make a key."""
    now = utc_now()
    with new_file(arguments.into) as write, working() as connection:
        made = make_secret(
            connection,
            arguments.client,
            SecretKind(arguments.kind),
            by=WHO,
            at=now,
            expires_at=now + timedelta(days=arguments.days),
            scopes=arguments.scope,
        )
        note(connection, "access key make", arguments.client, key=made.secret_id, scopes=sorted(arguments.scope))
        return _made(made, arguments.into, write)


def key_admit(arguments: argparse.Namespace) -> Told:
    """Let a program in by a key that was made beforehand."""
    now, name, text = utc_now(), str(arguments.client), _key_in(arguments.file)
    expires_at = now + timedelta(days=arguments.days)
    with working() as connection:
        if read_client(connection, name) is None:
            add_client(connection, name, title=arguments.title, contact="", by=WHO, at=now)
            add_grant(connection, f"client:{name}", Grant(Role(arguments.role), None), by=WHO, at=now)
            note(connection, "access client add", name, title=arguments.title, role=arguments.role)
        is_new = admit_secret(connection, name, text, by=WHO, at=now, expires_at=expires_at, scopes=arguments.scope)
        key = _key_id(text)
        if is_new:
            note(connection, "access key admit", name, key=key, scopes=sorted(arguments.scope))
    said = f"{name} is let in by {key} until {day_of(expires_at)}" if is_new else f"{name} is let in by {key} already"
    return Told([said], {"client": name, "key": key, "is_new": is_new})


def _key_in(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no text"
        raise AccessAskedError(f"{path} cannot be read: {said}") from None


def key_rotate(arguments: argparse.Namespace) -> Told:
    """Make a key in place of another."""
    now, old = utc_now(), _key_id(arguments.key)
    expires_at = None if arguments.days is None else now + timedelta(days=arguments.days)
    overlap = timedelta(days=arguments.overlap_days)
    with new_file(arguments.into) as write, working() as connection:
        made = rotate_secret(connection, old, by=WHO, at=now, overlap=overlap, expires_at=expires_at)
        note(connection, "access key rotate", old, key=made.secret_id, overlap_days=arguments.overlap_days)
        told = _made(made, arguments.into, write)
    return Told([*told.lines, f"{old} still opens until {day_of(now + overlap)}"], told.document | {"replaces": old})


def _key_id(text: str) -> str:
    """Whoever pastes the whole key means its id; it goes no further than here."""
    return text[4:16] if text.startswith(("spk_", "spc_")) else text


def _made(made: NewSecret, into: Path | None, write: Write) -> Told:
    """The secret goes to one place: the file, or standard output."""
    document = {"key": made.secret_id, "expires_at": made.expires_at.isoformat()}
    until = f"{made.secret_id} is good until {day_of(made.expires_at)}"
    if into is None:
        return Told([made.text, f"{until}; {_ONCE}"], document | {"secret": made.text})
    write(made.text)
    return Told([f"{until}; written into {into}"], document | {"file": str(into)})


def key_revoke(arguments: argparse.Namespace) -> Told:
    """End a key."""
    key = _key_id(arguments.key)
    with working() as connection:
        if not revoke_secret(connection, key, by=WHO, at=utc_now()):
            raise AccessAskedError(f"there is no key {key} that still opens anything")
        note(connection, "access key revoke", key)
    return Told([f"{key} opens nothing any more"], {"key": key})


def key_list(arguments: argparse.Namespace) -> Told:
    """What is known of keys."""
    now = utc_now()
    with working() as connection:
        keys = read_secrets(connection, client=arguments.client)
    return Told(
        [_key_line(key, now) for key in keys] or ["no keys"], [key_out(key).model_dump(mode="json") for key in keys]
    )


def _key_line(key: SecretRow, now: datetime) -> str:
    used = "never used" if key.last_used_at is None else f"last used {key.last_used_at:%Y-%m-%d %H}h UTC"
    if key.revoked_at is not None and key.revoked_at <= now:
        state = f"revoked {day_of(key.revoked_at)} by {key.revoked_by}"
    elif is_over(key, now):
        state = f"expired {day_of(key.expires_at)}"
    else:
        state = f"until {day_of(min(key.expires_at, key.revoked_at or key.expires_at))}"
    return f"{key.secret_id} {key.client} {key.kind}: {state}; {used}; {', '.join(key.scopes) or 'all of its roles'}"


def grant(arguments: argparse.Namespace) -> Told:
    """Give a role."""
    now = utc_now()
    role, park = Role(arguments.role), None if arguments.all_parks else arguments.park
    until = None if arguments.until is None else instant_of(arguments.until)
    with working() as connection:
        number = add_grant(connection, arguments.principal, Grant(role, park), by=WHO, at=now, until=until)
        note(connection, "access grant", arguments.principal, park=park, role=role.value, grant=number)
    where = "all parks" if park is None else park
    end = "" if until is None else f" until {day_of(until)}"
    return Told(
        [f"{arguments.principal} is {role} in {where}{end} (grant {number})"],
        {"grant": number, "principal": arguments.principal, "role": role.value, "park": park},
    )


def end_grant(arguments: argparse.Namespace) -> Told:
    """End a grant."""
    with working() as connection:
        if not end_kept_grant(connection, arguments.grant, by=WHO, at=utc_now()):
            raise AccessAskedError(
                f"there is no grant {arguments.grant} that still holds; see: smartpark access grants"
            )
        note(connection, "access end-grant", str(arguments.grant))
    return Told([f"grant {arguments.grant} is ended"], {"grant": arguments.grant})


def grants(arguments: argparse.Namespace) -> Told:
    """Who has which role where."""
    with working() as connection:
        rows = read_grants(
            connection,
            principal=arguments.principal,
            park=arguments.park,
            at=None if arguments.ended else utc_now(),
        )
    return Told(
        [
            f"{row.grant_id} {row.principal} {row.role} in {row.park or 'all parks'} from {day_of(row.valid_from)}"
            + ("" if row.valid_to is None else f" to {day_of(row.valid_to)}")
            + f", by {row.granted_by}"
            + (f", ended by {row.ended_by}" if row.ended_by else "")
            for row in rows
        ]
        or ["nobody was granted anything"],
        [grant_out(row).model_dump(mode="json") for row in rows],
    )


def login_link(arguments: argparse.Namespace) -> Told:
    """Make a way in that works once."""
    now = utc_now()
    ends = now + timedelta(hours=arguments.hours)
    root = str(arguments.url or os.environ.get("SMARTPARK_PUBLIC_URL") or "").rstrip("/")
    with new_file(arguments.into) as write, working() as connection:
        token = make_login_link(connection, arguments.person, by=WHO, at=now, expires_at=ends)
        note(connection, "access login-link", arguments.person, hours=arguments.hours)
        address = f"{root}/login/link/{token}"
        until = f"works once, until {ends.astimezone(PARK_ZONE):%Y-%m-%d %H:%M}"
        document = {"person": arguments.person, "expires_at": ends.isoformat()}
        if arguments.into is not None:
            write(address)
            return Told([f"{until}; written into {arguments.into}"], document | {"file": str(arguments.into)})
    return Told([address, until], document | {"link": address})


def sessions(arguments: argparse.Namespace) -> Told:
    """Who is logged in; and ending it."""
    now = utc_now()
    with working() as connection:
        ended = _ended(connection, arguments, now)
        rows = read_sessions(connection, person=arguments.person, at=now)
    lines = [
        f"{row.session_id} {row.person} ({row.name}) by {row.method} since {row.begun_at:%Y-%m-%d %H:%M} UTC,"
        f" seen {row.seen_at:%Y-%m-%d %H:%M}"
        for row in rows
    ]
    return Told(
        [*([f"{ended} ended"] if ended else []), *(lines or ["nobody is logged in"])],
        {"ended": ended, "sessions": [session_out(row).model_dump(mode="json") for row in rows]},
    )


def _ended(connection: Connection, arguments: argparse.Namespace, now: datetime) -> int:
    if arguments.end_all and arguments.person is None:
        raise AccessAskedError("--end-all: say of whom, with --person CODE")
    if arguments.end is not None and not end_session_by_id(connection, arguments.end, by=WHO, at=now):
        raise AccessAskedError(f"there is no session {arguments.end} that still holds")
    ended = end_sessions_of(connection, arguments.person, by=WHO, at=now) if arguments.end_all else 0
    ended += arguments.end is not None
    if ended:
        note(connection, "access sessions end", str(arguments.person or arguments.end), sessions=ended)
    return ended
