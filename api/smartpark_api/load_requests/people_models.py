"""People of the desk, their duties and views as the API takes and gives them."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field
from smartpark.isotext import IsoDay
from smartpark.load_requests.events import EMAIL, Person
from smartpark.load_requests.words import Duty

from smartpark_api.load_requests.models import Given, PersonOut
from smartpark_api.models.base import Answer


class PersonIn(Given):
    """Somebody who acts."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    name_en: Annotated[str, Field(max_length=60)] = ""
    email: Annotated[str, Field(max_length=254, pattern=EMAIL, description="Empty: none known.")] = ""
    phone: Annotated[str | None, Field(max_length=30, pattern=r"^[+0-9 ()-]+$")] = None
    language: Literal["zh", "en"] = "zh"
    is_active: Annotated[bool, Field(description="False: has left, and can act no more.")] = True


class PersonList(Answer):
    """People by code."""

    persons: list[PersonOut]


class TermIn(Given):
    """A person's duty for a park, from a day."""

    person: Person
    valid_to: Annotated[IsoDay | None, Field(description="Day after the last; null: until further notice.")] = None


class ManagerTermOut(Answer):
    """A person's duty for a park."""

    park: str
    duty: Duty
    person: str
    valid_from: date
    valid_to: date | None


class TermList(Answer):
    """Terms by park, duty and day."""

    terms: list[ManagerTermOut]


class ViewIn(Given):
    """A filter with a name."""

    query: Annotated[
        str, Field(max_length=2000, description="As it stands in the address.", examples=["stage=survey"])
    ]


class ViewOut(Answer):
    """A filter somebody has given a name."""

    name: str
    query: str


class ViewList(Answer):
    """Saved filters of whoever asks, by name."""

    views: list[ViewOut]
