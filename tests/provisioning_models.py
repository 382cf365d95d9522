"""Grafana's provisioning files, as strictly as it would have them and a little more: unknown keys are errors.

Grafana itself passes over keys that it does not know and fills in what is missing, so a slip of the pen is found when
somebody misses an alert. Whether files agree with each other, with the compose file and with the dashboards, is
`provisioning_problems`.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Files = Mapping[str, Any]
"""Name below the folder of provisioning → what stands in it."""
Uid = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{8,40}$")]
Text = Annotated[str, Field(min_length=1, pattern=r"^[^$]*$")]
"""Without a `$`: what is written in for variables differs from key to key and from version to version."""
Length = Annotated[str, Field(pattern=r"^[1-9]\d*(s|m|h)$")]
SecretFile = Annotated[str, Field(pattern=r"^\$__file\{/run/secrets/[a-z_.-]+\}$")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


# --- data sources --------------------------------------------------------------------------------------------------


class SourceSettings(Strict):
    database: Literal["smartpark"]
    sslmode: Literal["disable", "require", "verify-ca", "verify-full"]
    postgresVersion: Literal[1500, 1600, 1700]  # noqa: N815  Grafana's name
    timescaledb: Literal[True]
    maxOpenConns: Annotated[int, Field(ge=1, le=15)]  # noqa: N815  Grafana's name


class SourceSecrets(Strict):
    password: SecretFile


class Source(Strict):
    name: Text
    uid: Literal["park-tsdb"]
    type: Literal["grafana-postgresql-datasource"]
    access: Literal["proxy"]
    isDefault: Literal[True]  # noqa: N815  Grafana's name
    editable: Literal[False]
    url: Annotated[str, Field(pattern=r"^[a-z]+:\d+$")]
    user: Literal["smartpark_grafana"]
    secureJsonData: SourceSecrets  # noqa: N815  Grafana's name
    jsonData: SourceSettings  # noqa: N815  Grafana's name


class SourceFile(Strict):
    apiVersion: Literal[1]  # noqa: N815  Grafana's name
    datasources: Annotated[list[Source], Field(min_length=1, max_length=1)]


# --- dashboards ----------------------------------------------------------------------------------------------------


class ProviderOptions(Strict):
    path: Annotated[str, Field(pattern=r"^/")]


class Provider(Strict):
    name: Text
    folder: Text
    folderUid: Uid  # noqa: N815  Grafana's name
    type: Literal["file"]
    disableDeletion: Literal[True]  # noqa: N815  Grafana's name
    allowUiUpdates: Literal[False]  # noqa: N815  Grafana's name
    updateIntervalSeconds: Annotated[int, Field(ge=10)]  # noqa: N815  Grafana's name
    options: ProviderOptions


class ProviderFile(Strict):
    apiVersion: Literal[1]  # noqa: N815  Grafana's name
    providers: Annotated[list[Provider], Field(min_length=1)]


# --- alerting ------------------------------------------------------------------------------------------------------


class Reference(Strict):
    type: str
    uid: str


class Span(Strict):
    from_: Annotated[int, Field(alias="from", ge=60)]
    to: Literal[0]


class SqlModel(Strict):
    refId: Literal["A"]  # noqa: N815  Grafana's name
    datasource: Reference
    editorMode: Literal["code"]  # noqa: N815  Grafana's name
    format: Literal["table"]
    rawQuery: Literal[True]  # noqa: N815  Grafana's name
    rawSql: Annotated[str, Field(min_length=20)]  # noqa: N815  Grafana's name
    intervalMs: int  # noqa: N815  Grafana's name
    maxDataPoints: int  # noqa: N815  Grafana's name


class Evaluator(Strict):
    type: Literal["gt", "lt"]
    params: Annotated[list[int | float], Field(min_length=1, max_length=1)]


class Condition(Strict):
    evaluator: Evaluator


class ThresholdModel(Strict):
    refId: Literal["C"]  # noqa: N815  Grafana's name
    datasource: Reference
    type: Literal["threshold"]
    expression: Literal["A"]
    conditions: Annotated[list[Condition], Field(min_length=1, max_length=1)]
    intervalMs: int  # noqa: N815  Grafana's name
    maxDataPoints: int  # noqa: N815  Grafana's name


class SqlQuery(Strict):
    refId: Literal["A"]  # noqa: N815  Grafana's name
    datasourceUid: str  # noqa: N815  Grafana's name
    relativeTimeRange: Span  # noqa: N815  Grafana's name
    model: SqlModel


class Threshold(Strict):
    refId: Literal["C"]  # noqa: N815  Grafana's name
    datasourceUid: Literal["__expr__"]  # noqa: N815  Grafana's name
    relativeTimeRange: Span  # noqa: N815  Grafana's name
    model: ThresholdModel


class Annotations(Strict):
    summary: Text
    summary_en: Text
    description: Text
    description_en: Text
    unit: Text
    dashboard: Annotated[str, Field(alias="__dashboardUid__")]
    panel: Annotated[str, Field(alias="__panelId__", pattern=r"^[1-9]\d*$")]


class Labels(Strict):
    rule: Text
    severity: Literal["info", "warning", "critical"]


class Rule(Strict):
    uid: Uid
    title: Text
    condition: Literal["C"]
    for_: Annotated[Length, Field(alias="for")]
    noDataState: Literal["OK", "NoData", "Alerting", "KeepLast"]  # noqa: N815  Grafana's name
    execErrState: Literal["OK", "Error", "Alerting", "KeepLast"]  # noqa: N815  Grafana's name
    isPaused: Literal[False]  # noqa: N815  Grafana's name
    dashboardUid: str  # noqa: N815  Grafana's name
    panelId: int  # noqa: N815  Grafana's name
    annotations: Annotations
    labels: Labels
    data: tuple[SqlQuery, Threshold]

    @model_validator(mode="before")
    @classmethod
    def _two(cls, given: Any) -> Any:
        """A list of YAML is what a tuple is here."""
        if isinstance(given, dict) and isinstance(given.get("data"), list):
            return given | {"data": tuple(given["data"])}
        return given

    @model_validator(mode="after")
    def _agrees(self) -> "Rule":
        if self.labels.rule != self.uid:
            raise ValueError(f"its label rule says {self.labels.rule}: routes and our record know it by that")
        if (self.annotations.dashboard, self.annotations.panel) != (self.dashboardUid, str(self.panelId)):
            raise ValueError("where it is shown differs between its fields and its annotations")
        return self


class Group(Strict):
    orgId: Literal[1]  # noqa: N815  Grafana's name
    name: Text
    folder: Text
    interval: Length
    rules: Annotated[list[Rule], Field(min_length=1)]


class WebhookSettings(Strict):
    url: Annotated[str, Field(pattern=r"^https?://[a-z0-9.-]+(:\d+)?/[^?#\s]*$")]
    httpMethod: Literal["POST"]  # noqa: N815  Grafana's name
    authorization_scheme: Literal["Bearer"]
    authorization_credentials: SecretFile
    maxAlerts: Annotated[str, Field(pattern=r"^[1-9]\d*$")]  # noqa: N815  Grafana's name


class Webhook(Strict):
    uid: Uid
    type: Literal["webhook"]
    disableResolveMessage: Literal[False]  # noqa: N815  Grafana's name
    settings: WebhookSettings


class ContactPoint(Strict):
    orgId: Literal[1]  # noqa: N815  Grafana's name
    name: Text
    receivers: Annotated[list[Webhook], Field(min_length=1)]


class Matchers(Strict):
    receiver: Text
    object_matchers: Annotated[list[tuple[str, str, str]], Field(min_length=1)]


class Policy(Strict):
    orgId: Literal[1]  # noqa: N815  Grafana's name
    receiver: Text
    group_by: Annotated[list[Text], Field(min_length=1)]
    group_wait: Length
    group_interval: Length
    repeat_interval: Length
    routes: list[Matchers] = []


class AlertingFile(Strict):
    apiVersion: Literal[1]  # noqa: N815  Grafana's name
    groups: list[Group] = []
    contactPoints: list[ContactPoint] = []  # noqa: N815  Grafana's name
    policies: Annotated[list[Policy], Field(max_length=1)] = []


class PluginFile(Strict):
    apiVersion: Literal[1]  # noqa: N815  Grafana's name
    apps: Annotated[list[Any], Field(max_length=0)]


KINDS: Mapping[str, type[Strict]] = {
    "alerting": AlertingFile,
    "dashboards": ProviderFile,
    "datasources": SourceFile,
    "plugins": PluginFile,
}


def read_files(folder: Path) -> dict[str, Any]:
    """All files of a folder of provisioning."""
    return {
        path.relative_to(folder).as_posix(): yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def provisioning_problems(files: Files, *, grafana: Mapping[str, Any], services: Any, panels: Any) -> list[str]:
    """What is wrong with the files of provisioning.

    Parameters
    ----------
    files : Mapping
    grafana : Mapping
        Grafana's service of the compose file.
    services : Mapping
        All of them.
    panels : Mapping
        Uid of each dashboard → ids of its panels.
    """
    parsed: dict[str, Strict] = {}
    problems: list[str] = []
    for name, document in files.items():
        kind = KINDS.get(name.partition("/")[0])
        if kind is None or not re.fullmatch(r"[a-z]+/[a-z]+\.yaml", name):
            problems.append(f"{name}: Grafana reads nothing there")
            continue
        try:
            parsed[name] = kind.model_validate(document)
        except ValidationError as error:
            problems += [f"{name}: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
    return problems or [*_disagreements(list(parsed.values()), grafana, services, panels)]


def _disagreements(files: list[Strict], grafana: Mapping[str, Any], services: Any, panels: Any) -> Iterator[str]:
    alerting = [one for one in files if isinstance(one, AlertingFile)]
    sources = [source for one in files if isinstance(one, SourceFile) for source in one.datasources]
    providers = [provider for one in files if isinstance(one, ProviderFile) for provider in one.providers]
    groups = [group for one in alerting for group in one.groups]
    rules = [rule for group in groups for rule in group.rules]
    points = [point for one in alerting for point in one.contactPoints]
    policies = [policy for one in alerting for policy in one.policies]
    yield from _twice("uid", [rule.uid for rule in rules])
    yield from _twice("title", [rule.title for rule in rules])
    yield from _twice("contact point", [point.name for point in points])
    yield from _twice("folder", [one.folder for one in providers])
    yield from _twice("folderUid", [one.folderUid for one in providers])
    for rule in rules:
        yield from _of_rule(rule, {source.uid for source in sources}, panels)
    for group in groups:
        if group.folder in {one.folder for one in providers}:
            yield f"{group.name}: Grafana knows {group.folder} of the dashboards by its uid, and might make two"
    yield from _untold(points, policies)
    yield from _surroundings(sources, providers, points, grafana, services)


def _of_rule(rule: Rule, known: set[str], panels: Any) -> Iterator[str]:
    query = rule.data[0]
    asked = {query.datasourceUid, query.model.datasource.uid}
    if asked - known or len(asked) > 1:
        yield f"{rule.uid}: asks the data source {sorted(asked)}, and there is {sorted(known)}"
    if rule.data[1].model.datasource.uid != "__expr__":
        yield f"{rule.uid}: its threshold is no expression"
    if rule.panelId not in panels.get(rule.dashboardUid, ()):
        yield f"{rule.uid}: there is no panel {rule.panelId} of {rule.dashboardUid}"


def _untold(points: list[ContactPoint], policies: list[Policy]) -> Iterator[str]:
    names = {point.name for point in points}
    for policy in policies:
        for receiver in (policy.receiver, *(route.receiver for route in policy.routes)):
            if receiver not in names:
                yield f"a policy tells {receiver}, and there is no such contact point"
    if points and not policies:
        yield "no policy tells anybody"


def _twice(what: str, names: list[str]) -> Iterator[str]:
    yield from (f"{what} {name} stands twice" for name in sorted({one for one in names if names.count(one) > 1}))


def _surroundings(
    sources: list[Source], providers: list[Provider], points: list[ContactPoint], grafana: Any, services: Any
) -> Iterator[str]:
    """What the files take to be there in the container."""
    mounts = [volume.split(":")[1] for volume in grafana["volumes"]]
    for provider in providers:
        if not any(provider.options.path.startswith(f"{place}/") for place in mounts):
            yield f"{provider.name}: nothing is mounted at {provider.options.path}"
    webhooks = [receiver for point in points for receiver in point.receivers]
    named = [source.secureJsonData.password for source in sources]
    named += [one.settings.authorization_credentials for one in webhooks]
    for text in named:
        secret = text.removeprefix("$__file{/run/secrets/").removesuffix("}")
        if secret not in grafana["secrets"]:
            yield f"Grafana is not given the secret {secret}"
    hosts = [source.url.partition(":")[0] for source in sources]
    hosts += [re.split(r"[/:]+", one.settings.url)[1] for one in webhooks]
    for host in hosts:
        if host not in services:
            yield f"there is no service {host}"
        elif not set(services[host]["networks"]) & set(grafana["networks"]) - {"outside"}:
            yield f"Grafana does not see {host}"
