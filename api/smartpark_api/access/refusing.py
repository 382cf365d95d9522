"""How those are refused who are nobody, may not, or ask too often: the words, the status, the headers."""

from typing import Final

from fastapi import Request
from smartpark.access import Principal, Scope

from smartpark_api.access.audit import remote_of
from smartpark_api.access.limits import RateLimits, Standing
from smartpark_api.access.principal import refusal_of
from smartpark_api.problems import ProblemError, ProblemKind

_SAY_WHO: Final = (
    "say who you are: log in at /login, or send the header Authorization: Bearer with an API key or an access token"
)


def not_logged_in(request: Request) -> ProblemError:
    """What nobody is told; or that their address has been told too often."""
    refusal = refusal_of(request)
    # Who opens a page before logging in is not trying anything; a whole office may share one address.
    if not refusal and "text/html" not in request.headers.get("accept", ""):
        limits: RateLimits = request.app.state.limits
        standing = limits.failed(remote_of(request))
        if standing.is_over:
            return too_many(standing, "requests without a proof from your address")
    challenge = 'Bearer realm="smartpark"' + (', error="invalid_token"' if refusal else "")
    return ProblemError(ProblemKind.NOT_LOGGED_IN, refusal or _SAY_WHO, headers={"WWW-Authenticate": challenge})


def not_granted(principal: Principal, scope: Scope) -> ProblemError:
    """What is told to whoever has a scope nowhere."""
    challenge = f'Bearer realm="smartpark", error="insufficient_scope", scope="{scope}"'
    return ProblemError(
        ProblemKind.NOT_GRANTED,
        f"{principal.name} does not have the scope {scope} in any park",
        headers={"WWW-Authenticate": challenge},
    )


def not_everywhere(principal: Principal, scope: Scope) -> ProblemError:
    """What is told to whoever has a scope in some parks, where it takes all."""
    return ProblemError(
        ProblemKind.NOT_GRANTED,
        f"this is about the whole installation: it takes {scope} in all parks, and {principal.name} has it in some",
    )


def unknown_park(principal: Principal, scope: Scope, code: str) -> ProblemError:
    """What is heard about a park that is not theirs: exactly what is heard when there is none of that code."""
    known = ", ".join(sorted(principal.parks_for(scope) or ())) or "none yet"
    return ProblemError(ProblemKind.PARK_NOT_FOUND, f"there is no park {code!r}; known: {known}")


def too_many(standing: Standing, what: str) -> ProblemError:
    """Told to whoever asks too often."""
    return ProblemError(
        ProblemKind.TOO_MANY_REQUESTS,
        f"more than {standing.quota} {what} within a minute; come back in {max(1, standing.resets_in_s)} s",
        headers=standing.headers,
    )
