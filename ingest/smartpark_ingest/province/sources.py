"""Whom a province pulls from: a file with one table per instance, or one address on the command line.

Secrets are files, never values here; an address carries no password. Nothing is opened or asked in this module.
"""

import re
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, model_validator
from smartpark.errors import InvalidFileError, Problem, SmartparkError
from smartpark.tomlfile import StrictModel, load_model
from smartpark.webhooks import is_loopback_name

_NAME: Final = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"


class SourceError(SmartparkError):
    """What was said about a source is not usable."""


class Source(StrictModel):
    """One instance that is pulled from, and how it is to know us."""

    name: Annotated[str, Field(pattern=_NAME, max_length=63)]
    """By which it is spoken of here."""
    url: str
    """Where it answers: ``https://host[:port][/prefix]``, without ``/api/v1``."""
    key_file: Path | None = None
    """File of an API key."""
    client_id: Annotated[str, Field(min_length=1)] | None = None
    client_secret_file: Path | None = None
    """With `client_id`: exchanged for access tokens at the source's ``/oauth/token``."""
    ca_file: Path | None = None
    """Whose certificates are trusted; None: those of the system."""
    parks: tuple[str, ...] = ()
    """Parks that are pulled; none named: all that the key may see."""
    indicators: tuple[str, ...] = ()
    grains: tuple[str, ...] = ()
    revisions: Annotated[str, Field(pattern="^(latest|all)$")] = "latest"
    """Whether superseded revisions are wanted as well."""
    every_s: Annotated[float, Field(ge=1, le=7 * 86_400)] = 60.0
    """How often `province run` asks. [s]"""
    page_rows: Annotated[int, Field(ge=1, le=100_000)] = 20_000
    """Rows in one answer; over a bad link smaller answers are lost less often."""
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 60.0
    """How long the other side may be silent. [s]"""

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        _check_url(self.url)
        if (self.client_id is None) != (self.client_secret_file is None):
            raise ValueError("client_id and client_secret_file belong together")
        if self.key_file is not None and self.client_id is not None:
            raise ValueError("either key_file or client_id, not both")
        return self


class SourcesFile(StrictModel):
    """All sources of a province."""

    source: tuple[Source, ...]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if not self.source:
            raise ValueError("there is no [[source]]")
        names = [source.name for source in self.source]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the same name twice: {', '.join(twice)}")
        return self


def load_sources(path: Path) -> tuple[Source, ...]:
    """Sources of a file, its secrets' files looked for beside it; all problems at once, each with its key."""
    given = load_model(path, SourcesFile).source
    sources = tuple(_beside(path.parent, source) for source in given)
    problems = [
        Problem(str(path), f"source[{source.name}].{key}", f"no such file: {file}")
        for source in sources
        for key in ("key_file", "client_secret_file", "ca_file")
        if (file := getattr(source, key)) is not None and not file.is_file()
    ]
    if problems:
        raise InvalidFileError(problems)
    return sources


def name_of_address(url: str) -> str:
    """Name of a source for which none was given: its host, and its port where that is unusual.

    Examples
    --------
    >>> name_of_address("https://park.example.cn/"), name_of_address("http://127.0.0.1:8000")
    ('park.example.cn', '127.0.0.1-8000')
    """
    parts = _check_url(url, error=SourceError)
    name = (parts.hostname or "").strip("[]").replace(":", ".")
    name = name if parts.port is None else f"{name}-{parts.port}"
    if not re.match(_NAME, name):
        raise SourceError(f"give {url} a name with --source")
    return name


def _beside(folder: Path, source: Source) -> Source:
    files = {"key_file", "client_secret_file", "ca_file"}
    found = {key: folder / file for key in files if (file := getattr(source, key)) is not None}
    return source.model_copy(update=found)


def _check_url(url: str, *, error: type[Exception] = ValueError) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise error(f"{url!r} is not an address; write https://host") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise error(f"{url!r} is not an address; write https://host")
    if parts.username is not None or parts.password is not None:
        raise error("an address carries no password; name a file in key_file")
    if parts.query or parts.fragment:
        raise error(f"{url!r} has a query or a fragment; write https://host[/prefix]")
    # A key in the clear is everybody's; on this very machine nobody listens.
    if parts.scheme == "http" and not is_loopback_name(parts.hostname):
        raise error(f"{url!r} is not encrypted; write https://")
    return parts
