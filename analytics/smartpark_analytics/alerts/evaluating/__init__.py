"""Rules at work: their objects, their detectors, and many of them at once. No I/O and no clock.

around = Surroundings(points, edges, parks, …)
board = Board(rules, around)
news = board.step(Readings(…), until_us)
"""

from smartpark_analytics.alerts.evaluating.binding import evaluation_of
from smartpark_analytics.alerts.evaluating.board import Board, News, Readings
from smartpark_analytics.alerts.evaluating.calendar import Calendar
from smartpark_analytics.alerts.evaluating.detection import Detection
from smartpark_analytics.alerts.evaluating.objects import Surroundings, watch
from smartpark_analytics.alerts.evaluating.of_registers import MeterReplaced
from smartpark_analytics.alerts.evaluating.stepping import Evaluation
from smartpark_analytics.alerts.evaluating.telling import Found
from smartpark_analytics.alerts.evaluating.watched import Subject, Unjudged, Watched

__all__ = [
    "Board",
    "Calendar",
    "Detection",
    "Evaluation",
    "Found",
    "MeterReplaced",
    "News",
    "Readings",
    "Subject",
    "Surroundings",
    "Unjudged",
    "Watched",
    "evaluation_of",
    "watch",
]
