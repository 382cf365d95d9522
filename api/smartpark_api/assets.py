"""The files a page needs (style, script, chart library, icon), from the package's own data.

They are few and small: all are read once at the start, named by their content, and may be cached for ever.
Nothing is fetched from elsewhere, and no path of a request ever reaches the file system.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, ready to send."""

    content: bytes
    media_type: str
    digest: str
    """First hex digits of its SHA-256; part of its address, so that a new version has a new one."""


@cache
def assets() -> dict[str, Asset]:
    """Every servable file by its path below ``static/``."""
    return dict(_walk(files("smartpark_api") / "static", ""))


def asset_url(path: str) -> str:
    """Address of a file; `KeyError` for one that is not there, at the first render rather than in the field."""
    return f"/assets/{assets()[path].digest}/{path}"


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, Asset]]:
    found: list[tuple[str, Asset]] = []
    for entry in folder.iterdir():
        path = prefix + entry.name
        media_type = _TYPES.get(entry.name[entry.name.rfind(".") :])
        if entry.is_dir():
            found += _walk(entry, path + "/")
        elif media_type is not None:
            content = entry.read_bytes()
            found.append((path, Asset(content, media_type, sha256(content).hexdigest()[:16])))
    return found
