"""Where a pull goes on: a cursor, which says to whom and to what it belongs and notices when it was damaged.

It is opaque to whoever holds it and gives no right to anything. Whether the position in it still exists, only the
database knows; here a cursor is written, read, and compared with what is asked.
"""

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self
from uuid import UUID

from smartpark.clock import to_us
from smartpark.errors import SmartparkError

_LAYOUT: Final = struct.Struct(">B16sQ16siqi8s8s")
_VERSION: Final = 1
_CHECK_BYTES: Final = 6
_AFTER_ALL_SERIES: Final = 2**31 - 1
_EARLIEST_US: Final = to_us(datetime(1900, 1, 1, tzinfo=UTC))
_LATEST_US: Final = to_us(datetime(9999, 1, 1, tzinfo=UTC))


class CursorError(SmartparkError):
    """A cursor with which a pull cannot go on."""


class BadCursorError(CursorError):
    """What was given is no cursor, or not all of it arrived."""


class CursorGoneError(CursorError):
    """The history this cursor belongs to is not ours, or a restore cut it off; start over without a cursor."""


class CursorOfOtherFiltersError(CursorError):
    """The cursor belongs to a pull with other filters; go on with those, or start over without a cursor."""


class CursorScopeChangedError(CursorError):
    """The parks you may see have changed since this cursor; start over without one."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last event that was handed out, of the instance and the filters it was handed out for.

    Examples
    --------
    >>> here = Cursor.at_end_of(UUID(int=1), 7, UUID(int=2), filter_digest=b"f" * 8, scope_digest=b"s" * 8)
    >>> Cursor.decode(here.encode()) == here
    True
    >>> Cursor.decode(here.encode()[:-4])
    Traceback (most recent call last):
    smartpark.aggregates.cursor.BadCursorError: the cursor is not whole; give it as it was received
    """

    instance: UUID
    position: int
    """Of the publication."""
    token: UUID
    """Of the publication: after a restore another one stands at the same position."""
    series_id: int
    start_us: int
    revision: int
    """Key of the row within the publication."""
    filter_digest: bytes
    scope_digest: bytes

    @classmethod
    def at_end_of(
        cls, instance: UUID, position: int, token: UUID, *, filter_digest: bytes, scope_digest: bytes
    ) -> Self:
        """Behind every row of a publication."""
        return cls(instance, position, token, _AFTER_ALL_SERIES, 0, 0, filter_digest, scope_digest)

    @property
    def is_at_end(self) -> bool:
        """Whether nothing of its publication lies ahead."""
        return self.series_id == _AFTER_ALL_SERIES

    def encode(self) -> str:
        """Text without meaning to others, safe in an address."""
        packed = _LAYOUT.pack(
            _VERSION,
            self.instance.bytes,
            self.position,
            self.token.bytes,
            self.series_id,
            self.start_us,
            self.revision,
            self.filter_digest,
            self.scope_digest,
        )
        return _text(packed + _check(packed))

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read what `encode` wrote; `BadCursorError` says what is wrong."""
        try:
            whole = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise BadCursorError("this is no cursor; give one as it was received, or none") from None
        packed, check = whole[:-_CHECK_BYTES], whole[-_CHECK_BYTES:]
        # The same bytes can be written in several ways; only ours is a cursor, so that equal cursors are equal texts.
        if len(packed) != _LAYOUT.size or _check(packed) != check or _text(whole) != text:
            raise BadCursorError("the cursor is not whole; give it as it was received")
        version, instance, position, token, series, start_us, revision, filters, scope = _LAYOUT.unpack(packed)
        if version != _VERSION:
            raise BadCursorError(f"the cursor is of form {version}, known here is {_VERSION}; start over without one")
        if not _EARLIEST_US <= start_us <= _LATEST_US:
            raise BadCursorError("the cursor names a period outside all time; start over without one")
        return cls(UUID(bytes=instance), position, UUID(bytes=token), series, start_us, revision, filters, scope)

    def refuse_other(self, instance: UUID, *, filter_digest: bytes, scope_digest: bytes) -> None:
        """Raise the error that says why this is no cursor for what is asked; do nothing where it is one."""
        if self.instance != instance:
            raise CursorGoneError(
                f"the cursor is of instance {self.instance}, this is {instance}; start over without a cursor"
            )
        if self.filter_digest != filter_digest:
            raise CursorOfOtherFiltersError
        if self.scope_digest != scope_digest:
            raise CursorScopeChangedError


def _text(whole: bytes) -> str:
    return base64.urlsafe_b64encode(whole).rstrip(b"=").decode()


def _check(packed: bytes) -> bytes:
    return hashlib.blake2b(packed, digest_size=_CHECK_BYTES, person=b"spk-cursor").digest()
