"""The dashboard `park-overview`: the park now, and how far the numbers can be trusted."""

from smartpark_dashboards.panels import Dashboard, Panel, Stat, Step, Table, TimeSeries, Variable
from smartpark_dashboards.queries import read_sql

UID = "park-overview"

_COMPLETENESS = (Step(None, "red"), Step(95, "orange"), Step(99, "green"))


def overview() -> Dashboard:
    """Load, energy, carbon, completeness, agents and dead letters of one park."""
    return Dashboard(
        uid=UID,
        title="园区总览",
        description="The park now: load, energy and carbon of today, and how complete the data is. "
        "园区现状：负荷、今日用能与碳排放，以及数据完整程度。",
        variables=[Variable("park", "园区", read_sql(UID, "parks"))],
        panels=[*_today(), *_curves(), *_trust()],
    )


def _today() -> list[Panel]:
    return [
        Stat(
            "边界受电功率",
            "Power from the grid: active power through the meters at the park's boundary, from readings of the last "
            "15 minutes, without the park's own generation; a dash when one of them is silent. "
            "园区边界电表的有功功率，不含自发电；任一电表静默则不显示。",
            read_sql(UID, "load_now"),
            width=5, height=4, unit="kwatt", decimals=0,
        ),
        Stat(
            "今日用电量",
            "Electricity consumption since midnight in the park's zone. 当地零点以来的用电量。",
            read_sql(UID, "electricity_today"),
            width=5, height=4, unit="kwatth", decimals=1,
        ),
        Stat(
            "今日综合能耗",
            "Comprehensive energy since midnight, calorific basis (GB/T 2589). 当量值综合能耗。",
            read_sql(UID, "energy_today"),
            width=5, height=4, unit="suffix:tce", decimals=2,
        ),
        Stat(
            "今日二氧化碳",
            "CO2 since midnight: combustion, purchased electricity (location based) and heat. 燃烧与外购电、热。",
            read_sql(UID, "carbon_today"),
            width=5, height=4, unit="suffix:tCO2", decimals=2,
        ),
        Stat(
            "24 小时完整率",
            "Mean completeness of the hourly electricity of the last 24 hours; hours not computed count as missing. "
            "近24小时小时电量的平均完整率，未计算的小时按缺失计。",
            read_sql(UID, "completeness_24h"),
            width=4, height=4, unit="percent", decimals=1, steps=_COMPLETENESS,
        ),
    ]  # fmt: skip


def _curves() -> list[Panel]:
    return [
        TimeSeries(
            "边界负荷",
            "Mean active power at the boundary per 15 minutes. A gap is a gap. 15分钟平均功率，缺数不补零。",
            read_sql(UID, "load_curve"),
            width=12, height=9, unit="kwatt",
        ),
        TimeSeries(
            "小时用电量",
            "Electricity consumption per hour, latest revision. 每小时用电量，取最新修订。",
            read_sql(UID, "electricity_hours"),
            width=12, height=9, unit="kwatth", bars=True,
        ),
    ]  # fmt: skip


def _trust() -> list[Panel]:
    return [
        Table(
            "采集代理",
            "Edge agents: connected, how far behind, how long the spool lasts. 采集代理：在线、滞后与缓存余量。",
            read_sql(UID, "agents"),
            width=14, height=7, units={"滞后": "s", "缓存余量": "h"},
        ),
        Table(
            "死信（24 小时）",
            "Messages set aside in the last 24 hours by reason; they can be replayed. 未能入库的消息，可重放。",
            read_sql(UID, "dead_letters"),
            width=10, height=7, unit="short",
        ),
    ]  # fmt: skip
