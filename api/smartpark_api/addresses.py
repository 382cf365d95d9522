"""Which methods an address takes, of all the routes of the app together.

The framework looks at one route at a time: to it, `GET` and `POST` of an address are strangers, and a word that is
another address (`/load-requests/board`) may pass for a code. What is refused is told by the whole of them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts


@dataclass(frozen=True, slots=True)
class _Address:
    template: str
    pattern: re.Pattern[str]
    methods: frozenset[str]

    @property
    def rank(self) -> tuple[int, int]:
        """Fewer parameters say more exactly what is meant, then more words."""
        return (self.template.count("{"), -len(self.template))


class Addresses:
    """All addresses of an app."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def methods_at(self, path: str) -> tuple[str, ...]:
        """Methods that the address behind a path takes, sorted; empty where there is none."""
        found = next((one for one in self._known if one.pattern.match(path)), None)
        return () if found is None else tuple(sorted(found.methods))

    @cached_property
    def _known(self) -> Sequence[_Address]:
        """Every address once, the most exact first; gathered when first asked for, after all routes are there."""
        methods: dict[str, frozenset[str]] = {}
        patterns: dict[str, re.Pattern[str]] = {}
        for route in iter_route_contexts(self._app.routes):
            if route.path_format is not None and route.methods:
                methods[route.path_format] = methods.get(route.path_format, frozenset()) | route.methods
                patterns[route.path_format] = route.path_regex
        found = [_Address(template, patterns[template], taken) for template, taken in methods.items()]
        return sorted(found, key=lambda one: one.rank)
