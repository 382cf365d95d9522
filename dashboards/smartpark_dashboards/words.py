"""In which language a dashboard speaks, and whose dashboard a thing is part of. No word is decided on here."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from smartpark_dashboards.queries import read_sql

Json = dict[str, Any]


class Language(StrEnum):
    """Each dashboard exists once in either; Chinese is what people open first."""

    ZH = "zh"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Words:
    """The same in both languages."""

    zh: str
    en: str

    def of(self, language: Language) -> str:
        """In one language."""
        return self.zh if language is Language.ZH else self.en


@dataclass(frozen=True, slots=True)
class Place:
    """The dashboard that something is part of, in one of its languages."""

    dashboard: str
    """Uid of the Chinese one."""
    language: Language

    def uid_of(self, dashboard: str) -> str:
        """Uid of a dashboard in this language."""
        return dashboard if self.language is Language.ZH else f"{dashboard}-en"

    def say(self, words: Words) -> str:
        """In the dashboard's language."""
        return words.of(self.language)

    def explain(self, words: Words) -> str:
        """Explanation: the Chinese set gives the English one too, for whoever reads over a shoulder."""
        return words.en if self.language is Language.EN else f"{words.zh} {words.en}"

    def sql(self, name: str) -> str:
        """Text of a query: the dashboard's own, or ``shared/...`` of all."""
        return read_sql(*name.split("/")) if "/" in name else read_sql(self.dashboard, name)


def words_of(table: Mapping[StrEnum, tuple[str, str]]) -> dict[str, Words]:
    """Words of a closed list of core, by the value that stands in the database."""
    return {member.value: Words(*pair) for member, pair in table.items()}
