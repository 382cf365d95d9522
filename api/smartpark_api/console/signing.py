"""Signed text for cookies and forms: whoever has not the key can neither make nor change it. It hides nothing.

The key comes from the environment or from a file that only its owner can read, made at the first start; there is no
key in the code. Without either (tests, a folder that cannot be written) a key is made that lasts as long as the
process.
"""

import base64
import binascii
import hmac
import logging
import os
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from smartpark.errors import SmartparkError

KEY_VARIABLE: Final = "SMARTPARK_CONSOLE_KEY"
FILE_VARIABLE: Final = "SMARTPARK_CONSOLE_KEY_FILE"
_LEAST_BYTES: Final = 32
_log = logging.getLogger(__name__)


class Signer:
    """Signs and checks text, each purpose apart: what was signed for one is worth nothing for another."""

    def __init__(self, key: bytes) -> None:
        if len(key) < _LEAST_BYTES:
            raise SmartparkError(f"the console's key has {len(key)} bytes; it needs at least {_LEAST_BYTES}")
        self._key = key

    def sign(self, purpose: str, text: str, *, at: datetime) -> str:
        """Text with the time and the signature behind it, of letters that a cookie may hold."""
        body = f"{_encoded(text.encode())}.{int(at.timestamp()):x}"
        return f"{body}.{self._signature(purpose, body)}"

    def read(self, purpose: str, signed: str, *, now: datetime, kept_for: timedelta) -> str | None:
        """Text that was signed; none when it was changed, signed for something else, or is too old."""
        body, _, signature = signed.rpartition(".")
        if not hmac.compare_digest(self._signature(purpose, body).encode(), signature.encode()):
            return None
        text, _, stamp = body.partition(".")
        is_fresh = now.timestamp() - int(stamp, 16) <= kept_for.total_seconds()
        return _decoded(text) if is_fresh else None

    def token(self, purpose: str, text: str) -> str:
        """Signature alone, for a text that the other side holds already."""
        return self._signature(purpose, text)

    def is_token(self, purpose: str, text: str, token: str) -> bool:
        """Whether a token belongs to the text."""
        return hmac.compare_digest(self._signature(purpose, text).encode(), token.encode())

    def _signature(self, purpose: str, text: str) -> str:
        return _encoded(hmac.digest(self._key, f"{purpose}\0{text}".encode(), "sha256"))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decoded(text: str) -> str | None:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def key_for_this_run() -> bytes:
    """A key that ends with the process; whoever chose who they are is asked again after a restart."""
    return secrets.token_bytes(_LEAST_BYTES)


def key_from_environment(environment: Mapping[str, str] = os.environ) -> bytes:
    """Key that the environment names, or the one of this account, made when there is none yet.

    Raises
    ------
    SmartparkError
        When a key or a file that was named cannot be used.
    """
    given = environment.get(KEY_VARIABLE)
    if given is not None:
        if len(given.encode()) < _LEAST_BYTES:
            raise SmartparkError(f"{KEY_VARIABLE}: at least {_LEAST_BYTES} characters, and nobody else's")
        return given.encode()
    named = environment.get(FILE_VARIABLE)
    if named:
        return key_of_file(Path(named))
    state = environment.get("XDG_STATE_HOME")
    usual = (Path(state) if state else Path.home() / ".local" / "state") / "smartpark" / "console.key"
    try:
        return key_of_file(usual)
    except SmartparkError as error:
        _log.warning(
            "%s; who visitors say they are is forgotten when the server ends. Name a file: %s", error, FILE_VARIABLE
        )
        return key_for_this_run()


def key_of_file(path: Path) -> bytes:
    """Key in a file of mode 0600; made when it is not there."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _make_key_file(path)
        if path.stat().st_mode & 0o077:
            raise SmartparkError(f"{path}: others can read the console's key; run: chmod 600 '{path}'")
        text = path.read_text(encoding="ascii").strip()
        key = bytes.fromhex(text)
    except OSError as error:
        raise SmartparkError(f"{path}: the console's key cannot be kept there: {error.strerror or error}") from error
    except ValueError as error:
        raise SmartparkError(f"{path}: not a key of the console; remove the file and a new one is made") from error
    if len(key) < _LEAST_BYTES:
        raise SmartparkError(f"{path}: not a key of the console; remove the file and a new one is made")
    return key


def _make_key_file(path: Path) -> None:
    """Written whole before it gets its name: two servers that start at once keep the same key."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as handle:
        handle.write(secrets.token_hex(_LEAST_BYTES) + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        _log.info("%s: another server made the key first", path)
    finally:
        draft.unlink()
