"""The document as a file that is kept: the same text for the same API, on every machine.

It is the one of a server that asks everybody to prove who they are, and names no version of the program: of that
another release is no change.
"""

import json
from pathlib import Path
from typing import Any

from smartpark.errors import SmartparkError

from smartpark_api.app import create_app
from smartpark_api.settings import AccessMode, ApiSettings


def told_document() -> dict[str, Any]:
    """What a server tells now; no database is asked."""
    document = create_app(ApiSettings(dsn="postgresql://", access=AccessMode.ENFORCED)).openapi()
    return document | {"info": document["info"] | {"version": "1"}}


def kept_text(document: dict[str, Any]) -> str:
    """A document as the file holds it."""
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def read_kept(file: Path) -> dict[str, Any]:
    """A document that was kept."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SmartparkError(f"{file}: no OpenAPI document that can be read: {error}") from error
