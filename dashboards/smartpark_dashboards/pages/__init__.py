"""The dashboards, one module each, in the order of the bar of links."""

from collections.abc import Callable

from smartpark_dashboards.dashboard import Dashboard
from smartpark_dashboards.pages.alerts import alerts
from smartpark_dashboards.pages.balance import balance
from smartpark_dashboards.pages.carbon import carbon
from smartpark_dashboards.pages.environment import environment
from smartpark_dashboards.pages.league import league
from smartpark_dashboards.pages.meters import meters
from smartpark_dashboards.pages.overview import overview
from smartpark_dashboards.pages.platform import platform
from smartpark_dashboards.pages.power import power
from smartpark_dashboards.pages.requests import requests

PAGES: tuple[Callable[[], Dashboard], ...] = (
    overview, power, balance, environment, carbon, meters, alerts, requests, league, platform,
)  # fmt: skip
"""Each gives its dashboard."""
