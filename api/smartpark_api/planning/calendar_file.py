"""Where the installation keeps holidays that the built-in calendar does not have: ``SMARTPARK_WORKDAYS``."""

import os
from collections.abc import Mapping
from pathlib import Path


def workday_file_from_environment(environment: Mapping[str, str] | None = None) -> Path | None:
    """File of years and days (docs/methods/working-days.md); None: the built-in calendar alone."""
    given = os.environ if environment is None else environment
    name = given.get("SMARTPARK_WORKDAYS")
    return Path(name) if name else None
