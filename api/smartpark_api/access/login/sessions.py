"""Sessions of people: a random cookie that scripts and other sites cannot use, and a row in the database.

A session begins with a new cookie at each log-in, whatever cookie came along, and the one that came along ends. It is
over when it was left alone for too long, at its end, at log-out, when an administrator ends it, or when its person is
not active any more; the database says so at the next request, wherever that arrives.
"""

from datetime import datetime, timedelta
from typing import Final

from fastapi import Request
from smartpark.access import Principal
from smartpark_storage.access import (
    LoginMethod,
    Session,
    begin_session,
    digest_of,
    end_session,
    end_sessions_of,
    find_session,
)
from smartpark_storage.connections import Connection
from starlette.responses import Response

from smartpark_api.access.audit import audited, write_line
from smartpark_api.access.limits import RateLimits
from smartpark_api.access.login.logins import logins_of
from smartpark_api.access.login.provider import Account
from smartpark_api.access.principal import COOKIES
from smartpark_api.console.actor import forget_actor
from smartpark_api.database import looking_up, noting
from smartpark_api.settings import ApiSettings

_SEE_OTHER: Final = 303


def let_in(
    request: Request,
    connection: Connection,
    person: str,
    method: LoginMethod,
    *,
    proof: str,
    account: Account | None = None,
) -> str:
    """Begin a session in the caller's transaction, with its line in the audit log; gives the text of the cookie."""
    now: datetime = request.app.state.clock()
    settings: ApiSettings = request.app.state.settings
    shown = shown_session(request)
    if shown is not None:
        end_session(connection, shown, by=f"person:{person}", at=now)
    ends = now + timedelta(hours=settings.session_longest_hours)
    token = begin_session(
        connection, person, method, at=now, expires_at=ends, issuer=account.issuer if account else None
    )
    request.state.principal = Principal(f"person:{person}", proof=proof)
    audited(request, action="login", object=person, detail={"account": account.subject} if account else None)
    write_line(request, connection, _SEE_OTHER)
    return token


def give_cookie(request: Request, response: Response, token: str) -> None:
    """Let the browser keep the session until it is closed, or the session over."""
    is_secure = logins_of(request).is_secure(request)
    limits: RateLimits = request.app.state.limits
    limits.proved(digest_of(token))
    response.set_cookie(_name(is_secure=is_secure), token, httponly=True, samesite="lax", secure=is_secure)
    forget_actor(response)


def let_out(request: Request, *, everywhere: bool) -> Session | None:
    """End the session of a request, or all of its person; the session, when there was one."""
    shown = shown_session(request)
    if shown is None:
        return None
    now: datetime = request.app.state.clock()
    settings: ApiSettings = request.app.state.settings
    with looking_up(request) as connection:
        session = find_session(connection, shown, now=now, idle=timedelta(minutes=settings.session_idle_minutes))
    if session is None:
        return None
    by = f"person:{session.person}"
    with noting(request) as connection:
        ended = end_sessions_of(connection, session.person, by=by, at=now) if everywhere else 1
        end_session(connection, shown, by=by, at=now)
        audited(request, action="logout", object=session.person, detail={"sessions": ended})
        write_line(request, connection, _SEE_OTHER)
    return session


def take_cookies(response: Response) -> None:
    """Take back what names somebody."""
    response.delete_cookie(COOKIES[0], httponly=True, samesite="lax", secure=True)
    response.delete_cookie(COOKIES[1], httponly=True, samesite="lax")
    forget_actor(response)


def shown_session(request: Request) -> str | None:
    """Text of the session's cookie, whether it holds or not."""
    return request.cookies.get(_name(is_secure=logins_of(request).is_secure(request)))


def named_session(request: Request) -> str:
    """By which people speak of the session of a request; empty when there is none."""
    shown = shown_session(request)
    return "" if shown is None else digest_of(shown).hex()[:12]


def _name(*, is_secure: bool) -> str:
    """Browsers take the first only over https, for this host alone, and from nobody else."""
    return COOKIES[0] if is_secure else COOKIES[1]
