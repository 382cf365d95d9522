"""Keys that seal: Ed25519, the private half in a file of this account, the public half for everybody.

The file is PKCS #8 in PEM, as `openssl genpkey -algorithm ed25519` writes it, so that a key may come from there, and
signatures can be checked there. A file that others can read is refused; the key never leaves this module but as a
signer.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from smartpark.aggregates import key_id_of
from smartpark.errors import SmartparkError

KEY_FILE_VARIABLE: Final = "SMARTPARK_SEAL_KEY_FILE"


class SealKeyError(SmartparkError):
    """The key that seals, or a public half of one, cannot be used."""


@dataclass(frozen=True, slots=True)
class SealKey:
    """A key that seals."""

    _private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """Its public half, 32 bytes."""
        return self._private.public_key().public_bytes_raw()

    @property
    def key_id(self) -> str:
        """What people call it."""
        return key_id_of(self.public)

    def sign(self, text: bytes) -> bytes:
        """Detached signature, 64 bytes (RFC 8032)."""
        return self._private.sign(text)

    def __repr__(self) -> str:
        """Nothing of the secret."""
        return f"SealKey({self.key_id})"


def pem_of(public: bytes) -> str:
    """Public half as PEM, which openssl reads."""
    key = Ed25519PublicKey.from_public_bytes(public)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def public_of_pem(text: str, *, where: str) -> bytes:
    """The 32 bytes of a public half in PEM."""
    try:
        key = load_pem_public_key(text.encode())
    except ValueError as error:
        raise SealKeyError(f"{where}: not a public key in PEM (-----BEGIN PUBLIC KEY-----)") from error
    if not isinstance(key, Ed25519PublicKey):
        raise SealKeyError(f"{where}: the key is not an Ed25519 key")
    return key.public_bytes_raw()


def is_signed(text: bytes, signature: bytes, public: bytes) -> bool:
    """Whether a text bears the signature of a key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except InvalidSignature:
        return False
    return True


def make_key(path: Path) -> SealKey:
    """Make a key and keep it in a new file that only this account reads; an existing file is left alone."""
    private = Ed25519PrivateKey.generate()
    text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        _keep(path, text)
    except FileExistsError as error:
        raise SealKeyError(f"{path}: there is a file already, and it is left as it is; name another") from error
    except OSError as error:
        raise SealKeyError(f"{path}: the key cannot be kept there: {error.strerror or error}") from error
    return SealKey(private)


def _keep(path: Path, text: bytes) -> None:
    """Written whole before it gets its name, and never over another: a key that sealed must not be lost."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    finally:
        draft.unlink()


def key_file_from_environment(environment: Mapping[str, str] = os.environ) -> Path | None:
    """File of the key that the environment names, looked into at once; None: no key is named."""
    named = environment.get(KEY_FILE_VARIABLE)
    if not named:
        return None
    load_key(Path(named))
    return Path(named)


def load_key(path: Path) -> SealKey:
    """Key of a file; refused where others can read it."""
    try:
        if path.stat().st_mode & 0o077:
            raise SealKeyError(f"{path}: others can read the key that seals; run: chmod 600 '{path}'")
        private = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise SealKeyError(f"{path}: the key that seals cannot be read: {error.strerror or error}") from error
    except (ValueError, TypeError) as error:
        raise SealKeyError(
            f"{path}: not a private key in PEM without a password; one is made by: smartpark submissions key make"
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise SealKeyError(f"{path}: the key is not an Ed25519 key; make one: smartpark submissions key make")
    return SealKey(private)
