"""From a rule to an evaluation: its objects, and its detector bound to their numbers.

The one place that knows which module judges what. Nothing is judged here.
"""

from typing import Final

from smartpark.alerts.detectors import (
    Agreement,
    Balance,
    ChangePoint,
    ClockDrift,
    DemandWarning,
    Detector,
    Emission,
    Gap,
    Limit,
    Multivariate,
    NightBase,
    PowerFactor,
    PowerQuality,
    Rate,
    Register,
    Seasonal,
    Silent,
    Stale,
    Stuck,
    TransformerLoad,
)
from smartpark.alerts.rules import Rule
from smartpark.measurands import Measurand
from smartpark.power_quality_limits import QualityQuantity

from smartpark_analytics.alerts.evaluating import learning, of_electricity, of_readings, of_registers
from smartpark_analytics.alerts.evaluating.detection import Detection
from smartpark_analytics.alerts.evaluating.objects import Surroundings, watch
from smartpark_analytics.alerts.evaluating.stepping import WINDOW_US, Evaluation
from smartpark_analytics.alerts.evaluating.watched import Watched

_MINUTE_US: Final = 60_000_000
_QUANTITY: Final = {
    Measurand.VOLTAGE: QualityQuantity.VOLTAGE_DEVIATION,
    Measurand.FREQUENCY: QualityQuantity.FREQUENCY,
    Measurand.VOLTAGE_UNBALANCE: QualityQuantity.VOLTAGE_UNBALANCE,
    Measurand.VOLTAGE_THD: QualityQuantity.VOLTAGE_THD,
}


def evaluation_of(rule: Rule, around: Surroundings) -> Evaluation:
    """A rule, ready to be given samples; one that finds no objects finds nothing ever."""
    watched = watch(rule, around)
    learner = (
        learning.learner_of(rule, watched, around.days(), WINDOW_US.get(rule.source, _MINUTE_US))
        if watched.rows
        else None
    )
    return Evaluation(rule, watched, detection_of(rule, watched, around), around.n_series(rule.source), learner)


def detection_of(rule: Rule, watched: Watched, around: Surroundings) -> Detection:
    """The detector of a rule, bound to the numbers of its objects."""
    match rule.detector:
        case Limit() | Stale() | Gap() | Silent() | Stuck():
            return _of_readings(rule, watched)
        case Rate() as detector:
            return of_registers.bind_rate(detector, watched)
        case Register():
            return of_registers.bind_register(watched, around.replaced)
        case ClockDrift() as detector:
            return of_registers.bind_clock(detector, watched, around.usual_delay_us)
        case Seasonal() | ChangePoint() | Multivariate() | NightBase():
            return learning.bind(rule, watched, around.days())
        case _:
            return _of_electricity(rule, watched, around)


def _of_readings(rule: Rule, watched: Watched) -> Detection:
    match rule.detector:
        case Stale() as detector:
            return of_readings.bind_stale(of_readings.stale_after(detector, watched))
        case Silent() as detector:
            return of_readings.bind_silent(detector, watched)
        case Gap() as detector:
            return of_readings.bind_gap(detector, watched)
        case Stuck() as detector:
            return of_readings.bind_stuck(detector, watched)
        case Limit() as detector:
            return of_readings.bind_limit(detector, watched)
        case other:
            raise TypeError(f"{other.kind} is not about readings alone")


def _of_electricity(rule: Rule, watched: Watched, around: Surroundings) -> Detection:
    match rule.detector:
        case PowerQuality() as detector:
            quantity = [
                _QUANTITY[around.points[s.series].measurand] for s in watched.subjects if s.series is not None
            ]
            return of_electricity.bind_quality(detector, watched, quantity, around.on)
        case DemandWarning() as detector:
            return of_electricity.bind_demand(detector, watched, around.on)
        case TransformerLoad() as detector:
            gap_us = 3 * WINDOW_US.get(rule.source, of_electricity.BESIDE_US // 3)
            return of_electricity.bind_transformer(detector, watched, around.on, gap_us)
        case Agreement() as detector:
            return of_electricity.bind_agreement(detector, watched, WINDOW_US[rule.source])
        case other:
            return _of_companions(other, watched)


def _of_companions(detector: Detector, watched: Watched) -> Detection:
    match detector:
        case PowerFactor():
            return of_electricity.bind_power_factor(watched)
        case Emission():
            return of_electricity.bind_emission(detector, watched)
        case Balance():
            return of_electricity.bind_balance(detector, watched)
        case other:
            raise TypeError(f"nobody judges {other.kind}")
