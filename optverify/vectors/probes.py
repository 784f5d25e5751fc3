"""What every rule is fed: short dyadic numbers, exact in float32, the same for every rule and dialect.

They come from a hash of their names: the same on every machine, they stay when others are added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

Shape = tuple[int, ...]
Row = tuple[Fraction, ...]
"""The numbers of an array, row by row."""
Factor = Callable[[int, int], Fraction | int]
"""What a drawn gradient is multiplied by: of update k = 0, 1, ... and coordinate i."""

MATRIX: Shape = (2, 3)
ZERO, ONE = Fraction(0), Fraction(1)
LATE, LATER = 2000, 4095
"""Updates before a late probe, whose states are given."""
SIGNED = ("loss",)
"""Numbers that may be negative."""
LONG = 1024
"""Updates of a long probe, each of them made."""


@dataclass(frozen=True)
class Probe:
    """Parameters, and the updates they are driven through.

    theta: its start; gradients: a row an update, begun again where there are fewer than updates; rates: lr
    of each update over the lr of the group, alike; after: the updates after which results are told, empty for
    all; first: updates made before, from states that are given. flags: keys of FLAGS.
    """

    name: str
    comment: str
    flags: tuple[str, ...]
    shape: Shape
    theta: Row
    gradients: tuple[Row, ...]
    rates: tuple[Fraction, ...] = (ONE,)
    updates: int = 0
    after: tuple[int, ...] = ()
    first: int = 0
    dtypes: tuple[str, ...] = ("float64", "float32")
    given: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The number of updates."""
        return self.updates or len(self.gradients)

    @property
    def told(self) -> tuple[int, ...]:
        """The updates after which results are told."""
        return self.after or tuple(range(1, self.count + 1))

    def first_updates(self, count: int) -> Probe:
        """The same, of so many updates at most."""
        return replace(self, gradients=self.gradients[:count], rates=self.rates[:count])

    def rate(self, k: int) -> Fraction:
        """The factor on lr of its update k = 1, 2, ..."""
        return self.rates[(k - 1) % len(self.rates)]

    def gradient(self, k: int) -> Row:
        """The gradient of its update k = 1, 2, ..."""
        return self.gradients[(k - 1) % len(self.gradients)]


def size(shape: Shape) -> int:
    """How many numbers an array of this shape has."""
    n = 1
    for side in shape:
        n *= side
    return n


def drawn(name: str, index: int, bits: int = 6) -> Fraction:
    """A number of either sign between 1/4 and 2, of so many bits, from a hash of its name."""
    raw = hashlib.sha256(f"{name} {index}".encode()).digest()
    low, high = 2**bits // 4, 2 * 2**bits
    value = Fraction(low + int.from_bytes(raw[:4], "big") % (high - low), 2**bits)
    return -value if raw[4] & 1 else value


def rows(name: str, count: int, shape: Shape, factor: Factor | None = None) -> tuple[Row, ...]:
    """Drawn gradients; factor: of update k = 0, 1, ... and coordinate i."""
    n = size(shape)
    return tuple(
        tuple(drawn(name, k * n + i) * (1 if factor is None else factor(k, i)) for i in range(n))
        for k in range(count)
    )


def start(name: str, shape: Shape) -> Row:
    """Parameters of about 1, of either sign."""
    return tuple(drawn("theta of " + name, i) for i in range(size(shape)))


def inputs(
    name: str, count: int, shape: Shape, wanted: Sequence[str], scalars: Sequence[str]
) -> dict[str, tuple[Row, ...]]:
    """What updates are given besides: arrays like gradients, and numbers."""
    made = {n: rows(f"{n} of {name}", count, shape) for n in wanted}
    for n in scalars:
        numbers = [drawn(f"{n} of {name}", k) for k in range(count)]
        made[n] = tuple((x if n in SIGNED else abs(x),) for x in numbers)
    return made


@dataclass(frozen=True)
class _Maker:
    """Makes probes for arrays of one shape."""

    shape: Shape

    def __call__(
        self, name: str, comment: str, flags: str, count: int, factor: Factor | None = None, **more: Any
    ) -> Probe:  # fmt: skip
        """A probe of so many drawn gradients; more: other fields."""
        gradients = rows(name, count, self.shape, factor)
        made = Probe(name, comment, tuple(flags.split()), self.shape, start(name, self.shape), gradients)
        return replace(made, **more)


def mixed(shape: Shape) -> Probe:
    """One probe with a little of everything: for every dialect.

    Even coordinates begin with a spike and keep their sign, so that second moments fall and distances grow;
    odd ones begin at zero, turn and fall to the size of epsilon.
    """

    def factor(k: int, i: int) -> Fraction:
        if i % 2:
            return Fraction(1, 16) / (4**k if k > 1 else 1) if k else ZERO
        return Fraction(0 if k == 3 else 8 if k == 0 else 1) * upward("mixed", k * size(shape) + i)

    return _Maker(shape)(
        "mixed", "a spike, zeros, small and tiny coordinates, lr changed in mid-run",
        "ZeroGradient ChangedRate NearEpsilon FallingMoment", 5, factor,
        rates=(ONE, ONE, Fraction(1, 4), ONE, Fraction(8)),
    )  # fmt: skip


