"""Forms that only our own pages can send: every write of a page passes here, whichever page it is.

Three things must hold. The browser does not say that another site sends it (Sec-Fetch-Site, Origin); the visitor's
form cookie is there, which no other site's request carries (SameSite=Strict); and the token in the form, or in the
header X-CSRF-Token that htmx sends, is the one that belongs to that cookie. A form says how long it is before it is
read, and is refused unread when that is longer than a document may be.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from smartpark_api.console.signing import Signer
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.settings import ApiSettings

COOKIE: Final = "form"
FIELD: Final = "csrf"
HEADER: Final = "x-csrf-token"
_PURPOSE: Final = "form"
_MOST_FIELDS: Final = 500
_MOST_FILES: Final = 10
_BESIDE_DOCUMENT: Final = 2**20
"""Room for the other fields of a form that carries a document. [B]"""


@dataclass(frozen=True, slots=True)
class Form:
    """What a page of ours sent."""

    data: FormData

    def text(self, name: str) -> str:
        """A field without the blanks around it; empty when it was not sent."""
        value = self.data.get(name)
        return value.strip().replace("\r\n", "\n") if isinstance(value, str) else ""

    def maybe(self, name: str) -> str | None:
        """The same; none for what was left empty."""
        return self.text(name) or None

    def texts(self, name: str) -> list[str]:
        """Every value of a field that may be chosen several times."""
        return [value.strip() for value in self.data.getlist(name) if isinstance(value, str)]

    def file(self, name: str) -> UploadFile | None:
        """An uploaded file; none when none was chosen."""
        value = self.data.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    def whole(self, name: str) -> int | None:
        """A whole number, such as the version a page was made from; none when it is not one."""
        text = self.text(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

    def __iter__(self) -> Iterator[str]:
        """Names of the fields."""
        return iter(self.data)


def signer_of(request: Request) -> Signer:
    """Signer of this server."""
    signer: Signer = request.app.state.signer
    return signer


def form_cookie(request: Request) -> str:
    """Visitor's form cookie; a new one, the same for the whole answer, when there is none."""
    known = request.cookies.get(COOKIE)
    if known:
        return known
    if not hasattr(request.state, "form_cookie"):
        request.state.form_cookie = secrets.token_urlsafe(24)
    made: str = request.state.form_cookie
    return made


def form_token(request: Request) -> str:
    """Token for the forms of this visitor's page."""
    return signer_of(request).token(_PURPOSE, form_cookie(request))


def remember_form_cookie(request: Request, response: Response) -> None:
    """Give the cookie to a visitor who has none."""
    if COOKIE not in request.cookies:
        response.set_cookie(COOKIE, form_cookie(request), httponly=True, samesite="strict")


async def only_our_forms(request: Request) -> None:
    """Guard of all pages of the console: what is not mere reading has to come from a form of ours."""
    if request.method not in ("GET", "HEAD"):
        await checked_form(request)


async def checked_form(request: Request) -> Form:
    """Fields of a form of ours.

    Raises
    ------
    ProblemError
        When it may have come from elsewhere, or is too long.
    """
    settings: ApiSettings = request.app.state.settings
    if _is_foreign(request):
        raise ProblemError(ProblemKind.FORM_REFUSED, "the form was sent by a page of another site")
    _check_announced(request, settings.attachment_most_bytes)
    form = await request.form(max_fields=_MOST_FIELDS, max_files=_MOST_FILES)
    field = form.get(FIELD)
    token = request.headers.get(HEADER) or (field if isinstance(field, str) else "")
    cookie = request.cookies.get(COOKIE, "")
    if not cookie or not signer_of(request).is_token(_PURPOSE, cookie, token):
        raise ProblemError(ProblemKind.FORM_REFUSED, "the form is not one this server gave out, or it is too old")
    return Form(form)


def _check_announced(request: Request, most: int) -> None:
    """Refuse what is too long before a byte of it lies on this server's disk; the server holds it to what it says."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most + _BESIDE_DOCUMENT:
        raise ProblemError(ProblemKind.DOCUMENT_TOO_LARGE, f"a document has at most {most / 2**20:g} MiB")
    if not announced and "transfer-encoding" in request.headers:
        raise ProblemError(ProblemKind.DOCUMENT_TOO_LARGE, "a form has to say how long it is (Content-Length)")


def _is_foreign(request: Request) -> bool:
    """Whether the browser says that another site sends it; old browsers say nothing, and the token decides."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return True
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host", "")


SentForm = Annotated[Form, Depends(checked_form)]
"""Parameter of an endpoint of a page that writes."""
