"""Judges the comparison of a demo run: what must be zero, equal, or close."""

from collections.abc import Mapping
from typing import Any

TOLERANCE = 1e-3
"""Energy and carbon may differ by this share: registers count in steps. [1]"""
_ZEROS = ("readings_lost", "readings_duplicated", "readings_altered", "readings_unexpected")
_PAIRS = (("energy_kwh_true", "energy_kwh_computed"), ("co2_t_true", "co2_t_computed"))


def judge(found: Mapping[str, Any]) -> list[str]:
    """What is wrong with a comparison; empty when all is well.

    Examples
    --------
    >>> judge({"readings_sent": 1, "readings_lost": 2, "dead_letters": 0, "dead_letters_expected": 0,
    ...        "energy_kwh_true": 1.0, "energy_kwh_computed": 1.0, "co2_t_true": 1.0, "co2_t_computed": 1.0})
    ['readings_lost is 2, should be 0']
    """
    complaints = [f"{name} is {found[name]}, should be 0" for name in _ZEROS if found.get(name)]
    if not found["readings_sent"]:
        complaints.append("nothing was sent")
    if found["dead_letters"] != found["dead_letters_expected"]:
        complaints.append(f"{found['dead_letters']} dead letters, {found['dead_letters_expected']} expected")
    for true_name, computed_name in _PAIRS:
        true, computed = found[true_name], found[computed_name]
        if not true or abs(computed - true) > TOLERANCE * abs(true):
            complaints.append(f"{computed_name} is {computed}, {true_name} is {true}")
    return complaints
