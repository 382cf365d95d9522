"""A person as a form sends one: what is wrong is told by field, and nothing is corrected silently."""

import re
from collections.abc import Mapping
from typing import Final

from smartpark.errors import SmartparkError
from smartpark_storage.load_requests import Person

from smartpark_api.console.forms import Form
from smartpark_api.load_requests.identity import CLIENT
from smartpark_api.words import Language

_RESERVED: Final = ("applicant", "system")
_CODE: Final = re.compile(r"\S(?:.{0,58}\S)?")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LONGEST: Final = 200


class PersonError(SmartparkError):
    """A form that makes no person."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields
        """Key of the words by the name of the field."""


def checked_person(form: Form) -> Person:
    """Person of a form, or what is wrong with it."""
    code, name, email = form.text("code"), form.text("name"), form.text("email")
    wrong: dict[str, str] = {}
    if not _CODE.fullmatch(code) or code in _RESERVED or code.startswith(CLIENT):
        wrong["code"] = "people.code_wrong"
    if not name or len(name) > _LONGEST:
        wrong["name"] = "people.name_wrong"
    if email and (len(email) > _LONGEST or not _EMAIL.fullmatch(email)):
        wrong["email"] = "people.email_wrong"
    if form.text("language") not in set(Language):
        wrong["language"] = "people.language_wrong"
    if wrong:
        raise PersonError(wrong)
    return Person(
        code=code,
        name=name,
        name_en=form.text("name_en")[:_LONGEST],
        email=email,
        phone=form.text("phone")[:_LONGEST] or None,
        language=form.text("language"),
        is_active=form.text("is_active") != "no",
    )
