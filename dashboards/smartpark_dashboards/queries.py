"""SQL of the dashboards: one file per panel, below ``sql/<dashboard>/``."""

from importlib.resources import files


def read_sql(dashboard: str, name: str) -> str:
    """Text of a query without the comment lines at its head: older Grafana would send them along."""
    return without_head(
        files("smartpark_dashboards").joinpath("sql", dashboard, f"{name}.sql").read_text(encoding="utf-8")
    )


def without_head(text: str) -> str:
    """A query without the comment lines at its head."""
    lines = text.splitlines()
    while lines and (lines[0].startswith("--") or not lines[0].strip()):
        lines.pop(0)
    return "\n".join(lines).strip()
