"""What an installation brings to the desk: its rules, its working days, its folders. Each file is read once.

Environment, all of it optional: ``SMARTPARK_LOAD_REQUEST_RULES`` (rows before the built-in ones),
``SMARTPARK_ATTACHMENTS`` (folder of documents), ``SMARTPARK_WEBHOOK_SECRETS`` (folder of secrets by name) and
``SMARTPARK_WEBHOOKS_PRIVATE=yes`` (webhooks may lead to private addresses).
"""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from smartpark.errors import SmartparkError
from smartpark.load_requests.rules import LoadRequestRules, builtin_load_request_rules, load_load_request_rules
from smartpark.workdays import WorkdayCalendar, builtin_workdays, load_workdays

from smartpark_api.load_requests.attachments import AttachmentStore
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.settings import ApiSettings

_YES_NO = {"": False, "no": False, "yes": True}


def desk_settings(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Settings of the desk that the environment names; a file of rules that is wrong stops the start here."""
    given = os.environ if environment is None else environment
    private = given.get("SMARTPARK_WEBHOOKS_PRIVATE", "")
    if private not in _YES_NO:
        raise SmartparkError(f"SMARTPARK_WEBHOOKS_PRIVATE is {private!r}; it is yes or no")
    found = {
        "load_request_rules_file": _path(given, "SMARTPARK_LOAD_REQUEST_RULES"),
        "attachments_folder": _path(given, "SMARTPARK_ATTACHMENTS"),
        "webhook_secrets": _path(given, "SMARTPARK_WEBHOOK_SECRETS"),
        "webhooks_may_be_private": _YES_NO[private],
    }
    rules_in(found["load_request_rules_file"])
    return found


def _path(given: Mapping[str, str], name: str) -> Path | None:
    return Path(given[name]) if given.get(name) else None


def rules_of(settings: ApiSettings) -> LoadRequestRules:
    """Stages and limits of this installation."""
    return rules_in(settings.load_request_rules_file)


def calendar_of(settings: ApiSettings) -> WorkdayCalendar:
    """Working days of this installation."""
    return workdays_in(settings.workday_file)


@cache
def rules_in(file: Path | None) -> LoadRequestRules:
    """Rules of a file before the built-in ones, or those alone."""
    return builtin_load_request_rules() if file is None else load_load_request_rules(file)


@cache
def workdays_in(file: Path | None) -> WorkdayCalendar:
    """Working days of a file over the built-in ones, or those alone."""
    return builtin_workdays() if file is None else load_workdays(file)


def attachments_of(settings: ApiSettings) -> AttachmentStore:
    """Folder of documents; a problem where none is configured."""
    if settings.attachments_folder is None:
        raise ProblemError(
            ProblemKind.NOT_CONFIGURED,
            "this server has no folder for documents; start it with SMARTPARK_ATTACHMENTS=FOLDER",
        )
    return AttachmentStore(settings.attachments_folder, most_bytes=settings.attachment_most_bytes)
