"""Limits by continuity, and zeros among roots."""

import pytest
import sympy as sp

from optverify.language import beta1, eps, t
from optverify.proof import NotProved
from optverify.proof.limits import limit_at
from optverify.proof.radicals import vanishes_with_radicals

x, y, v = sp.symbols("x y v", positive=True)
b = beta1


@pytest.mark.parametrize(
    ("e", "end", "limit"),
    [
        (eps * x / (sp.sqrt(v) + eps), sp.oo, x),
        (sp.sqrt(v + eps) / sp.sqrt(y + eps), sp.oo, 1),
        (sp.Min(x * (1 + 1 / eps), sp.Max(x * (1 - 1 / (1 + eps)), y)), sp.oo, x),
        (sp.Min(x * (1 + 1 / eps), sp.Max(x * (1 - 1 / (1 + eps)), y)), 0, sp.Max(0, y)),
        ((x * eps**2 + y) / (v * eps**2 + eps), sp.oo, x / v),
        (x + sp.Abs(y - 1 / eps), sp.oo, x + y),
        (1 / eps, 0, sp.oo),
        (x, 0, x),
    ],
)
def test_limits(e, end, limit):
    assert sp.expand(limit_at(e, eps, end) - limit) in (0, sp.nan)  # oo - oo
    assert limit_at(e, eps, end) == limit


@pytest.mark.parametrize("e", [sp.sin(eps), sp.sqrt(eps) * x, x + eps - sp.Abs(y - eps), v**eps])
def test_no_limit_is_guessed(e):
    with pytest.raises(NotProved):
        limit_at(e, eps, sp.oo)


FACTORS = {b: 1 - sp.Dummy("c", positive=True)}


@pytest.mark.parametrize(
    "e",
    [
        sp.sqrt((x + y) / (t + 1)) - sp.sqrt(x + y) / sp.sqrt(t + 1),
        sp.sqrt(v / (1 - b**t)) * sp.sqrt(1 - b**t) - sp.sqrt(v),
        sp.sqrt(v * (1 - b)) - sp.sqrt(v) * sp.sqrt(1 - b),
        1 / (sp.sqrt(x) + y) - (sp.sqrt(x) - y) / (x - y**2),
        b ** (t + 1) - b * b**t,
        (x + y) ** sp.Rational(3, 4) / (x + y) ** sp.Rational(1, 2) - (x + y) ** sp.Rational(1, 4),
    ],
)
def test_zeros(e):
    assert vanishes_with_radicals(e, FACTORS)


@pytest.mark.parametrize("e", [sp.sqrt(x + y) - sp.sqrt(x), sp.sqrt(1 - b**t) - sp.sqrt(1 - b), sp.nan])
def test_no_zeros(e):
    assert not vanishes_with_radicals(e, FACTORS)
