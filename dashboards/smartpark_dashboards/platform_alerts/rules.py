"""What Grafana watches of the platform, from which value on, and where one looks first. No word of a park's values.

A query answers a row for each thing that may be ill: columns of text say which (they become labels), and exactly one
number how ill. What nobody knows is no row, which is no alert: an installation without a park is in order.
"""

from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from smartpark_dashboards.queries import without_head
from smartpark_dashboards.words import Words

DASHBOARD: Final = "platform-operation"


@dataclass(frozen=True, slots=True)
class PlatformRule:
    """One rule. `uid` never changes: by it Grafana, people's routes and our record know it again."""

    uid: str
    title: Words
    about: Words
    """What it means, and what to do first."""
    query: str
    """Name of the file in ``sql/``."""
    above: float
    unit: str
    """Of the number, for people."""
    severity: str
    lasts: str
    """It must be so for as long before anybody is told."""
    panel: int
    """Of the dashboard `DASHBOARD`, where one sees it."""

    @property
    def sql(self) -> str:
        """Text of the query, as Grafana sends it."""
        path = files("smartpark_dashboards").joinpath("platform_alerts", "sql", f"{self.query}.sql")
        return without_head(path.read_text(encoding="utf-8"))


RULES: Final = (
    PlatformRule(
        "platform-no-readings",
        Words("平台：园区没有读数入库", "Platform: a park's readings do not come in"),
        Words(
            "该园区十分钟以上没有任何读数入库。先看采集代理、消息代理和 ingest 服务；网关会缓存，恢复后自动补传。",
            "Nothing was stored of the park for ten minutes. Look at the edge agents, the broker and the service "
            "ingest; agents spool what they read and send it later.",
        ),
        "no_readings", 600, "s", "critical", "2m", 10,
    ),
    PlatformRule(
        "platform-ingest-behind",
        Words("平台：读数入库滞后", "Platform: readings are stored late"),
        Words(
            "在线代理有读数等待确认超过十五分钟：数据库或 ingest 跟不上，或网络过慢。先看 ingest 日志与数据库负载。",
            "An agent that is online has waited for more than a quarter of an hour for a reading to be confirmed: "
            "the database or ingest cannot keep up, or the network is slow. Look at the log of ingest and the "
            "database's load.",
        ),
        "ingest_behind", 900, "s", "warning", "5m", 12,
    ),
    PlatformRule(
        "platform-spool-filling",
        Words("平台：网关缓存将满", "Platform: an agent's spool fills up"),
        Words(
            "网关缓存已用八成以上，写满后最旧的读数会丢失。恢复网络，或清理网关磁盘。",
            "More than four fifths of an agent's spool is used; when it is full the oldest readings are lost. Mend "
            "its network, or make room on its disk.",
        ),
        "spool_filling", 80, "%", "critical", "1m", 12,
    ),
    PlatformRule(
        "platform-derive-behind",
        Words("平台：小时数据未更新", "Platform: hours are not computed"),
        Words(
            "有读数入库，但三小时以上没有新的小时用电量。先看 derive 服务是否在运行、日志有无错误。",
            "Readings come in, and no hour's electricity was computed for three hours. Look whether the service "
            "derive runs, and at its log.",
        ),
        "derive_behind", 10800, "s", "warning", "10m", 3,
    ),
    PlatformRule(
        "platform-alerts-behind",
        Words("平台：读数未被告警判定", "Platform: nobody judges readings"),
        Words(
            "读数入库十分钟后仍未判定：alerts 服务没有运行或跟不上，现场告警和通知都会缺失。先看该服务是否在运行。",
            "Readings were stored ten minutes ago and not judged yet: the service alerts does not run or cannot keep "
            "up, and alerts of the park, and messages, are missing. Look whether it runs.",
        ),
        "alerts_behind", 600, "s", "critical", "5m", 15,
    ),
    PlatformRule(
        "platform-pull-failing",
        Words("平台：下级平台数据未拉取", "Platform: an instance is not pulled"),
        Words(
            "六小时以上未能完整拉取该平台的数据。用 smartpark province status 查看原因，并联系对方。",
            "Not everything of the instance was had for six hours. See: smartpark province status, and call them.",
        ),
        "pull_failing", 21600, "s", "warning", "10m", 16,
    ),
    PlatformRule(
        "platform-no-backup",
        Words("平台：没有可用的新备份", "Platform: no good backup"),
        Words(
            "最近一次成功备份已超过二十六小时，或启用三天后仍无备份记录。先看 backup 服务是否启用、日志与备份盘空间，"
            "再运行 scripts/backup check；若只是未能记录，日志会说明。",
            "The last good backup began more than 26 hours ago, or none is on record after three days of use. Look "
            "whether the service backup is there, at its log and at the room on its disk, then run scripts/backup "
            "check; where only the record is missing, the log says so.",
        ),
        "no_backup", 93600, "s", "critical", "10m", 26,
    ),
    PlatformRule(
        "platform-api-errors",
        Words("平台：接口差错过多", "Platform: the API answers with errors"),
        Words(
            "十分钟内超过百分之五的请求由服务器差错回答。先看 api 服务日志，再看数据库是否可用、连接是否耗尽。",
            "An error of the server answered more than 5 % of the requests of ten minutes. Look at the log of the "
            "service api, then whether the database answers and has connections left.",
        ),
        "api_errors", 5, "%", "warning", "5m", 22,
    ),
)  # fmt: skip
