"""What cannot be done with aggregates, submissions and sources, and why."""

from smartpark.errors import SmartparkError


class NothingToSealError(SmartparkError):
    """No number of this period has been published."""


class AlreadySealedError(SmartparkError):
    """What holds of this period is what was submitted last."""

    def __init__(self, code: str) -> None:
        super().__init__(f"what holds now is what was submitted as {code}; nothing has changed since")
        self.code = code


class PeriodNotOverError(SmartparkError):
    """A period is submitted once it is over."""


class UnknownSubmissionError(SmartparkError):
    """There is no such submission."""

    def __init__(self, *codes: str) -> None:
        super().__init__(f"there is no submission {', '.join(codes)}")
        self.codes = codes


class ConflictingSubmissionError(SmartparkError):
    """A submission of a source is not what it says, or not what it was before."""


class SealKeyError(SmartparkError):
    """A key that seals is not known, not in use, or another one than it was."""


class SealedElsewhereError(SmartparkError):
    """The park is pulled from a source; what it submits is sealed there."""


class ForeignParkError(SmartparkError):
    """A park belongs to another source, or to this instance itself."""


class UnknownSourceError(SmartparkError):
    """There is no such source."""


class OtherInstanceError(SmartparkError):
    """At this address another instance answers than before."""


class UnusableIdentityError(SmartparkError):
    """What a source says of a park, sub-park or enterprise lacks something, or has too much."""


class ConflictingRevisionError(SmartparkError):
    """A source says something else of a revision than it did before."""


class UnusableRowError(SmartparkError):
    """A source gives a row that no instance publishes."""
