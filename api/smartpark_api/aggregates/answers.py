"""Answers that hold rows: their entity tag, their digest, their compression; 304 where nothing has changed.

The tag is made of what the rows were read from (how far publications had come, for which question, for whose eyes,
in which form), never of the rows themselves: whoever asks again is answered without reading one. It is a weak one,
because one question has several codings of the same content.
"""

import base64
import gzip
from collections.abc import Mapping
from hashlib import blake2b, sha256
from importlib.metadata import version
from typing import Annotated, Final

from fastapi import Depends, Header, Request
from starlette.responses import Response

LEAST_TO_COMPRESS: Final = 1024
"""Shorter bodies fit a packet as they are. [B]"""
_LEVEL: Final = 2
"""Rows repeat themselves so much that more effort finds little: a tenth smaller for four times the time."""
_ALWAYS: Final = {"Cache-Control": "private, no-cache", "Vary": "Accept, Accept-Encoding, Authorization, Cookie"}
_TAG_BYTES: Final = 12
_RELEASE: Final = version("smartpark-api")


def _known_tag(
    _tag: Annotated[
        str | None,
        Header(alias="If-None-Match", description="Tag of the answer you have: unchanged, it is not sent again."),
    ] = None,
) -> None:
    """Tell the description of the API about the header; `is_known` reads it."""


KNOWN_TAG: Final = Depends(_known_tag)
"""Of routes whose answers have a tag."""


def tag_of(*parts: object) -> str:
    """Weak entity tag of what an answer depends on; another release writes another answer."""
    text = "\x1f".join(str(part) for part in (_RELEASE, *parts))
    return f'W/"{blake2b(text.encode(), digest_size=_TAG_BYTES).hexdigest()}"'


def is_known(request: Request, tag: str) -> bool:
    """Whether whoever asks has the answer of this tag already (If-None-Match, RFC 9110, 13.1.2)."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or tag.removeprefix("W/") in {
        one.strip().removeprefix("W/") for one in given.split(",")
    }


def unchanged(tag: str, headers: Mapping[str, str]) -> Response:
    """304: what was given before still holds."""
    return Response(status_code=304, headers={**_ALWAYS, **headers, "ETag": tag})


def answer(
    request: Request, body: bytes, content_type: str, *, tag: str | None, headers: Mapping[str, str]
) -> Response:
    """A body with its digest, compressed where that is wanted and worth it.

    `Unencoded-Digest` is that of the body before compression. `Repr-Digest` (RFC 9530) is one of what is sent, and
    stands where that is the same.
    """
    digest = f"sha-256=:{base64.b64encode(sha256(body).digest()).decode()}:"
    said = {**_ALWAYS, **headers, "Content-Type": content_type, "Unencoded-Digest": digest}
    if tag is not None:
        said["ETag"] = tag
    if len(body) >= LEAST_TO_COMPRESS and _takes_gzip(request.headers.get("accept-encoding", "")):
        # No time in the header: the same rows are the same bytes.
        return Response(gzip.compress(body, _LEVEL, mtime=0), headers={**said, "Content-Encoding": "gzip"})
    return Response(body, headers={**said, "Repr-Digest": digest})


def _takes_gzip(accepted: str) -> bool:
    """Whether gzip is among the codings that are accepted (RFC 9110, 12.5.3)."""
    qualities = dict(_coding(part) for part in accepted.lower().split(","))
    return qualities.get("gzip", qualities.get("*", 0.0)) > 0


def _coding(part: str) -> tuple[str, float]:
    name, _, parameter = part.partition(";")
    try:
        return name.strip(), float(parameter.strip().removeprefix("q=") or 1)
    except ValueError:
        return name.strip(), 0.0
