"""What numbers say about themselves, in Chinese: sentences that are published in English, by a list of their forms.

What fits no form is shown as it was published; nothing is guessed.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from smartpark_api.explaining.names import names
from smartpark_api.words import Words

_SLOT: Final = re.compile(r"\{(\w+)\}")
_NAMES: Final = frozenset({"name", "kind", "above", "below"})
_VALUES: Final[Mapping[str, str]] = dict.fromkeys(_NAMES, r"\w+") | {"entity": r"[\w/.-]+", "factor": r"[\w:/.-]+"}
"""What a slot may hold, where it may not hold everything."""


@dataclass(frozen=True, slots=True)
class _Form:
    """A sentence in both languages."""

    pattern: re.Pattern[str]
    chinese: str


def sentence(text: str, words: Words) -> str:
    """A reason, note or detail in the language of a page."""
    return words.either(in_chinese(text), text)


def in_chinese(text: str) -> str:
    """A reason, note or detail in Chinese, sentence by sentence."""
    return "; ".join(_one(part) or part for part in text.split("; "))


def untold(text: str) -> list[str]:
    """Sentences of a text that fit no form."""
    return [part for part in text.split("; ") if part and _one(part) is None]


def _one(text: str) -> str | None:
    for form in _forms():
        found = form.pattern.fullmatch(text)
        if found is not None:
            given = found.groupdict()
            if "rest" in given and _one(given["rest"]) is None:
                continue
            return form.chinese.format(**{slot: _told(slot, value) for slot, value in given.items()})
    return None


def _told(slot: str, value: str) -> str:
    if slot == "rest":
        return _one(value) or value
    known = names().get(value) if slot in _NAMES else None
    return value if known is None else known[0]


@cache
def _forms() -> tuple[_Form, ...]:
    text = (files("smartpark_api") / "locales" / "sentences.toml").read_text(encoding="utf-8")
    return tuple(_Form(_pattern(row["en"]), row["zh"]) for row in tomllib.loads(text)["sentence"])


def _pattern(english: str) -> re.Pattern[str]:
    """A form with its words as they stand and something in each slot."""
    parts = _SLOT.split(english)
    return re.compile(
        "".join(
            re.escape(part) if n % 2 == 0 else f"(?P<{part}>{_VALUES.get(part, '.+?')})"
            for n, part in enumerate(parts)
        )
    )
