"""Secrets never leave: what goes into a log line or a problem document passes here first.

Ours are recognised by their form: keys and tokens of programs, and tokens of links, calendars and cookies. It
is the last line, not the first: nobody should write a secret into a message in the first place.
"""

import logging
import re
import traceback
from contextvars import ContextVar
from typing import Final

REQUEST_ID: Final[ContextVar[str]] = ContextVar("request_id", default="")
"""Of the request that this task or thread works for."""

_HIDDEN: Final = "***"
_PATTERNS: Final = (
    # Keys and tokens of programs: the id stays, people speak of it.
    (re.compile(r"\b(sp[a-z]_[a-z0-9]{12}_)[0-9A-Za-z_-]+"), rf"\1{_HIDDEN}"),
    # Whatever was sent as a proof, ours or not, and whatever stands beside the name of a secret.
    (re.compile(r"(?i)\b((?:bearer|basic)\s+)[0-9A-Za-z._~+/=-]{8,}"), rf"\1{_HIDDEN}"),
    (
        re.compile(
            r"(?i)\b((?:__Host-)?session|client_secret|password|access_token|id_token)(\s*[=:]\s*)[^\s;,&'\"]+"
        ),
        rf"\1\2{_HIDDEN}",
    ),
    # Tokens without a form of their own, mistyped ones too; digests are in small letters and stay.
    (re.compile(r"(?<![0-9A-Za-z_-])(?=[0-9a-z_-]*[A-Z])(?=[0-9A-Z_-]*[a-z])[0-9A-Za-z_-]{40,}"), _HIDDEN),
    (re.compile(r"(/applicant/|/calendars/|/login/link/)[^\s/?#'\".]{8,}"), rf"\1{_HIDDEN}"),
)


def redacted(text: str) -> str:
    """Text without secrets.

    Examples
    --------
    >>> redacted("spk_ab12cd34ef56_" + "x" * 43 + " was shown")
    'spk_ab12cd34ef56_*** was shown'
    >>> redacted("GET /applicant/" + "Ab_-" * 10 + "xyz")
    'GET /applicant/***'
    """
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


class KeepsSecrets(logging.Filter):
    """Takes secrets out of what a handler is about to write, tracebacks too, and says which request it was."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; keep it."""
        request_id = REQUEST_ID.get()
        text = redacted(record.getMessage())
        record.msg, record.args = (f"[{request_id}] {text}" if request_id else text), ()
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = redacted("".join(traceback.format_exception(*record.exc_info)).rstrip())
            record.exc_info = None
        return True


def guard_logs() -> None:
    """Let everything that this process logs pass the filter."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(one, KeepsSecrets) for one in handler.filters):
            handler.addFilter(KeepsSecrets())
