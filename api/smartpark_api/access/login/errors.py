"""What may go wrong between a person, their identity provider and us, each kind with words of its own.

The words for people are in locales/access.*.toml under ``login.trouble_…``; the detail is for the log and names no
secret, no code and no token.
"""

from enum import StrEnum

from smartpark.errors import SmartparkError


class Trouble(StrEnum):
    """Why a log-in did not happen."""

    AWAY = "away"
    """The provider does not answer."""
    MISFIT = "misfit"
    """It answers with what no provider of that name should say, or does not know us."""
    REFUSED = "refused"
    """It says no, or the person did."""
    STALE = "stale"
    """The way back does not belong to a log-in that began in this browser, or it took too long."""
    FORGED = "forged"
    """Its token does not hold: signature, issuer, audience, time or nonce."""
    UNKNOWN = "unknown"
    """It is somebody, but nobody here."""
    INACTIVE = "inactive"
    """It is somebody who is not active here any more."""
    AMBIGUOUS = "ambiguous"
    """The e-mail address belongs to several people, or to one who is bound to another account."""
    SPENT = "spent"
    """The one-time link was used, is too old, or never was one."""
    OFTEN = "often"
    """Too many attempts from there."""

    @property
    def status(self) -> int:
        """Of the HTTP answer."""
        return _STATUS[self]


_STATUS = {
    Trouble.AWAY: 502,
    Trouble.MISFIT: 502,
    Trouble.REFUSED: 403,
    Trouble.STALE: 400,
    Trouble.FORGED: 403,
    Trouble.UNKNOWN: 403,
    Trouble.INACTIVE: 403,
    Trouble.AMBIGUOUS: 403,
    Trouble.SPENT: 410,
    Trouble.OFTEN: 429,
}


class LoginError(SmartparkError):
    """A log-in that did not happen."""

    def __init__(self, trouble: Trouble, detail: str, **told: str) -> None:
        super().__init__(f"log-in {trouble}: {detail}")
        self.trouble = trouble
        self.detail = detail
        self.told = told
        """What the page tells beside its words, such as the account's name at the provider."""
