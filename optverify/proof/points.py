"""Exact points to try a statement at: the same ones every time."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from math import isinf

import sympy as sp

from optverify.language import Domain

Domains = Mapping[sp.Symbol, Domain]
Point = dict[sp.Symbol, sp.Rational]

POSITIVE = tuple(map(sp.Rational, ("1", "2", "1/2", "3", "5", "2/3")))
UNIT = tuple(map(sp.Rational, ("1/2", "1/3", "3/4", "1/5")))


def points(symbols: Iterable[sp.Symbol], domains: Domains, count: int = 24) -> Iterator[Point]:
    """Yield rational points at which every symbol keeps its domain, or else its assumptions."""
    pools = {s: _pool(s, domains.get(s)) for s in sorted(symbols, key=lambda s: s.name)}
    chance = random.Random(0)
    for _ in range(count):
        yield {s: chance.choice(pool) for s, pool in pools.items()}


def value_at(e: sp.Basic, point: Point) -> sp.Basic:
    """e with the point put in; nan where it has no value there, as a maximum of 1/0."""
    try:
        return e.subs(point)
    except (TypeError, ValueError):  # zoo can be compared with nothing
        return sp.nan


def _pool(symbol: sp.Symbol, domain: Domain | None) -> tuple[sp.Rational, ...]:
    pool = _values(symbol, domain)
    return tuple(v for v in pool if v.is_integer) or pool if symbol.is_integer else pool


def _values(symbol: sp.Symbol, domain: Domain | None) -> tuple[sp.Rational, ...]:
    if domain is not None and not isinf(domain.low):
        low = sp.Rational(domain.low)
        if isinf(domain.high):
            return (*(low + p for p in POSITIVE), *([] if domain.low_open else [low]))
        width = sp.Rational(domain.high) - low
        ends = [low] * (not domain.low_open) + [low + width] * (not domain.high_open)
        return (*(low + width * u for u in UNIT), *ends)
    if symbol.is_integer:
        return (
            tuple(map(sp.Integer, (1, 2, 3, 4)))
            if symbol.is_positive
            else tuple(map(sp.Integer, (0, 1, 2, 3)))
        )
    if symbol.is_nonnegative:
        return POSITIVE if symbol.is_positive else (*POSITIVE, sp.Integer(0))
    return (*POSITIVE, *(-p for p in POSITIVE), *([] if symbol.is_nonzero else [sp.Integer(0)]))


def in_words(point: Point) -> str:
    """`lr = 1/2, theta = 3`, for messages."""
    return ", ".join(f"{s} = {value}" for s, value in point.items())
