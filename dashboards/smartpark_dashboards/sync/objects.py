"""What stands in an organisation: data source, folders, dashboards, preferences, playlists."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Final

from smartpark_dashboards.panels import DATASOURCE
from smartpark_dashboards.sync.declared import Organisation, Playlist, Source
from smartpark_dashboards.sync.link import GrafanaRefusedError, or_none, told
from smartpark_dashboards.sync.steps import Action, Json, Step, differences
from smartpark_dashboards.sync.within import Within
from smartpark_dashboards.words import Language

FOLDERS: Final[Mapping[Language, tuple[str, str]]] = {
    Language.ZH: ("smartpark", "智慧园区"),
    Language.EN: ("smartpark-en", "Smart park"),
}
"""Uid and title of the folder of each set, as the provisioned files have them."""
_UID: Final = DATASOURCE["uid"]
_PASSWORD_WRONG: Final = re.compile(r"password|authenticat|SASL|28P01", re.IGNORECASE)
_PLAYLISTS: Final = "/playlist.grafana.app/v1/namespaces/{}/playlists"


# --- data source --------------------------------------------------------------------------------------------------


def source_content(source: Source) -> Json:
    """The data source as Grafana keeps it, but for the password."""
    options: Json = {
        "database": source.database,
        "sslmode": source.tls,
        "postgresVersion": source.postgres_version,
        "timescaledb": source.timescale,
        "maxOpenConns": source.connections,
    }
    if source.tls_root_file:
        options |= {"tlsConfigurationMethod": "file-path", "sslRootCertFile": source.tls_root_file}
    return {
        "name": "park",
        "uid": _UID,
        "type": DATASOURCE["type"],
        "access": "proxy",
        "isDefault": True,
        "url": source.host,
        "user": source.role,
        "jsonData": options,
    }


def put_source(here: Within, source: Source | None) -> None:
    """The data source. Its password cannot be read back: it is written with anything else, or when it is refused."""
    if source is None:
        return
    with told(f"data source {_UID} of organisation {here.name}"):
        found = or_none(lambda: here.link.api.datasource.get_datasource_by_uid(_UID)) if here.exists else None
        wanted = source_content(source)
        secret = {"secureJsonData": {"password": source.password()}}
        name = f"{_UID} as {source.role}"
        if found is None:
            step = Step(here.name, "data source", name, Action.MAKE)
            here.book.do(step, lambda: here.link.api.datasource.create_datasource(wanted | secret))
        elif places := differences(wanted, found):
            step = Step(here.name, "data source", name, Action.CHANGE, ", ".join(places))
            _write_source(here, step, found, wanted | secret)
        elif not found.get("readOnly") and _PASSWORD_WRONG.search(_ill(here)):
            step = Step(here.name, "data source", name, Action.CHANGE, "password, as the old one is refused")
            _write_source(here, step, found, wanted | secret)
        else:
            here.book.do(Step(here.name, "data source", name, Action.KEEP))
        if here.exists and not here.book.dry and (ill := _ill(here)):
            here.book.do(Step(here.name, "data source", name, Action.PROBLEM, f"does not answer: {ill}"))
        if here.exists:
            _name_others(here)


def _write_source(here: Within, step: Step, found: Json, wanted: Json) -> None:
    if found.get("readOnly"):
        detail = f"comes from files, and differs in {step.detail}"
        here.book.do(Step(step.organisation, step.kind, step.name, Action.LEAVE, detail))
        return
    options = {
        "jsonData": {**(found.get("jsonData") or {}), **wanted["jsonData"]},
        "version": found.get("version", 0),
    }
    here.book.do(step, lambda: here.link.api.datasource.update_datasource_by_uid(_UID, wanted | options))


def _ill(here: Within) -> str:
    """What Grafana says when its data source does not answer; empty when it does."""
    try:
        with told("health"):
            answer = here.link.api.datasource.health(_UID)
    except GrafanaRefusedError as error:
        return str(error)
    return "" if answer.get("status") == "OK" else str(answer.get("message") or answer)


def _name_others(here: Within) -> None:
    for one in here.link.api.datasource.list_datasources():
        if one["uid"] != _UID:
            detail = "not declared here; every viewer of the organisation may ask it"
            here.book.do(Step(here.name, "data source", f"{one['name']} ({one['uid']})", Action.LEAVE, detail))


# --- folders and dashboards ---------------------------------------------------------------------------------------


def put_folder(here: Within, uid: str, title: str | None) -> None:
    """A folder under its uid and title."""
    with told(f"folder {uid} of organisation {here.name}"):
        found = or_none(lambda: here.link.api.folder.get_folder(uid)) if here.exists else None
        if found is None and title is None:
            raise GrafanaRefusedError(
                f"folder {uid} of organisation {here.name} is not there: give it a title, or let files or "
                "`dashboards` make it"
            )
        if found is None:
            step = Step(here.name, "folder", f"{title} ({uid})", Action.MAKE)
            here.book.do(step, lambda: here.link.api.folder.create_folder(title, uid=uid))
        elif title is None or found["title"] == title:
            here.book.do(Step(here.name, "folder", f"{found['title']} ({uid})", Action.KEEP))
        elif found.get("managedBy"):
            detail = f"is {found['title']!r} by {found['managedBy']}"
            here.book.do(Step(here.name, "folder", f"{title} ({uid})", Action.LEAVE, detail))
        else:
            step = Step(here.name, "folder", f"{title} ({uid})", Action.CHANGE, f"was {found['title']!r}")
            here.book.do(
                step, lambda: here.link.api.folder.update_folder(uid, title=title, version=found.get("version"))
            )


def put_dashboard(here: Within, folder: str, wanted: Json) -> None:
    """A dashboard, unless it comes from files.

    Grafana may keep a page in another form than it was given. So its newest version bears a digest of what was given:
    while nobody else has changed it since, it is as declared, however it looks.
    """
    uid = wanted["uid"]
    with told(f"dashboard {uid} of organisation {here.name}"):
        found = or_none(lambda: here.link.api.dashboard.get_dashboard(uid)) if here.exists else None
        message = f"smartpark grafana sync {_digest(wanted)}"
        content: Json = {"dashboard": wanted, "folderUid": folder, "overwrite": True, "message": message}
        name = f"{wanted['title']} ({uid})"
        if found is None:
            step = Step(here.name, "dashboard", name, Action.MAKE)
        elif found["meta"].get("provisioned"):
            here.book.do(Step(here.name, "dashboard", name, Action.LEAVE, "comes from files"))
            return
        elif places := _differs(here, message, folder, found, wanted):
            step = Step(here.name, "dashboard", name, Action.CHANGE, _few(places))
        else:
            here.book.do(Step(here.name, "dashboard", name, Action.KEEP))
            return
        here.book.do(step, lambda: here.link.api.dashboard.update_dashboard(content))


def _digest(document: Json) -> str:
    text = json.dumps(document, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _differs(here: Within, message: str, folder: str, found: Json, wanted: Json) -> list[str]:
    elsewhere = ["folder"] if found["meta"].get("folderUid", folder) != folder else []
    places = elsewhere + differences(wanted, found["dashboard"])
    if not places or elsewhere:
        return places
    answer = here.link.call("GET", f"/dashboards/uid/{wanted['uid']}/versions", params={"limit": 1})
    versions = answer["versions"] if isinstance(answer, dict) else answer
    return [] if versions and versions[0].get("message") == message else places


def _few(places: list[str]) -> str:
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    return ", ".join(places[:3]) + more


# --- preferences and playlists ------------------------------------------------------------------------------------


def put_preferences(here: Within, organisation: Organisation) -> None:
    """Home page, time zone, language, first day of the week and colours for everybody who chose none of their own."""
    declared = {
        "homeDashboardUID": organisation.home,
        "timezone": organisation.time_zone,
        "language": organisation.language,
        "weekStart": organisation.week_start,
        "theme": organisation.theme,
    }
    wanted = {key: value for key, value in declared.items() if value is not None}
    if not wanted:
        return
    with told(f"preferences of organisation {here.name}"):
        found = here.link.api.organization.get_preferences() if here.exists else {}
        changed = {key: value for key, value in wanted.items() if found.get(key, "") != value}
        if changed:
            step = Step(here.name, "preferences", ", ".join(changed), Action.CHANGE)
            # grafana-client's own model of preferences has no language.
            here.book.do(step, lambda: here.link.call("PATCH", "/org/preferences", json=changed))
        else:
            here.book.do(Step(here.name, "preferences", ", ".join(wanted), Action.KEEP))


def put_playlist(here: Within, playlist: Playlist) -> None:
    """A playlist, by the address that Grafana 13 gives them."""
    path = _PLAYLISTS.format("default" if here.number == 1 else f"org-{here.number}")
    items = [{"type": "dashboard_by_uid", "value": uid} for uid in playlist.dashboards]
    wanted: Json = {"title": playlist.name, "interval": playlist.interval, "items": items}
    with told(f"playlist {playlist.uid} of organisation {here.name} (Grafana 13 or newer has this address)"):
        found = None if not here.exists else or_none(lambda: here.link.apps("GET", f"{path}/{playlist.uid}"))
        metadata: Json = {"name": playlist.uid}
        content: Json = {"apiVersion": "playlist.grafana.app/v1", "kind": "Playlist", "spec": wanted}
        if found is None:
            step = Step(here.name, "playlist", playlist.name, Action.MAKE)
            here.book.do(step, lambda: here.link.apps("POST", path, json=content | {"metadata": metadata}))
        elif places := differences(wanted, found["spec"]):
            metadata["resourceVersion"] = found["metadata"]["resourceVersion"]
            step = Step(here.name, "playlist", playlist.name, Action.CHANGE, _few(places))
            here.book.do(
                step, lambda: here.link.apps("PUT", f"{path}/{playlist.uid}", json=content | {"metadata": metadata})
            )
        else:
            here.book.do(Step(here.name, "playlist", playlist.name, Action.KEEP))
