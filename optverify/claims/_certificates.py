"""Performance problems of the claims: a rule, its step sizes, a class of functions, and the rate to be
certified.

The multipliers are data, `certificates/NAME.json`, written by `python -m optverify.claims._certify`.
Checking one needs no solver: the claim derives the Gram matrices from the rule it is handed and eliminates
over fractions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

from optverify.language import Rule
from optverify.proof import (
    STAR,
    Certificate,
    FunctionClass,
    Measure,
    NotProved,
    Path,
    certificates_from_json,
    show_certificate,
)

FOLDER = files("optverify.claims") / "certificates"
SMOOTH, KINKED = FunctionClass(), FunctionClass(smooth=False)


@dataclass(frozen=True)
class Problem:
    """A family of performance problems, one a horizon.

    values: horizon -> hyperparameter -> rational or function of t = 1, 2, ... (lr in units of 1/L, or of
    |x_0|/G). rate: horizon -> the measure's bound in units of L |x_0|^2, |x_0| G or |x_0|^2. kernel: path ->
    vectors (x_0, g_0, ..., g_N) of worst functions in dimension 1, where the rate is tight. prefer: only
    inequalities between consecutive points and from the minimum are tried first.
    """

    name: str
    rule: str
    family: FunctionClass
    measure: Measure
    values: Callable[[int], Mapping[str, Any]]
    rate: Callable[[int], Fraction]
    horizons: tuple[int, ...]
    kernel: Callable[[Path], list[tuple[Fraction, ...]]] = field(default=lambda path: [])
    prefer: bool = True

    def path(self, rule: Rule, horizon: int) -> Path:
        """Points that the rule visits."""
        return Path.of(rule, horizon, self.values(horizon), self.family)

    def show(self, rule: Rule) -> None:
        """Show the rate at every horizon, by the stored multipliers. Raises NotProved or Refuted."""
        stored = self.stored()
        for n in self.horizons:
            if n not in stored or stored[n].rate != self.rate(n):
                raise NotProved(
                    f"no certificate is stored for {self.name}, horizon {n} and rate {self.rate(n)}"
                )
            what = f"the certificate {self.name} for horizon {n}"
            show_certificate(self.path(rule, n), self.family, self.measure, stored[n], what)

    def stored(self) -> dict[int, Certificate]:
        """The certificates in its file. Raises NotProved if there is none or it is damaged."""
        return _stored(self.name)


@cache
def _stored(name: str) -> dict[int, Certificate]:
    try:
        return certificates_from_json((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as failed:
        raise NotProved(f"certificates/{name}.json: {failed}") from None


def linear_piece(path: Path) -> list[tuple[Fraction, ...]]:
    """The Huber function whose slope is the same at every point of the path: in dimension 1, from x_0 = 1."""
    moved = -sum(path.points[-1][1:], Fraction(0))
    slope = 1 / (2 * moved + Fraction(1))
    return [(Fraction(1), *[slope] * (path.horizon + 1))]


def on_quadratics(*curvatures: Fraction) -> Callable[[Path], list[tuple[Fraction, ...]]]:
    """Quadratics in dimension 1, from x_0 = 1."""

    def kernel(path: Path) -> list[tuple[Fraction, ...]]:
        found = []
        for c in curvatures:
            vector = [Fraction(1)]
            for p in path.points:
                vector.append(c * sum(w * x for w, x in zip(p, vector, strict=False)))
            found.append(tuple(vector))
        return found

    return kernel


MU = Fraction(1, 10)
LONG_STEPS = (Fraction(7, 5), Fraction(12, 5), Fraction(3, 2))
POLYAK_MU, POLYAK_LR, POLYAK_MOMENTUM = Fraction(1, 25), Fraction(25, 9), Fraction(4, 9)

GD = Problem(
    "gd_smooth", "gd", SMOOTH, "gap", lambda n: {"lr": 1}, lambda n: Fraction(1, 4 * n + 2),
    tuple(range(1, 9)), linear_piece,
)  # fmt: skip
LONG = Problem(
    "gd_long_steps", "gd", SMOOTH, "gap", lambda n: {"lr": lambda t: LONG_STEPS[t - 1]},
    lambda n: Fraction(5, 116), (3,), linear_piece, prefer=False,
)  # fmt: skip
GD_STRONG = Problem(
    "gd_strongly_convex", "gd", FunctionClass(mu=MU), "distance", lambda n: {"lr": 2 / (1 + MU)},
    lambda n: ((1 - MU) / (1 + MU)) ** (2 * n), (1, 2, 3, 4), on_quadratics(MU, Fraction(1)), prefer=False,
)  # fmt: skip
HEAVY_BALL = Problem(
    "momentum_smooth", "momentum", SMOOTH, "gap",
    lambda n: {"lr": lambda t: Fraction(1, t + 1), "momentum": lambda t: Fraction(t - 1, t + 1)},
    lambda n: Fraction(1, 2 * n + 2), (1, 2, 3, 4, 5, 6), linear_piece,
)  # fmt: skip
POLYAK = Problem(
    "momentum_strongly_convex", "momentum", FunctionClass(mu=POLYAK_MU), "distance",
    lambda n: {"lr": POLYAK_LR, "momentum": POLYAK_MOMENTUM},
    lambda n: {1: Fraction(256, 81), 2: Fraction(1981, 250), 3: Fraction(5131, 500)}[n], (1, 2, 3),
    prefer=False,
)  # fmt: skip
NESTEROV = Problem(
    "nesterov_smooth", "nesterov", SMOOTH, "gap",
    lambda n: {"lr": 1, "momentum": lambda t: Fraction(t - 1, t + 2)},
    lambda n: Fraction(2, n * n + 7 * n + 4), tuple(range(1, 9)), linear_piece,
)  # fmt: skip
SUBGRADIENT = Problem(
    "subgradient_best", "gd", KINKED, "best gap", lambda n: {"lr": 1 / root(n + 1)},
    lambda n: 1 / root(n + 1), (3, 8),
)  # fmt: skip
LAST_ITERATE = Problem(
    "subgradient_last", "gd", KINKED, "gap", lambda n: {"lr": lambda t: (n + 1 - t) / root(n + 1) ** 3},
    lambda n: 1 / root(n + 1), (3, 8), prefer=False,
)  # fmt: skip

PROBLEMS = (GD, LONG, GD_STRONG, HEAVY_BALL, POLYAK, NESTEROV, SUBGRADIENT, LAST_ITERATE)


def root(n: int) -> Fraction:
    """The root of a square number; ValueError for another one."""
    found = round(n**0.5)
    if found * found != n:
        raise ValueError(f"{n} is no square")
    return Fraction(found)


def preferred(horizon: int) -> list[tuple[int, int]]:
    """Pairs of consecutive points, and of the minimum with each."""
    return [(i, i + 1) for i in range(horizon)] + [(STAR, i) for i in range(horizon + 1)]
