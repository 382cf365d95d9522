"""Bookkeeping of green electricity certificates: which of them a claimant may count, and why others not.

A certificate stands for one amount of electricity that was generated somewhere in some month. It counts once, for
the one who had it cancelled, while it is valid. Nothing is bought, sold or cancelled here.
"""

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class CertificateFlag(IntFlag):
    """Why a certificate does not count. Bits are stored: never renumber them."""

    NOT_CANCELLED = 1
    """It can still be sold: nothing was claimed."""
    DOUBLE_CLAIM = 2
    """The same certificate was cancelled before; only the first cancellation counts."""
    EXPIRED = 4
    """It was cancelled after its validity had ended."""
    BEFORE_GENERATION = 8
    """It was cancelled before the month of generation had ended: one of the two dates is wrong."""
    NO_VOLUME = 16
    """It says no amount, or a negative one."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """Cancellations as they were entered; all arrays have shape (n_certificates,)."""

    certificate: Ints
    """Number of the certificate; the same one may have been entered more than once."""
    generated: NDArray[np.datetime64]
    """Month of generation, datetime64[M]."""
    volume: Floats
    """Electricity that it stands for. [kWh]"""
    cancelled_on: NDArray[np.datetime64]
    """Day of cancellation, datetime64[D]; NaT: not cancelled."""
    claimant: Ints
    """Number of the one for whom it was cancelled."""
    claimed_period: Ints
    """Number of the accounting period for which it was cancelled."""


def certificate_flags(certificates: Certificates, *, valid_months: int) -> Ints:
    """Find what keeps certificates from counting; 0 where nothing does.

    Parameters
    ----------
    certificates : Certificates
    valid_months : int
        Months after that of generation in which a certificate may be cancelled.

    Returns
    -------
    ndarray of int64, shape (n_certificates,)
        Bits of `CertificateFlag`.
    """
    cancelled = ~np.isnat(certificates.cancelled_on)
    month = certificates.cancelled_on.astype("datetime64[M]")
    age = np.where(cancelled, (month - certificates.generated).astype(np.int64), 1)
    flags = np.zeros(certificates.certificate.shape, np.int64)
    flags |= np.where(cancelled, 0, CertificateFlag.NOT_CANCELLED)
    flags |= np.where(age > valid_months, CertificateFlag.EXPIRED, 0)
    flags |= np.where(age < 1, CertificateFlag.BEFORE_GENERATION, 0)
    flags |= np.where(certificates.volume > 0, 0, CertificateFlag.NO_VOLUME)
    flags |= np.where(_is_repeated(certificates, cancelled), CertificateFlag.DOUBLE_CLAIM, 0)
    return flags


def certified_energy(certificates: Certificates, flags: Ints, claimant: int, n_periods: int) -> Floats:
    """Electricity per accounting period that a claimant's certificates cover.

    Parameters
    ----------
    certificates : Certificates
    flags : ndarray of int64, shape (n_certificates,)
        Of `certificate_flags`; flagged certificates cover nothing.
    claimant : int
        For whom.
    n_periods : int
        Periods are numbered 0 … n_periods - 1.

    Returns
    -------
    ndarray of float64, shape (n_periods,)
        [kWh]

    Examples
    --------
    Three certificates of one MWh, the second of which was claimed twice:

    >>> book = Certificates(
    ...     certificate=np.array([1, 2, 2]), generated=np.array(["2025-03"] * 3, "datetime64[M]"),
    ...     volume=np.full(3, 1000.0), claimant=np.array([0, 0, 1]), claimed_period=np.zeros(3, np.int64),
    ...     cancelled_on=np.array(["2025-06-01", "2025-06-01", "2025-07-01"], "datetime64[D]"))
    >>> flags = certificate_flags(book, valid_months=24)
    >>> certified_energy(book, flags, 0, 1), certified_energy(book, flags, 1, 1)
    (array([2000.]), array([0.]))
    """
    counts = (flags == 0) & (certificates.claimant == claimant)
    counts &= (certificates.claimed_period >= 0) & (certificates.claimed_period < n_periods)
    return np.bincount(
        certificates.claimed_period[counts], weights=certificates.volume[counts], minlength=n_periods
    ).astype(np.float64)


def _is_repeated(certificates: Certificates, cancelled: Bools) -> Bools:
    """Whether an earlier cancellation of the same certificate stands before each; of one day the first entered."""
    # What was not cancelled comes last, so that it never is the first claim.
    order = np.lexsort((certificates.cancelled_on, ~cancelled, certificates.certificate))
    number = certificates.certificate[order]
    follows = np.zeros(order.shape, np.bool_)
    follows[1:] = number[1:] == number[:-1]
    repeated = np.zeros(order.shape, np.bool_)
    repeated[order] = follows
    return repeated & cancelled
