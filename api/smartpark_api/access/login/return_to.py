"""Whether an address to return to is one of ours: nobody is sent elsewhere by a link that looks like our log-in."""

import re
from typing import Final
from urllib.parse import urlsplit

_LONGEST: Final = 1000
_OURS: Final = re.compile(r"/[!-~]*")
"""Printable ASCII without blanks: browsers drop tabs and line ends, and read a backslash as a slash."""
_NEVER: Final = ("/login", "/logout", "/logged-out")


def own_address(given: str) -> str:
    r"""The address when it is a page of this server, else nothing.

    Examples
    --------
    >>> own_address("/requests?view=table#LR-1")
    '/requests?view=table#LR-1'
    >>> [own_address(one) for one in ("//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example")]
    ['', '', '', '']
    """
    if len(given) > _LONGEST or "\\" in given or not _OURS.fullmatch(given):
        return ""
    parts = urlsplit(given)
    if parts.scheme or parts.netloc or parts.path.startswith(_NEVER) or given.startswith("//"):
        return ""
    return given
