"""Whether the parts of a catalogue fit together: codes used twice, references to nothing, loops, empty devices.

Works on the document as parsed from TOML, before any model has accepted it, so that one misspelt key does not
hide ten broken links. It judges no single value: types, ranges and spellings are the models' business.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from smartpark.expressions import ExpressionError, cycle_in, parse_expression


def _entries(document: dict[str, Any], table: str) -> list[dict[str, Any]]:
    found = document.get(table)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


_REFERENCES = {
    "enterprise": {"sub_park": "sub_park"},
    "feeder": {"sub_park": "sub_park", "main_transformer": "transformer"},
    "transformer": {"sub_park": "sub_park", "enterprise": "enterprise", "feeder": "feeder"},
    "contract": {"enterprise": "enterprise"},
    "device": {
        "sub_park": "sub_park",
        "enterprise": "enterprise",
        "transformer": "transformer",
        "profile": "profile",
        "parent": "device",
    },
    "virtual_meter": {"sub_park": "sub_park", "enterprise": "enterprise"},
    "meter_change": {"device": "device"},
}


def reference_problems(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Codes used twice, references to nothing, loops among parents, devices without points."""
    tables = ("sub_park", "enterprise", "feeder", "transformer", "contract", "profile", "device", "virtual_meter")
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
                    yield f"{_named(table, entry)}.{field}", f"no {target} has the code {wanted!r}"
    for code in sorted({*codes["device"]} & {*codes["virtual_meter"]}):
        yield f"virtual_meter[{code}].code", "is the code of a device too: an expression could not tell them apart"
    yield from _expression_problems(document)
    yield from _parent_problems(document)
    yield from _feeder_problems(document)
    yield from _station_problems(document)
    yield from _point_problems(document)
    yield from _change_problems(document)


def _expression_problems(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Expressions that cannot be read, names in them that nothing has, meters that need each other in a circle."""
    points = {
        f"{device.get('code')}/{point.get('code') or point.get('measurand')}"
        for device in _entries(document, "device")
        for point in _points_of(document, device)
    }
    codes = {str(e.get("code")) for table in ("device", "virtual_meter") for e in _entries(document, table)}
    needs: dict[str, tuple[str, ...]] = {}
    for meter in _entries(document, "virtual_meter"):
        key = f"virtual_meter[{meter.get('code')}].expression"
        text = meter.get("expression")
        if not isinstance(text, str):
            continue
        try:
            names = parse_expression(text).names
        except ExpressionError as error:
            yield key, str(error)
            continue
        needs[str(meter.get("code"))] = names
        for name in names:
            if name not in codes | points:
                yield key, f"no device, virtual meter or device/point has the code {name!r}"
        if not names:
            yield key, "names no meter: a number alone measures nothing"
    circle = cycle_in(needs)
    if circle is not None:
        yield f"virtual_meter[{circle[0]}].expression", f"needs itself: {' → '.join(circle)}"


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
        if parent is not None and _network(parent) != _network(device):
            other, own = parent.get("carrier"), device.get("carrier")
            yield f"device[{code}].parent", f"carries {other}, this one {own}: a parent measures the same carrier"


def _network(device: dict[str, Any]) -> object:
    """What flows there: photovoltaic electricity is electricity."""
    carrier = device.get("carrier")
    return "electricity" if carrier == "photovoltaic" else carrier


def _named(table: str, entry: dict[str, Any]) -> str:
    own = entry["code"] if "code" in entry else f"{entry.get('device')}/{entry.get('point')}"
    return f"{table}[{own}]"


def _feeder_problems(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    feeder_of = {str(t.get("code")): t.get("feeder") for t in _entries(document, "transformer")}
    source_of = {str(f.get("code")): f.get("main_transformer") for f in _entries(document, "feeder")}
    for code, feeder in feeder_of.items():
        seen, here = [code], source_of.get(str(feeder))
        while isinstance(here, str) and here in feeder_of and here not in seen:
            seen.append(here)
            here = source_of.get(str(feeder_of[here]))
        if here == code:
            yield f"transformer[{code}].feeder", f"feeds itself: {' → '.join([*seen, code])}"


def _station_problems(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Stations whose transformers could not stand in for each other."""
    stations: dict[str, list[dict[str, Any]]] = {}
    for transformer in _entries(document, "transformer"):
        if isinstance(transformer.get("station"), str):
            stations.setdefault(transformer["station"], []).append(transformer)
    for station, units in stations.items():
        key = f"transformer[{units[0].get('code')}].station"
        if len(units) == 1:
            yield key, f"station {station!r} has no other transformer: nothing stands in for it, leave the key out"
        for field, what in (("voltage_kv", "voltages"), ("feeder", "feeders")):
            if len({str(unit.get(field)) for unit in units}) > 1:
                names = ", ".join(str(unit.get("code")) for unit in units)
                yield key, f"station {station!r}: {names} have different {what} and cannot stand in for each other"


def _points_of(document: dict[str, Any], device: dict[str, Any]) -> list[dict[str, Any]]:
    profiles = {str(p.get("code")): _entries(p, "point") for p in _entries(document, "profile")}
    return [*profiles.get(str(device.get("profile")), []), *_entries(device, "point")]


def _change_problems(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    devices = {str(e.get("code")): e for e in _entries(document, "device")}
    seen = Counter(
        (str(c.get("device")), str(c.get("point")), c.get("at")) for c in _entries(document, "meter_change")
    )
    for (device, point, at), uses in seen.items():
        key = f"meter_change[{device}/{point}]"
        if uses > 1:
            yield f"{key}.at", f"{at} is given {uses} times"
        if device in devices:
            names = [str(p.get("code") or p.get("measurand")) for p in _points_of(document, devices[device])]
            if point not in names:
                yield f"{key}.point", f"device {device} has no point {point!r}; it has: {', '.join(sorted(names))}"


def _point_problems(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for device in _entries(document, "device"):
        points = _points_of(document, device)
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
