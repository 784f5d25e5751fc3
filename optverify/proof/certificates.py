r"""Worst-case rates certified by multipliers, checked over fractions without any solver.

What is known of f along a path is a list of inequalities (see performance.py). Nonnegative multipliers of
them certify a rate if their sum falls short of rate - measure by a positive semidefinite form alone (the
dual of Drori and Teboulle 2014). With |x_0| = 1 and f* = 0:

    rate - measure = sum of multiplier times inequality + start (1 - |x_0|^2) + form,    start >= 0,

for every value of f_0, ..., f_N and every Gram matrix.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from optverify.proof.outcome import NotProved, Refuted
from optverify.proof.performance import (
    STAR,
    FunctionClass,
    Matrix,
    Measure,
    Path,
    between,
    bounded,
    combine,
    product,
)
from optverify.proof.semidefinite import is_semidefinite

Pair = tuple[int, int]


@dataclass(frozen=True)
class Certificate:
    """A rate and its multipliers: of the inequalities between points (i, j), and of |g_i| <= 1."""

    rate: Fraction
    multipliers: Mapping[Pair, Fraction]
    bounds: Mapping[int, Fraction] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for w in (self.rate, *self.multipliers.values(), *self.bounds.values()):
            if isinstance(w, float):
                raise TypeError(f"{w!r} is a float: a certificate is made of fractions")


def show_certificate(
    path: Path, family: FunctionClass, measure: Measure, certificate: Certificate, what: str
) -> None:
    """Show measure <= rate for every function of the class with |theta_0 - theta*| <= 1, in every dimension.

    Raises NotProved if the certificate certifies nothing, Refuted if it is none: the rate may be true all
    the same.
    """
    if min([*certificate.multipliers.values(), *certificate.bounds.values()], default=0) < 0:
        raise Refuted(f"{what}: a multiplier is negative")
    if certificate.bounds and family.smooth:
        raise NotProved(f"{what}: smooth functions have no bound on their gradients")
    if any(not -1 <= i <= path.horizon for i in _indices(certificate)):
        raise NotProved(f"{what}: a multiplier is for a point that is not on the path")
    show_balanced(path, measure, certificate, what)
    start = certificate.rate - sum(certificate.bounds.values(), Fraction(0))
    if start < 0 or not is_semidefinite(remainder(path, family, measure, certificate)):
        raise Refuted(f"{what}: what the multipliers leave over is not positive semidefinite")


def _indices(certificate: Certificate) -> list[int]:
    return [i for pair in certificate.multipliers for i in pair] + list(certificate.bounds)


def show_balanced(path: Path, measure: Measure, certificate: Certificate, what: str) -> None:
    """Show that the multipliers leave of the values f_i just the measure."""
    left = [Fraction(0)] * (path.horizon + 1)
    for (i, j), w in certificate.multipliers.items():
        for k, sign in ((i, -1), (j, 1)):
            if k != STAR:
                left[k] += sign * w
    if measure == "best gap":  # any mean of the gaps is at least the smallest
        if min(left) < 0 or sum(left) != 1:
            raise NotProved(f"{what}: the multipliers leave no mean of the gaps over")
        return
    wanted = [Fraction(measure == "gap" and k == path.horizon) for k in range(path.horizon + 1)]
    if left != wanted:
        raise NotProved(f"{what}: the multipliers leave function values over")


def remainder(path: Path, family: FunctionClass, measure: Measure, certificate: Certificate) -> Matrix:
    """The quadratic form that must be positive semidefinite."""
    size = path.horizon + 2
    x = tuple(Fraction(k == 0) for k in range(size))
    start = certificate.rate - sum(certificate.bounds.values(), Fraction(0))
    terms = [(start, product(x, x))]
    if measure == "distance":
        terms.append((Fraction(-1), product(path.points[-1], path.points[-1])))
    terms += [(-w, between(path, family, i, j).form) for (i, j), w in certificate.multipliers.items()]
    terms += [(-w, bounded(path, i).form) for i, w in certificate.bounds.items()]
    return combine(terms, size)


# ---- as data -------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(/[1-9][0-9]*)?")
_KEYS = {"horizon", "rate", "multipliers", "bounds"}


def number(text: Any) -> Fraction:
    """The fraction written as "p/q" or "p"; ValueError for anything else."""
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no fraction like '2/3'")
    return Fraction(text)


def _index(text: Any) -> int:
    if text == "*":
        return STAR
    if type(text) is not int or text < 0:
        raise ValueError(f"{text!r} is no point: 0, 1, ... or '*' for the minimum")
    return text


def to_json(certificates: Mapping[int, Certificate]) -> str:
    """Certificates by horizon, as JSON text, a multiplier a line; the same ones give the same text."""
    records = []
    for horizon, c in sorted(certificates.items()):
        pairs = sorted(c.multipliers.items())
        multipliers = [[_name(i), _name(j), str(w)] for (i, j), w in pairs if w]
        bounds = [[i, str(w)] for i, w in sorted(c.bounds.items()) if w]
        records.append(
            {"horizon": horizon, "rate": str(c.rate), "multipliers": multipliers, "bounds": bounds}
        )
    text = json.dumps(records, indent=1)
    return re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda m: f"[{' '.join(m[1].split())}]", text) + "\n"


def _name(i: int) -> int | str:
    return "*" if i == STAR else i


def from_json(text: str) -> dict[int, Certificate]:
    """Read what to_json wrote. ValueError, in a line, for anything else; nothing is evaluated."""
    found: dict[int, Certificate] = {}
    try:
        records = json.loads(text)
    except json.JSONDecodeError as failed:
        raise ValueError(f"no JSON: {failed}") from None
    if not isinstance(records, list):
        raise ValueError("no list of certificates")
    for record in records:
        if not isinstance(record, dict) or set(record) != _KEYS:
            raise ValueError(f"a certificate has {', '.join(sorted(_KEYS))} and nothing else")
        horizon = _index(record["horizon"])
        try:
            multipliers = {(_index(i), _index(j)): number(w) for i, j, w in record["multipliers"]}
            bounds = {_index(i): number(w) for i, w in record["bounds"]}
        except TypeError:
            raise ValueError("multipliers are lists [i, j, 'p/q'], bounds are lists [i, 'p/q']") from None
        if len(multipliers) < len(record["multipliers"]) or len(bounds) < len(record["bounds"]):
            raise ValueError(f"the certificate for horizon {horizon} has a multiplier twice")
        if horizon in found:
            raise ValueError(f"two certificates are for horizon {horizon}")
        found[horizon] = Certificate(number(record["rate"]), multipliers, bounds)
    return found
