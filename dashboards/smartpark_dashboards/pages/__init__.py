"""The dashboards, one module each, in the order of the bar of links."""

from collections.abc import Callable

from smartpark_dashboards.dashboard import Dashboard
from smartpark_dashboards.pages.overview import overview

PAGES: tuple[Callable[[], Dashboard], ...] = (overview,)
"""Each gives its dashboard."""
