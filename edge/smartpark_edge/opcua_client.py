"""An OPC UA client from settings: security policy, certificates, trust store, node addresses by namespace URI.

A server's certificate must lie in the trust store itself or be signed by one that does. Policy None is plain text:
the settings refuse a password with it.
"""

import logging
import os
import re
from pathlib import Path
from typing import Final

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.utils import ServiceError
from asyncua.crypto import security_policies
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions
from asyncua.ua.status_codes import StatusCodes
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from smartpark.broker import CredentialError
from smartpark.errors import SmartparkError

from smartpark_edge.choices import OpcUaSecurity
from smartpark_edge.settings import OpcUaSource

REQUEST_TIMEOUT_S: Final = 10.0
_NAMESPACE = re.compile(r"nsu=([^;]+);(.+)")


class UnknownNodeError(SmartparkError):
    """A node address does not lead anywhere on this server."""


class TrustList:
    """Judges a server's certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        options = CertificateValidatorOptions.BASIC_VALIDATION | CertificateValidatorOptions.PEER_SERVER
        self._basics = CertificateValidator(options)

    async def __call__(self, certificate: x509.Certificate, application: ua.ApplicationDescription) -> None:
        """Refuse (`ServiceError`) what is out of date, names another application, or is not trusted."""
        await self._basics.validate(certificate, application)
        trusted = self._trusted()
        if certificate.public_bytes(Encoding.DER) in trusted:
            return
        # The library's store follows chains, but cannot be empty.
        store = TrustStore([self._folder], [])
        if trusted:
            await store.load()
        if not trusted or not store.is_trusted(certificate):
            raise ServiceError(StatusCodes.BadCertificateUntrusted)

    def _trusted(self) -> set[bytes]:
        found: set[bytes] = set()
        for path in sorted(self._folder.iterdir()):
            if path.suffix.lower() in {".der", ".crt", ".cer", ".pem"}:
                found.add(_read_certificate(path).public_bytes(Encoding.DER))
        return found


def _read_certificate(path: Path) -> x509.Certificate:
    try:
        content = path.read_bytes()
        pem = content.lstrip().startswith(b"-----BEGIN")
        return (x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate)(content)
    except (OSError, ValueError) as error:
        raise CredentialError(f"{path} in the trust store is not a readable certificate: {error}") from error


def read_password(settings: OpcUaSource) -> str | None:
    """Password of a source; `CredentialError` names what is not there."""
    if settings.password_file is not None:
        try:
            return settings.password_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise CredentialError(
                f"password file {settings.password_file} cannot be read: {error.strerror}"
            ) from error
    if settings.password_env is not None:
        value = os.environ.get(settings.password_env)
        if value is None:
            raise CredentialError(f"environment variable {settings.password_env} is not set")
        return value
    return None


async def build_opcua_client(settings: OpcUaSource) -> Client:
    """Client that is ready to connect. With a security policy this already asks the server for its certificate."""
    # The library tells each lost connection with a traceback; we say it in one sentence.
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    client = Client(settings.url, timeout=REQUEST_TIMEOUT_S)
    client.application_uri = settings.application_uri
    client.name = client.description = "smartpark edge"
    if settings.username is not None:
        client.set_user(settings.username)
        client.set_password(read_password(settings) or "")
    if settings.security is OpcUaSecurity.NONE:
        return client
    if settings.certificate is None or settings.private_key is None or settings.trust_store is None:
        raise CredentialError("a security policy needs certificate, private_key and trust_store")
    client.certificate_validator = TrustList(settings.trust_store)
    mode = (
        ua.MessageSecurityMode.Sign
        if settings.security is OpcUaSecurity.SIGN
        else ua.MessageSecurityMode.SignAndEncrypt
    )
    await client.set_security(
        security_policies.SecurityPolicyBasic256Sha256, settings.certificate, settings.private_key, mode=mode
    )
    return client


_NOT_LET_IN: Final = frozenset(
    {StatusCodes.BadUserAccessDenied, StatusCodes.BadIdentityTokenRejected, StatusCodes.BadIdentityTokenInvalid}
)


def in_words(settings: OpcUaSource, error: Exception) -> str:
    """Why a session did not come about or ended, in words that name what to look at."""
    if isinstance(error, ServiceError):
        text = ua.StatusCode(ua.UInt32(error.code)).name
    else:
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if getattr(error, "code", None) not in _NOT_LET_IN:
        return text
    who = "a client without username" if settings.username is None else f"user {settings.username!r}"
    return f"refused {who}: {text}"


def node_id(address: str, namespaces: list[str]) -> ua.NodeId:
    """Node of an address in this session; `UnknownNodeError` when its namespace or its form is not there."""
    text = address
    match = _NAMESPACE.fullmatch(address)
    if match is not None:
        if match[1] not in namespaces:
            raise UnknownNodeError(f"{address}: the server has no namespace {match[1]!r}")
        text = f"ns={namespaces.index(match[1])};{match[2]}"
    try:
        return ua.NodeId.from_string(text)
    except (ua.UaError, ValueError) as error:
        raise UnknownNodeError(f"{address} is not a node address ({error})") from None
