"""Where a broker is and how to be let in, as settings and environment say it; connecting is the rooms' work.

Passwords come from a file or an environment variable, never from a URL or a settings file: those get copied
into tickets and logs.
"""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, model_validator

from smartpark.errors import SmartparkError
from smartpark.tomlfile import StrictModel, parse_model


class CredentialError(SmartparkError):
    """A password or certificate that the settings point to is not there, or of no use."""


class CertificateError(CredentialError):
    """Certificates for a broker cannot be used."""


def _broker_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
        raise ValueError(f"{url!r} is not a broker address; write mqtt://host[:1883] or mqtts://host[:8883]")
    if parts.username or parts.password:
        raise ValueError("credentials do not belong in a URL; use username and password_file or password_env")
    if parts.path not in {"", "/"} or parts.query:
        raise ValueError(f"{url!r}: a broker address ends after the port")
    _ = parts.port  # raises ValueError itself when it is not a port
    return url


class BrokerAddress(StrictModel):
    """A broker and this client's credentials."""

    url: Annotated[str, AfterValidator(_broker_url)]
    username: str | None = None
    password_file: Path | None = None
    password_env: str | None = None
    ca_file: Path | None = None
    """Certificates that sign the broker's; none: the system's."""
    cert_file: Path | None = None
    """This client's certificate, where the broker wants one."""
    key_file: Path | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "BrokerAddress":
        if self.password_file is not None and self.password_env is not None:
            raise ValueError("give password_file or password_env, not both")
        if (self.password_file or self.password_env) and self.username is None:
            raise ValueError("a password needs a username")
        if not self.tls and (self.ca_file or self.cert_file or self.key_file):
            raise ValueError("certificates need an mqtts:// address")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file come together")
        return self

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return urlsplit(self.url).scheme == "mqtts"

    @property
    def host(self) -> str:
        """Host name or address."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Port; 1883 or 8883 where the address names none."""
        return urlsplit(self.url).port or (8883 if self.tls else 1883)

    def password(self, environment: Mapping[str, str] | None = None) -> str | None:
        """Read the password now; `CredentialError` names the file or variable that is not there."""
        if self.password_file is not None:
            try:
                return self.password_file.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise CredentialError(
                    f"password file {self.password_file} cannot be read: {error.strerror}"
                ) from error
        if self.password_env is not None:
            value = (os.environ if environment is None else environment).get(self.password_env)
            if value is None:
                raise CredentialError(
                    f"environment variable {self.password_env} is not set; it should hold the password"
                )
            return value
        return None

    def tls_context(self) -> ssl.SSLContext:
        """How to encrypt, with this address's certificates; `CertificateError` says which cannot be used."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.cert_file is not None:
                context.load_cert_chain(self.cert_file, self.key_file)
        except OSError as error:  # ssl.SSLError is one
            named = ", ".join(str(f) for f in (self.ca_file, self.cert_file, self.key_file) if f is not None)
            raise CertificateError(f"certificates for {self.url} ({named}) cannot be used: {error}") from error
        return context

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> "BrokerAddress":
        """Address of the platform's broker.

        From ``SMARTPARK_BROKER_URL``, ``_USERNAME``, ``_PASSWORD`` or ``_PASSWORD_FILE``, ``_CA_FILE``,
        ``_CERT_FILE`` and ``_KEY_FILE``. `InvalidFileError` lists what is wrong with them.
        """
        given = os.environ if environment is None else environment
        fields: dict[str, object] = {"url": given.get("SMARTPARK_BROKER_URL", "mqtt://127.0.0.1:1883")}
        for field in ("username", "password_file", "ca_file", "cert_file", "key_file"):
            value = given.get(f"SMARTPARK_BROKER_{field.upper()}")
            if value:
                fields[field] = value
        if "SMARTPARK_BROKER_PASSWORD" in given:
            fields["password_env"] = "SMARTPARK_BROKER_PASSWORD"  # noqa: S105  the variable's name, not its value
        return parse_model(fields, BrokerAddress, file="environment, SMARTPARK_BROKER_*")
