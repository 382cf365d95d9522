"""A green certificate counts once, for the one who had it cancelled, while it is valid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.factors import builtin_factors
from smartpark_analytics import CertificateFlag, Certificates, certificate_flags, certified_energy

(RULE,) = builtin_factors().certificate


def book(*rows):
    """(certificate, generated, cancelled on or None, claimant, period)."""
    number, generated, cancelled, claimant, period = (list(column) for column in zip(*rows, strict=True))
    return Certificates(
        certificate=np.array(number, np.int64),
        generated=np.array(generated, "datetime64[M]"),
        volume=np.full(len(rows), RULE.kwh),
        cancelled_on=np.array([c or "NaT" for c in cancelled], "datetime64[D]"),
        claimant=np.array(claimant, np.int64),
        claimed_period=np.array(period, np.int64),
    )


def flags_of(*rows):
    return certificate_flags(book(*rows), valid_months=RULE.valid_months).tolist()


def test_the_rule_is_data():
    assert (RULE.instrument, RULE.kwh, RULE.valid_months) == ("gec", 1000.0, 24)


@pytest.mark.parametrize(
    ("generated", "cancelled", "flag"),
    [
        ("2024-01", "2024-02-01", 0),
        ("2024-01", "2026-01-31", 0),
        ("2024-01", "2026-02-01", CertificateFlag.EXPIRED),
        ("2024-01", "2024-01-31", CertificateFlag.BEFORE_GENERATION),
        ("2024-01", None, CertificateFlag.NOT_CANCELLED),
    ],
)
def test_validity_begins_after_the_month_of_generation_and_ends(generated, cancelled, flag):
    assert flags_of((1, generated, cancelled, 0, 0)) == [flag]


def test_one_certificate_is_not_claimed_twice_and_the_first_claim_counts():
    rows = [
        (7, "2024-01", "2024-06-02", 1, 0),
        (7, "2024-01", "2024-06-01", 0, 0),
        (8, "2024-01", "2024-06-02", 1, 0),
    ]
    assert flags_of(*rows) == [CertificateFlag.DOUBLE_CLAIM, 0, 0]
    whole = book(*rows)
    flags = certificate_flags(whole, valid_months=24)
    assert certified_energy(whole, flags, 0, 1).tolist() == [1000.0]
    assert certified_energy(whole, flags, 1, 1).tolist() == [1000.0]


def test_an_entry_that_was_not_cancelled_takes_nothing_from_one_that_was():
    assert flags_of((7, "2024-01", None, 0, 0), (7, "2024-01", "2024-06-01", 1, 0)) == [1, 0]


def test_a_certificate_covers_the_period_it_was_cancelled_for():
    whole = book(
        (1, "2024-01", "2024-06-01", 0, 0), (2, "2024-01", "2024-06-01", 0, 2), (3, "2024-01", "2024-06-01", 0, 9)
    )
    flags = certificate_flags(whole, valid_months=24)
    assert certified_energy(whole, flags, 0, 3).tolist() == [1000.0, 0.0, 1000.0]


def test_no_certificates_cover_nothing():
    empty = Certificates(
        np.zeros(0, np.int64),
        np.zeros(0, "datetime64[M]"),
        np.zeros(0),
        np.zeros(0, "datetime64[D]"),
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
    )
    assert certified_energy(empty, certificate_flags(empty, valid_months=24), 0, 2).tolist() == [0.0, 0.0]


claims = st.tuples(
    st.integers(1, 8),
    st.just("2024-01"),
    st.sampled_from([None, "2024-03-01", "2024-04-01", "2024-05-01"]),
    st.integers(0, 2),
    st.integers(0, 2),
)


@given(st.lists(claims, min_size=1, max_size=30))
def test_nobody_can_claim_more_than_was_ever_generated(rows):
    whole = book(*rows)
    flags = certificate_flags(whole, valid_months=24)
    claimed = sum(certified_energy(whole, flags, claimant, 3).sum() for claimant in range(3))
    cancelled = {row[0] for row in rows if row[2]}
    assert claimed == len(cancelled) * RULE.kwh


@given(
    st.lists(claims, min_size=1, max_size=30, unique_by=lambda row: (row[0], row[2])),
    st.randoms(use_true_random=False),
)
def test_the_order_of_entry_does_not_matter_where_days_differ(rows, random):
    shuffled = random.sample(rows, len(rows))
    totals = []
    for entered in (rows, shuffled):
        whole = book(*entered)
        flags = certificate_flags(whole, valid_months=24)
        totals.append([certified_energy(whole, flags, claimant, 3).tolist() for claimant in range(3)])
    assert totals[0] == totals[1]
