"""The words of the pages in Chinese and English: TOML files with the same keys, nothing computed.

``zh.toml`` and ``en.toml`` have those of the park's pages, ``<part>.zh.toml`` and ``<part>.en.toml`` those of a part
of the console. A word that is missing in one of the languages is an error when the program starts, not a hole in a
page.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from smartpark.errors import SmartparkError


class MissingWordError(SmartparkError):
    """A page's word is not in the catalogue of words."""


class Language(StrEnum):
    """Languages the pages speak; the first is the default."""

    ZH = "zh"
    EN = "en"

    @property
    def tag(self) -> str:
        """BCP 47 tag for ``<html lang>``."""
        return {"zh": "zh-CN", "en": "en"}[self.value]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language."""

    language: Language
    entries: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """Words under a dotted key, with ``{names}`` filled in."""
        try:
            return self.entries[key].format(**values)
        except KeyError as error:
            raise MissingWordError(f"locales/{self.language}.toml: no word or value {error} for {key!r}") from None

    def either(self, zh: str, en: str) -> str:
        """Of a name given in both languages, the one to show."""
        return zh if self.language is Language.ZH else en


@cache
def words_of(language: Language) -> Words:
    """Words of a language; refuses catalogues that do not have the same keys."""
    ours, other = _read(language), _read(next(one for one in Language if one is not language))
    unequal = sorted(ours.keys() ^ other.keys())
    if unequal:
        raise MissingWordError(f"locales: in only one of the languages: {', '.join(unequal)}")
    return Words(language, ours)


def _read(language: Language) -> dict[str, str]:
    found: dict[str, str] = {}
    ending = f"{language}.toml"
    for file in sorted((files("smartpark_api") / "locales").iterdir(), key=lambda one: one.name):
        if file.name != ending and not file.name.endswith(f".{ending}"):
            continue
        for table, entries in tomllib.loads(file.read_text(encoding="utf-8")).items():
            for key, words in entries.items():
                if f"{table}.{key}" in found:
                    raise MissingWordError(f"locales/{file.name}: {table}.{key} stands in another file too")
                found[f"{table}.{key}"] = words
    return found
