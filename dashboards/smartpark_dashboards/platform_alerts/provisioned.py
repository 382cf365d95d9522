"""From rules to the file that Grafana reads when it starts, the same text each time. It is committed, like the pages.

Nothing in it holds a ``$``: what Grafana writes in for variables differs between its versions and from key to key.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from smartpark.errors import Problem

from smartpark_dashboards.platform_alerts.rules import DASHBOARD, RULES, PlatformRule
from smartpark_dashboards.words import Json

FILE: Final = "alerting/platform.yaml"
"""Below the folder of provisioning."""
FOLDER: Final = "平台监控"
"""Of its own: were it one of the dashboards', Grafana might make it twice, for it knows those by a uid and this one
by its name alone."""
_SOURCE: Final = {"type": "grafana-postgresql-datasource", "uid": "park-tsdb"}
_EXPRESSION: Final = {"type": "__expr__", "uid": "__expr__"}
_HEAD: Final = (
    "# What Grafana watches of the platform itself. Written by: smartpark dashboards build. Change the code.\n"
)


def platform_document() -> Json:
    """What stands in the file."""
    group = {
        "orgId": 1,
        "name": "platform",
        "folder": FOLDER,
        "interval": "1m",
        "rules": [_rule(one) for one in RULES],
    }
    return {"apiVersion": 1, "groups": [group]}


def _rule(rule: PlatformRule) -> Json:
    annotations = {
        # Where it is shown stands here and beside, as Grafana writes it when it exports a rule.
        "__dashboardUid__": DASHBOARD,
        "__panelId__": str(rule.panel),
        "summary": rule.title.zh,
        "summary_en": rule.title.en,
        "description": rule.about.zh,
        "description_en": rule.about.en,
        "unit": rule.unit,
    }
    return {
        "uid": rule.uid,
        "title": rule.title.zh,
        "condition": "C",
        "for": rule.lasts,
        # Nothing that is ill has no row; a query that cannot be asked is an alert of its own.
        "noDataState": "OK",
        "execErrState": "Error",
        "isPaused": False,
        "dashboardUid": DASHBOARD,
        "panelId": rule.panel,
        "annotations": annotations,
        "labels": {"rule": rule.uid, "severity": rule.severity},
        "data": [_query(rule), _threshold(rule)],
    }


def _query(rule: PlatformRule) -> Json:
    model = {
        "refId": "A",
        "datasource": _SOURCE,
        "editorMode": "code",
        "format": "table",
        "rawQuery": True,
        "rawSql": rule.sql,
        "intervalMs": 60000,
        "maxDataPoints": 1000,
    }
    return {
        "refId": "A",
        "datasourceUid": _SOURCE["uid"],
        "relativeTimeRange": {"from": 600, "to": 0},
        "model": model,
    }


def _threshold(rule: PlatformRule) -> Json:
    model = {
        "refId": "C",
        "datasource": _EXPRESSION,
        "type": "threshold",
        "expression": "A",
        "conditions": [{"evaluator": {"type": "gt", "params": [rule.above]}}],
        "intervalMs": 60000,
        "maxDataPoints": 1000,
    }
    return {"refId": "C", "datasourceUid": "__expr__", "relativeTimeRange": {"from": 600, "to": 0}, "model": model}


def platform_file() -> str:
    """Text of the file."""
    return _HEAD + "\n".join(_lines(platform_document(), "")) + "\n"


def _lines(value: Any, indent: str) -> Iterator[str]:
    """YAML that people can compare: a line a value, and SQL in lines of its own."""
    items = [(f"{json.dumps(key)[1:-1]}:", one) for key, one in value.items()] if isinstance(value, dict) else [
        ("-", one) for one in value
    ]  # fmt: skip
    for head, one in items:
        if isinstance(one, dict | list) and one:
            below = list(_lines(one, indent + "  "))
            if head == "-":
                below[0] = f"{indent}- {below[0].lstrip()}"
                yield from below
            else:
                yield f"{indent}{head}"
                yield from below
        elif isinstance(one, str) and "\n" in one:
            yield f"{indent}{head} |-"
            yield from (f"{indent}  {line}".rstrip() for line in one.splitlines())
        else:
            yield f"{indent}{head} {json.dumps(one, ensure_ascii=False)}"


def write_platform_file(folder: Path) -> list[Path]:
    """Write it below the folder of provisioning when it differs; the files written."""
    path = folder / FILE
    if path.exists() and path.read_text(encoding="utf-8") == platform_file():
        return []
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(platform_file(), encoding="utf-8")
    return [path]


def outdated_platform_file(folder: Path) -> list[Problem]:
    """What is wrong with the file."""
    path = folder / FILE
    if not path.exists():
        return [Problem(str(path), "", "is missing; smartpark dashboards build writes it")]
    if path.read_text(encoding="utf-8") != platform_file():
        return [Problem(str(path), "", "differs from the code; smartpark dashboards build writes it anew")]
    return []
