"""One operation of an OpenAPI document, for the rules that complete it; it knows no framework."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of an address, over its part of the document, which may be written to."""

    method: str
    path: str
    content: dict[str, Any]

    @property
    def is_write(self) -> bool:
        """Whether it may change something."""
        return self.method not in {"get", "head", "options"}

    @property
    def headers(self) -> frozenset[str]:
        """Names of the headers that it takes."""
        return frozenset(one["name"] for one in self.content.get("parameters", ()) if one["in"] == "header")

    @property
    def tags(self) -> frozenset[str]:
        """Parts of the API it belongs to."""
        return frozenset(self.content.get("tags", ()))

    @property
    def body_types(self) -> frozenset[str]:
        """Media types of the bodies it takes."""
        return frozenset(self.content.get("requestBody", {}).get("content", ()))

    @property
    def successes(self) -> dict[str, Any]:
        """Answers that are no problem, by status."""
        return {status: answer for status, answer in self.content["responses"].items() if status < "4"}


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    """Every operation of a document."""
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield Operation(method, path, methods[method])
