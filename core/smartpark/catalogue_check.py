"""Whether the parts of a catalogue fit together: codes used twice, references to nothing, loops, empty devices.

Works on the document as parsed from TOML, before any model has accepted it, so that one misspelt key does not
hide ten broken links. It judges no single value: types, ranges and spellings are the models' business.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any


def _entries(document: dict[str, Any], table: str) -> list[dict[str, Any]]:
    found = document.get(table)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


_REFERENCES = {
    "enterprise": {"sub_park": "sub_park"},
    "transformer": {"sub_park": "sub_park", "enterprise": "enterprise"},
    "device": {
        "sub_park": "sub_park",
        "enterprise": "enterprise",
        "transformer": "transformer",
        "profile": "profile",
        "parent": "device",
    },
}


def reference_problems(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Codes used twice, references to nothing, loops among parents, devices without points."""
    tables = ("sub_park", "enterprise", "transformer", "profile", "device")
    codes = {table: [str(e.get("code")) for e in _entries(document, table)] for table in tables}
    for table in tables:
        for code, uses in Counter(codes[table]).items():
            if uses > 1:
                yield f"{table}[{code}].code", f"used {uses} times; codes are unique per table"
    for table, references in _REFERENCES.items():
        for entry in _entries(document, table):
            for field, target in references.items():
                wanted = entry.get(field)
                if isinstance(wanted, str) and wanted not in codes[target]:
                    yield f"{table}[{entry.get('code')}].{field}", f"no {target} has the code {wanted!r}"
    yield from _parent_problems(document)
    yield from _point_problems(document)


def _parent_problems(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    devices = {str(e.get("code")): e for e in _entries(document, "device")}
    for code, device in devices.items():
        seen, here = [code], device.get("parent")
        while isinstance(here, str) and here in devices and here not in seen:
            seen.append(here)
            here = devices[here].get("parent")
        if here == code:
            yield f"device[{code}].parent", f"is its own ancestor: {' → '.join([*seen, code])}"
        parent = devices.get(str(device.get("parent")))
        if parent is not None and parent.get("carrier") != device.get("carrier"):
            other, own = parent.get("carrier"), device.get("carrier")
            yield f"device[{code}].parent", f"carries {other}, this one {own}: a parent measures the same carrier"


def _point_problems(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    profiles = {str(p.get("code")): _entries(p, "point") for p in _entries(document, "profile")}
    for device in _entries(document, "device"):
        points = [*profiles.get(str(device.get("profile")), []), *_entries(device, "point")]
        names = Counter(str(p.get("code") or p.get("measurand")) for p in points)
        if not points:
            yield (
                f"device[{device.get('code')}]",
                "has no points: give it a profile or [[device.point]] entries",
            )
        for name, uses in names.items():
            if uses > 1:
                yield (
                    f"device[{device.get('code')}].point[{name}]",
                    f"occurs {uses} times; give each its own code, e.g. {name}_a",
                )
