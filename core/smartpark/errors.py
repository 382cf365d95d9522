"""The error tree: what can go wrong, in words that say what to do.

One root, so that a shell can catch ours and let everything else crash loudly. Errors that a person
caused by a file carry every problem found in it, never only the first. The docstring of a class is its
default message.
"""

from collections.abc import Iterable
from dataclasses import dataclass


class SmartparkError(Exception):
    """Something smartpark refuses to do; the message says what and why."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class RetryableError(SmartparkError):
    """The other side is away or busy; the same call may succeed later."""


class WireError(SmartparkError):
    """A message on the wire does not follow docs/wire.md."""


class FactorNotFoundError(SmartparkError):
    """No factor covers this carrier, scope and date."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a file: where, and what to do about it."""

    file: str
    key: str
    """Dotted path of the entry, e.g. ``device[3].point[0].measurand``; names in brackets where known."""
    message: str

    def __str__(self) -> str:
        """Render as ``file: key: message``, the way compilers do."""
        return f"{self.file}: {self.key}: {self.message}" if self.key else f"{self.file}: {self.message}"


class InvalidFileError(SmartparkError):
    """A file has problems; all of them are in `problems`."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
