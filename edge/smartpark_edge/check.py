"""Everything wrong with some settings files at once: shape, models, duplicates, passwords, and each other.

It opens no connection. References are checked on the raw documents, so that one misspelt key does not hide ten
other mistakes.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from pydantic import ValidationError
from smartpark.broker import CertificateError, CredentialError
from smartpark.catalogue import Catalogue, exponent_of
from smartpark.errors import InvalidFileError, Problem
from smartpark.measurands import Measurand
from smartpark.tomlfile import load_toml, problems_of

from smartpark_edge.device_models import DeviceModel, UnknownModelError, device_model
from smartpark_edge.mqtt_client import build_client
from smartpark_edge.settings import MqttSource, OpcUaSource, Settings, anchored

Document = Mapping[str, Any]


def check_files(paths: Sequence[Path]) -> list[Settings]:
    """Settings of every file; `InvalidFileError` with all problems of all files."""
    problems: list[Problem] = []
    settings: list[Settings] = []
    documents: dict[str, Document] = {}
    for path in paths:
        try:
            document = load_toml(path)
        except InvalidFileError as error:
            problems += error.problems
            continue
        documents[str(path)] = document
        problems += [Problem(str(path), key, message) for key, message in _references(document)]
        try:
            one = anchored(Settings.model_validate(document), path.parent.absolute())
        except ValidationError as error:
            problems += problems_of(error, document, file=str(path))
            continue
        settings.append(one)
        problems += [Problem(str(path), key, message) for key, message in _outside(one)]
    problems += _among(documents)
    if problems:
        raise InvalidFileError(dict.fromkeys(problems))
    return settings


def _tables(document: Document, *names: str) -> Iterator[tuple[str, Document]]:
    """Tables at a path such as ``mqtt``, ``device``, each with its key."""
    found = document.get(names[0])
    for number, entry in enumerate(cast("list[object]", found) if isinstance(found, list) else []):
        if not isinstance(entry, dict):
            continue
        table = cast("dict[str, Any]", entry)
        key = f"{names[0]}[{table.get('name', number)}]"
        if len(names) == 1:
            yield key, table
        else:
            for inner, deeper in _tables(table, *names[1:]):
                yield f"{key}.{inner}", deeper


def _references(document: Document) -> Iterator[tuple[str, str]]:
    for kind in ("mqtt", "opcua"):
        names = Counter(str(table.get("name")) for _, table in _tables(document, kind))
        for name, uses in names.items():
            if uses > 1:
                yield f"{kind}[{name}].name", f"used {uses} times; names of sources are unique"
    for key, device in _tables(document, "mqtt", "device"):
        yield from _model_problems(key, device)
    for key, source in _tables(document, "mqtt"):
        yield from ((f"{key}.{inner}", message) for inner, message in _topic_problems(source))


def _model_problems(key: str, device: Document) -> Iterator[tuple[str, str]]:
    if not isinstance(device.get("model"), str):
        return
    try:
        model = device_model(device["model"])
    except UnknownModelError as error:
        yield f"{key}.model", str(error)
        return
    if model.is_open:
        return
    codes = {channel.point_code for channel in model.channels}
    for table in ("points", "resolutions", "measurands"):
        for code in device.get(table) or ():
            if code not in codes:
                yield f"{key}.{table}", f"{model.name} has no point {code!r}; it has {', '.join(sorted(codes))}"


def _topic_problems(source: Document) -> Iterator[tuple[str, str]]:
    devices = list(_tables(source, "device"))
    plain = Counter(str(device.get("topic")) for _, device in devices if not device.get("select"))
    for topic, uses in plain.items():
        if uses > 1:
            yield (
                f"device[{topic}].topic",
                f"{uses} devices without `select` listen to it; say by which key their messages differ",
            )


def points_of(document: Document) -> Iterator[tuple[str, str]]:
    """Key in the file and point key, for every point that a document feeds, as far as it says."""
    for key, device in _tables(document, "mqtt", "device"):
        try:
            model = device_model(str(device.get("model")))
        except UnknownModelError:
            continue
        for code in _codes(device, model):
            yield f"{key}.{code}", f"{device.get('device')}/{code}"
    for key, point in _tables(document, "opcua", "point"):
        yield key, str(point.get("point"))


def _codes(device: Document, model: DeviceModel) -> list[str]:
    wanted = device.get("points")
    if isinstance(wanted, list):
        return [str(code) for code in cast("list[object]", wanted)]
    return [channel.point_code for channel in model.channels]


def _among(documents: Mapping[str, Document]) -> Iterator[Problem]:
    """What two agents, or two parts of one, may not share."""
    fed: dict[str, tuple[str, str]] = {}
    codes: dict[str, str] = {}
    spools: dict[str, str] = {}
    for file, document in documents.items():
        edge = document.get("edge")
        if isinstance(edge, dict):
            table = cast("dict[str, Any]", edge)
            code, spool = str(table.get("code")), str((Path(file).parent / str(table.get("spool"))).resolve())
            if codes.setdefault(code, file) != file:
                yield Problem(file, "edge.code", f"{code!r} is also the code of {codes[code]}")
            if spools.setdefault(spool, file) != file:
                yield Problem(file, "edge.spool", f"{table.get('spool')} is also the spool of {spools[spool]}")
        for key, point in points_of(document):
            first = fed.setdefault(point, (file, key))
            if first != (file, key):
                yield Problem(file, key, f"{point} is already fed by {first[1]} in {first[0]}")
    if len({str(Path(file).resolve()) for file in documents}) < len(documents):
        yield Problem(next(iter(documents)), "", "given twice")


def _outside(settings: Settings) -> Iterator[tuple[str, str]]:
    """Passwords and certificates that cannot be read."""
    brokers = [("broker", settings.broker), *((f"mqtt[{s.name}]", s) for s in settings.mqtt)]
    for key, address in brokers:
        protocol = address.protocol if isinstance(address, MqttSource) else settings.publish.protocol
        try:
            build_client(address, client_id="check", protocol=protocol, clean=True)
        except CertificateError as error:
            yield f"{key}.ca_file", str(error)
        except CredentialError as error:
            yield f"{key}.password_{'file' if address.password_file else 'env'}", str(error)
    for source in settings.opcua:
        yield from ((f"opcua[{source.name}].{key}", message) for key, message in _opcua_files(source))


def _opcua_files(source: OpcUaSource) -> Iterator[tuple[str, str]]:
    for key in ("certificate", "private_key", "password_file"):
        path: Path | None = getattr(source, key)
        if path is not None and not _readable(path):
            yield key, f"{path} cannot be read"
    if source.trust_store is not None and not source.trust_store.is_dir():
        yield "trust_store", f"{source.trust_store} is not a folder"


def _readable(path: Path) -> bool:
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False


def catalogue_problems(file: Path, settings: Settings, catalogues: Sequence[Catalogue]) -> Iterator[Problem]:
    """Points that no catalogue has, that measure something else there, or that are stored more coarsely."""
    known = {point.key: point for catalogue in catalogues for point in catalogue.points()}
    for key, fed in _fed(settings):
        found = known.get(fed.point)
        if found is None:
            message = f"no catalogue has {fed.point}; name the points that are wanted with points = [...]"
            yield Problem(str(file), key, message)
        elif found.measurand is not fed.measurand:
            yield Problem(str(file), key, f"is {fed.measurand} here and {found.measurand} in the catalogue")
        elif found.exponent is not None and fed.exponent is not None and fed.exponent < found.exponent:
            message = f"is counted in steps of 1e{fed.exponent} here and of 1e{found.exponent} in the catalogue"
            yield Problem(str(file), key, message)


class _Fed(NamedTuple):
    """A point that an agent will speak of."""

    point: str
    measurand: Measurand
    exponent: int | None


def _fed(settings: Settings) -> Iterator[tuple[str, _Fed]]:
    for source in settings.mqtt:
        for device in source.device:
            key = f"mqtt[{source.name}].device[{device.device}]"
            for channel in device_model(device.model).channels:
                code = channel.point_code
                if device.points is None or code in device.points:
                    resolution = device.resolutions.get(code, channel.resolution)
                    yield f"{key}.{code}", _Fed(f"{device.device}/{code}", channel.measurand, _exponent(resolution))
    for source in settings.opcua:
        for point in source.point:
            key = f"opcua[{source.name}].point[{point.point}]"
            yield key, _Fed(point.point, point.meaning, _exponent(point.resolution))


def _exponent(resolution: str | None) -> int | None:
    return None if resolution is None else exponent_of(resolution)
