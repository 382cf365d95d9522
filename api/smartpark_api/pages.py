"""Rendering pages: templates, the visitor's language and appearance, and the words and numbers they need.

Templates escape everything; there is no inline script or style, so that the content security policy can be strict.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Final, TypeVar
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from smartpark.access import Role, Scope
from smartpark.indicators import INDICATORS
from starlette.datastructures import URL
from starlette.responses import HTMLResponse, RedirectResponse, Response

from smartpark_api import display, view
from smartpark_api.access.principal import principal_of
from smartpark_api.alerts.words import said as alert_word
from smartpark_api.assets import asset_url
from smartpark_api.console.actor import actor_of
from smartpark_api.console.flash import Flash, flashes_of, forget_flashes
from smartpark_api.console.forms import form_token, remember_form_cookie
from smartpark_api.console.told import LISTS, named, said, time_left
from smartpark_api.problems import Problem, ProblemKind
from smartpark_api.settings import AccessMode
from smartpark_api.words import Language, Words, words_of

Choice = TypeVar("Choice", bound=StrEnum)

_REMEMBERED_S: Final = int(timedelta(days=365).total_seconds())


class Theme(StrEnum):
    """How the page looks; `auto` follows the visitor's system."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"
    CONTRAST = "contrast"
    """High contrast."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """What a browser asked for or has been told to remember."""

    language: Language
    theme: Theme


def visitor_of(request: Request) -> Visitor:
    """Language and appearance: as the address says, else as remembered, else Chinese and the system's."""
    return Visitor(
        _choice(request, "lang", Language, Language.ZH),
        _choice(request, "theme", Theme, Theme.AUTO),
    )


def _choice(request: Request, name: str, kind: type[Choice], default: Choice) -> Choice:
    for given in (request.query_params.get(name), request.cookies.get(name)):
        if given in set(kind):
            return kind(given)
    return default


_SHARED: Final[dict[str, Any]] = {
    "display": display,
    "view": view,
    "asset": asset_url,
    "themes": list(Theme),
    "indicators": INDICATORS,
    "lists": LISTS,
    "said": said,
    "named": named,
    "time_left": time_left,
    "alert_word": alert_word,
}
"""What every template may use."""


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("smartpark_api"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class _Page:
    """What a template may ask about the page it makes; a part of a page that does not ask leaves no trace."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._has_form = False
        self._has_shown = False
        self.actor = actor_of(request)
        """Who is here; none: they have not said."""
        self.now: datetime = request.app.state.clock()
        self.principal = principal_of(request)
        self.name = words_of(visitor_of(request).language).either(
            self.principal.display, self.principal.display_en or self.principal.display
        )
        """Of whoever is logged in."""
        self.roles = sorted({grant.role for grant in self.principal.grants}, key=list(Role).index, reverse=True)
        """What whoever looks is in any park, the widest first."""
        self.is_local = request.app.state.settings.access is AccessMode.LOCAL
        self.is_for_reading = not self.may("requests:write")
        """Whether whoever looks may not write about load requests anywhere."""

    def may(self, scope: str, park: str | None = None) -> bool:
        """Whether whoever looks may do something in a park; without one: in any."""
        if park is None:
            return self.principal.allows(Scope(scope))
        return self.principal.may(Scope(scope), park)

    def here(self, **changes: str) -> str:
        """The address of this page with some of its query changed; an empty value takes a name out."""
        query = [(name, value) for name, value in self._request.query_params.multi_items() if name not in changes]
        query += [(name, value) for name, value in changes.items() if value]
        return self._request.url.path + (f"?{urlencode(query)}" if query else "")

    def csrf(self) -> str:
        """Token for a form of this page."""
        self._has_form = True
        return form_token(self._request)

    def flashes(self) -> list[Flash]:
        """Messages to show, once."""
        self._has_shown = True
        return flashes_of(self._request)

    def remember(self, response: Response) -> None:
        """Set and take back the cookies that belong to what was asked."""
        if self._has_form:
            remember_form_cookie(self._request, response)
        if self._has_shown:
            forget_flashes(self._request, response)


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """A page in the visitor's language; a choice made in the address is remembered in a cookie."""
    visitor = visitor_of(request)
    words: Words = words_of(visitor.language)
    page = _Page(request)
    html = (
        _environment()
        .get_template(template, globals=_SHARED)
        .render(t=words, words=words, visitor=visitor, path=request.url.path, page=page, **values)
    )
    response = HTMLResponse(html, status, {"Cache-Control": "no-store", **(headers or {})})
    page.remember(response)
    for name, value in (("lang", visitor.language.value), ("theme", visitor.theme.value)):
        if request.query_params.get(name) == value:
            response.set_cookie(name, value, max_age=_REMEMBERED_S, samesite="lax", httponly=True)
    return response


def problem_page(request: Request, problem: Problem, *, headers: Mapping[str, str] | None = None) -> Response:
    """A problem for people: in their language, with what to do, and trying again by itself where that may help."""
    slug = problem.type.rpartition(":")[2]
    if slug == ProblemKind.NOT_MIGRATED.slug:
        return render(
            request, "first_run.html", status=problem.status, headers=headers, database="", is_migrated=False
        )
    if slug == ProblemKind.NOT_LOGGED_IN.slug:
        return _to_login(request, problem.status)
    if slug == ProblemKind.NOT_GRANTED.slug and principal_of(request).person is not None:
        return render(request, "console/no_rights.html", status=problem.status, headers=headers)
    known = words_of(visitor_of(request).language).entries
    return render(
        request,
        "problem.html",
        status=problem.status,
        headers=headers,
        problem=problem,
        words_key=f"problem.{slug}" if f"problem.{slug}" in known else "problem.other",
        is_retrying=problem.status == ProblemKind.DATABASE_AWAY.status,
    )


def _to_login(request: Request, status: int) -> Response:
    """Send a person to the log-in, and afterwards back to where they were going."""
    if request.headers.get("hx-request") == "true":
        # A part of a page: the whole page has to go there.
        back = urlsplit(request.headers.get("hx-current-url", "")).path
        return Response(status_code=status, headers={"HX-Redirect": f"/login?{urlencode({'back': back})}"})
    # A form cannot be sent again by going there, so it is back to the page that had it.
    asked = request.url if request.method in ("GET", "HEAD") else URL(request.headers.get("referer", ""))
    back = asked.path + (f"?{asked.query}" if asked.query else "")
    address = "/login" + (f"?{urlencode({'back': back})}" if back not in {"", "/"} else "")
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})
