"""Encryption of single values as platforms in the field ask for it: AES-128 or SM4 in ECB, padded to 16 bytes.

The field's choice, not ours: in ECB equal values look equal, and nothing says whether a value was changed. What keeps
the line private is TLS, which stays as it is whatever is configured here.
"""

import base64
import binascii
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from smartpark.errors import SmartparkError
from smartpark.uplinks.nhjc_settings import CipherMethod, KeyForm

KEY_BYTES: Final = 16
_BLOCK_BITS: Final = 128


class KeyFormError(SmartparkError):
    """A key is not what its settings say."""


class BlockCipher:
    """Encrypts values with one key."""

    def __init__(self, method: CipherMethod, key: bytes) -> None:
        algorithm = algorithms.SM4(key) if method is CipherMethod.SM4_ECB else algorithms.AES128(key)
        self._cipher = Cipher(algorithm, modes.ECB())  # noqa: S305  what the platforms speak; TLS is around it

    def encrypt(self, plain: bytes) -> bytes:
        """Whole blocks, padded as PKCS #7 says."""
        padder = padding.PKCS7(_BLOCK_BITS).padder()
        encryptor = self._cipher.encryptor()
        return encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()

    def decrypt(self, secret: bytes) -> bytes:
        """What was encrypted; `ValueError` where it was not with this key."""
        decryptor, unpadder = self._cipher.decryptor(), padding.PKCS7(_BLOCK_BITS).unpadder()
        return unpadder.update(decryptor.update(secret) + decryptor.finalize()) + unpadder.finalize()


def key_of(text: str, form: KeyForm) -> bytes:
    """Key as it is written; `KeyFormError` says what is wrong and shows nothing of it."""
    try:
        match form:
            case KeyForm.TEXT:
                key = text.encode()
            case KeyForm.HEX:
                key = bytes.fromhex(text)
            case KeyForm.BASE64:
                key = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise KeyFormError(f"the key is not {form}") from None
    if len(key) != KEY_BYTES:
        raise KeyFormError(f"the key has {len(key)} bytes as {form}; it needs {KEY_BYTES}")
    return key


def read_key(path: Path, form: KeyForm) -> bytes:
    """Key in a file."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFormError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return key_of(text, form)


def write_key(path: Path, text: str) -> None:
    """Keep a key that a platform gave, for this user's eyes only."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        partial.write_text(f"{text}\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise KeyFormError(f"the key cannot be kept in {path}: {error.strerror}") from None
