"""What an alert is about, as text that is stored and shown: ``point:minhou/T01-E1/active_power``, ``edge:gw-01``."""

from enum import StrEnum
from typing import NamedTuple

from smartpark.alerts.words import Cause
from smartpark.errors import SmartparkError


class ObjectKind(StrEnum):
    """Kinds of objects."""

    POINT = "point"
    DEVICE = "device"
    TRANSFORMER = "transformer"
    ENTERPRISE = "enterprise"
    PARK = "park"
    EDGE = "edge"


class ObjectRef(NamedTuple):
    """One object."""

    kind: ObjectKind
    name: str
    """Point key, ``park/code``, code of a park or of an edge."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @staticmethod
    def parse(text: str) -> "ObjectRef":
        """Object that a text names; `SmartparkError` when it names none."""
        kind, _, name = text.partition(":")
        if kind not in list(ObjectKind) or not name:
            raise SmartparkError(
                f"{text!r} names no object: write e.g. point:minhou/T01-E1/active_power or edge:gw-01"
            )
        return ObjectRef(ObjectKind(kind), name)


def group_key(subject: ObjectRef, *, device: str | None, cause: Cause) -> str:
    """Alerts of one group are one matter: the same cause at the same device, or else at the same object.

    `device` is ``park/code``; none: the object stands for itself.
    """
    place = str(ObjectRef(ObjectKind.DEVICE, device)) if device is not None else str(subject)
    return f"{cause}@{place}"