def upward(name: str, index: int) -> int:
    """The sign that makes a drawn number positive."""
    return 1 if drawn(name, index) > 0 else -1


def bank(shape: Shape) -> list[Probe]:
    """Probes of a few updates."""
    make, n = _Maker(shape), size(shape)
    return [
        make("random", "usual gradients", "Usual", 6),
        make("zero_gradient", "parameters without a gradient: decay alone", "ZeroGradient WeightDecay",
             4, lambda k, i: ZERO, rates=(ONE, ONE, Fraction(2), ONE)),
        make("spike", "one large gradient, then zeros: how memory fades", "Memory ZeroGradient", 5,
             lambda k, i: Fraction(32) if k == 0 else ZERO if k < 3 else ONE),
        make("sign_flips", "the first moment cancels, the second does not", "SignFlip", 5,
             lambda k, i: (-1) ** k * upward("sign_flips", k * n + i)),
        make("zeros_first", "exact zeros at first", "ZeroGradient ZeroStart", 4,
             lambda k, i: ZERO if k < 2 else ONE),
        make("zeros_later", "exact zeros in mid-run", "ZeroGradient Memory", 5,
             lambda k, i: ZERO if k in (2, 3) else ONE),
        make("near_epsilon", "gradients about epsilon and its root", "NearEpsilon", 4,
             _power(2, [-6, -3, -8, -2])),
        make("below_epsilon", "epsilon alone in the denominator", "BelowEpsilon", 3,
             _power(2, [-40, -38, -41])),
        make("huge", "epsilon without weight; squares of many digits", "Huge", 3, _power(2, [40, 38, 41])),
        make("subnormal", "gradients below the normal float32 numbers; their squares vanish", "Subnormal", 3,
             _power(2, [-133, -131, -132])),
        make("falling", "gradients that fall: old second moments are the largest", "FallingMoment", 6,
             _power(4, [1, 0, -1, -2, -3, -4])),
        make("changed_rate", "lr falls and rises in mid-run", "ChangedRate", 6,
             rates=(ONE, Fraction(1, 4), ONE, Fraction(8), Fraction(1, 2), ONE)),
        make("steady", "the same direction again and again: estimates of distance grow", "Steady", 6,
             lambda k, i: upward("steady", k * n + i), rates=(Fraction(2),)),
        make("turning", "a strong gradient, then weak ones against it: signs turn late", "SignFlip Memory", 3,
             gradients=_turning(n)),
        make("warming", "lr is zero for two updates, then rises", "ChangedRate ZeroStart", 4,
             rates=(ZERO, ZERO, Fraction(1, 2), ONE)),
        make("subnormal_float64", "gradients below the normal float64 numbers", "Subnormal", 3,
             _power(2, [-1060, -1062, -1061]), dtypes=("float64",)),
        make("huge_float64", "squares of 240 digits", "Huge", 3,
             _power(2, [400, 398, 401]), dtypes=("float64",)),
    ]  # fmt: skip


def _turning(count: int) -> tuple[Row, ...]:
    """From 1 to what lies between the ratios at which decaying means of 7/8 and 15/16 turn, and back."""
    ratios = (ONE, Fraction(-29, 64), Fraction(1, 8))
    return tuple(tuple(ratio * (-2) ** i for i in range(count)) for ratio in ratios)


def _power(base: int, exponents: Sequence[int]) -> Factor:
    return lambda k, i: Fraction(base) ** exponents[k % len(exponents)]


def from_zero(shape: Shape) -> Probe:
    """Norms of nothing."""
    return _Maker(shape)(
        "from_zero", "theta and the first gradient are zero: norms of nothing", "ZeroStart ZeroGradient", 4,
        lambda k, i: ZERO if k == 0 else ONE, theta=(ZERO,) * size(shape),
    )  # fmt: skip


def of_shape(name: str, shape: Shape) -> Probe:
    """Usual gradients, for parameters of another shape."""
    return _Maker(shape)(name, f"parameters of shape {list(shape)}", "Shape", 4)


def long(shape: Shape, updates: int) -> Probe:
    """A long run on gradients that repeat themselves."""
    told = (*(n for n in (1, 10, 100) if n < updates), updates)
    comment = f"{updates} updates on eight gradients again and again"
    return _Maker(shape)("long", comment, "LongRun", 8, updates=updates, after=told)


def late(shape: Shape) -> Probe:
    """A few updates from given states, after many updates."""
    return _Maker(shape)(
        "late", "from given states, after thousands of updates", "LongRun GivenState", 3,
        first=LATE, rates=(ONE, ONE, Fraction(1, 2)),
    )  # fmt: skip
