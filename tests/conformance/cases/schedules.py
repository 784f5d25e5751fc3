"""Cases LR-01 to LR-20: schedules as people wrote them, and what must be said of each.

t is the number of updates already made. `fault` is the schedule of the report, `right` what it should have
been; `is_right` and `is_wrong` their first rates as reported. `says` must stand in the diagnosis that knows
what is expected, `alone` in the one that does not. A look-alike has says=None: it must pass.
"""

import math
from dataclasses import dataclass
from typing import Any

from optverify.schedules import join, schedule


@dataclass(frozen=True)
class Case:
    id: str
    title: str
    right: Any
    is_right: dict[int, float] | list[float]
    fault: Any
    is_wrong: dict[int, float] | list[float]
    says: str | None
    alone: str | None = None


class Moving:
    """A schedule with a state: lr is the rate of the next update."""

    def __init__(self, lr):
        self.base = self.lr = lr
        self.t = 0

    def step(self):
        self.t += 1
        self.lr = self.next()


CASES: list[Case] = []


def case(*args, **kwargs):
    CASES.append(Case(*args, **kwargs))


# ---- LR-01 to LR-03: cosines -------------------------------------------------------------------------------


class Recursion(Moving):
    """pytorch/pytorch#152081: each rate from the one before, with a special case after the lowest."""

    def next(self, T=5):
        if (self.t - 1 - T) % (2 * T) == 0:
            return self.lr + self.base * (1 - math.cos(math.pi / T)) / 2
        return self.lr * (1 + math.cos(math.pi * self.t / T)) / (1 + math.cos(math.pi * (self.t - 1) / T))


reflects = schedule("cosine", lr=0.5, total=5, after="reflect")
falls = [0.5, 0.452254249, 0.327254249, 0.172745751, 0.0477457514, 0]
case(
    "LR-01",
    "cosine: the recursion is the closed form",
    reflects,
    [*falls, 0.0477457514, 0.172745751],
    lambda: Recursion(0.5),
    [*falls, 0.0477457514, 0.172745751],
    None,
    "rises again",
)
case(
    "LR-01",
    "cosine: held after the end",
    reflects,
    [*falls, 0.0477457514],
    schedule("cosine", lr=0.5, total=5),
    [*falls, 0, 0],
    "after = 'hold'",
    "the last value is held",
)
case(
    "LR-01",
    "cosine: restarts after the end",
    reflects,
    [*falls, 0.0477457514],
    lambda t: 0.25 * (1 + math.cos(math.pi * (t % 5) / 5)),
    [*falls[:5], 0.5, 0.4522542, 0.3272542],
    "first departs at t = 5",
    "cosine_warm_restarts",
)

half_open = schedule("cosine_warm_restarts", lr=0.1, lr_min=3.2e-6, T_0=10)
case(
    "LR-02",
    "warm restarts never reach eta_min",
    half_open,
    {9: 0.0024502959},
    lambda t: 3.2e-6 + (0.1 - 3.2e-6) * (1 + math.cos(math.pi * (t % 10) / 10)) / 2,
    {9: 0.0024502959},
    None,
    "half-open cycles: the minimum lr_min = 3.2e-06 is not attained, "
    "the smallest rate visited is 0.002450295876",
)

doubling = schedule("cosine_warm_restarts", lr=0.5, T_0=1, T_mult=2)
restarts = [0.5, 0.5, 0.25, 0.5, 0.4267767, 0.25, 0.0732233, 0.5, 0.4809699]
case(
    "LR-03",
    "warm restarts: one extra step at the start",
    doubling,
    restarts,
    lambda t: doubling(t - 1) if t else 0.0,
    [0, *restarts[:-1]],
    "delayed by one: the first value is 0",
    "delayed by one: the first value is 0",
)


# ---- LR-04: one cycle --------------------------------------------------------------------------------------


def onecycle(t, N=50, top=0.01, p=0.3):
    """Nobody stops it after N updates: the cosine goes on."""
    first, last, a = top / 25, top / 25 / 1e4, p * N - 1
    begin, end, x = (first, top, t / a) if t <= a else (top, last, (t - a) / (N - 1 - a))
    return end + (begin - end) * (1 + math.cos(math.pi * x)) / 2


case(
    "LR-04",
    "one cycle, asked for one update more",
    schedule("one_cycle", lr=0.01, total=50),
    {0: 4e-4, 25: 0.0077544939, 49: 4e-8, 50: 4e-8},
    onecycle,
    {0: 4e-4, 49: 4e-8, 50: 2.01684495e-5},
    "first departs at t = 50",
    "asked past its end: at t = 49 the rate is 4e-08",
)


def refusing(t):
    if t >= 50:
        raise ValueError("Tried to step 51 times. The total number of steps is 50")
    return onecycle(t)


case(
    "LR-04",
    "one cycle that refuses to go on",
    schedule("one_cycle", lr=0.01, total=50),
    {49: 4e-8},
    refusing,
    {25: 0.0077544939},
    None,
    "it refuses t >= 50: ValueError: Tried to step 51 times",
)
three = schedule("one_cycle", lr=0.01, total=50, phases="three")
case(
    "LR-04",
    "one cycle in three phases",
    schedule("one_cycle", lr=0.01, total=50),
    {25: 0.0077544939},
    three,
    {25: 0.0014472089},
    "phases = 'three'",
    "phases='three'",
)


# ---- LR-06: reading ----------------------------------------------------------------------------------------


class Printed(Moving):
    """pytorch/pytorch#20486: get_lr() makes the next fall, whoever asks."""

    def get_lr(self):
        return self.lr * 0.1 if self.t in (2, 8) else self.lr

    next = get_lr


class Spent(Moving):
    """Reading goes through the same lines as stepping, state and all."""

    def rate(self):
        self.lr *= 0.1 if self.t in (2, 8) else 1.0
        return self.lr

    def next(self):
        return self.lr


steps = schedule("multi_step", lr=0.2, milestones=[2, 8])
used = [0.2, 0.2, *[0.02] * 6, 0.002, 0.002]
case(
    "LR-06",
    "what is printed is not what is used",
    steps,
    used,
    lambda: Printed(0.2),
    used,
    "get_lr() says 0.002 at t = 2 where the update uses 0.02",
    "get_lr() says 0.002 at t = 2",
)
case(
    "LR-06",
    "reading makes the next fall",
    steps,
    used,
    lambda: Spent(0.2),
    used,
    "reading changes it: read again at t = 2",
    "reading changes it",
)
case(
    "LR-06",
    "all milestones but those passed",
    schedule("multi_step", lr=1e-3, milestones=[10, 20, 30]),
    {1: 1e-3},
    lambda t: 1e-3 * 0.1 ** sum(t < m for m in (10, 20, 30)),
    {1: 1e-6},
    "first departs at t = 0",
)


# ---- LR-07: compounded -------------------------------------------------------------------------------------


class Poly(Moving):
    """LBANN/lbann PR #1984: the factor of the closed form goes on top of the last rate."""

    def next(self):
        return self.lr * max(0.0, 1 - self.t / 5)


class Inverse(Moving):
    def next(self):
        return self.lr * (1 + 0.004 * self.t) ** -2


case(
    "LR-07",
    "polynomial decay, compounded",
    schedule("linear", lr=0.1, total=5),
    [0.1, 0.08, 0.06, 0.04, 0.02],
    lambda: Poly(0.1),
    [0.1, 0.08, 0.048, 0.0192, 0.00384],
    "compounded",
    "compounded",
)
case(
    "LR-07",
    "inverse decay, compounded",
    lambda t: 0.1 * (1 + 0.004 * t) ** -2,
    {4: 0.0968751938},
    lambda: Inverse(0.1),
    {4: 0.0923555649},
    "compounded",
    "compounded",
)


# ---- LR-09: polynomial decay -------------------------------------------------------------------------------

line = schedule("linear", lr=1.0, total=5)
right = [1, 0.8, 0.6, 0.4, 0.2]
case(
    "LR-09",
    "not a number at t = 0",
    line,
    right,
    lambda t: math.nan if t == 0 else line(t),
    {1: 0.8, 2: 0.6},
    "not a number at t = 0",
    "non-finite",
)
case(
    "LR-09",
    "constant",
    line,
    right,
    lambda t: 1.0,
    [1, 1, 1, 1, 1],
    "constant: the schedule has no effect",
    "Constant",
)


class Half(Moving):
    """meetps/pytorch-semseg#151: each factor d became (1 + d)/2."""

    def next(self):
        d = max(0, 5 - self.t) / max(1, 6 - self.t)
        return self.lr * (1 + d) / 2


case(
    "LR-09",
    "at half speed",
    line,
    right,
    lambda: Half(1.0),
    [1, 0.9, 0.7875, 0.65625, 0.4921875],
    "decays at half the rate",
    None,
)
case(
    "LR-09",
    "lr_end is the power",
    schedule("polynomial", lr=1.0, lr_end=0.25, power=2.0, total=5),
    {0: 1, 5: 0.25},
    lambda t: 0.25 + 0.75 * (1 - min(t, 5) / 5) ** 0.25,
    {5: 0.25},
    "power = 0.25 has the value of lr_end",
)
case(
    "LR-09",
    "lr_end and power exchanged",
    schedule("polynomial", lr=1.0, lr_end=0.25, power=0.5, total=5),
    {5: 0.25},
    lambda t: 0.5 + 0.5 * (1 - min(t, 5) / 5) ** 0.25,
    {5: 0.5},
    "the arguments lr_end and power are exchanged",
    "power=0.25",
)


# ---- LR-10: the forms of warm-up ---------------------------------------------------------------------------

W4 = {"lr": 1.0, "warmup": 4}
case(
    "LR-10",
    "t/W",
    schedule("linear_warmup", **W4),
    [0, 0.25, 0.5, 0.75, 1],
    lambda t: min(1.0, t / 4),
    [0, 0.25, 0.5, 0.75, 1],
    None,
    "the first update has learning rate 0",
)
case(
    "LR-10",
    "(t+1)/W",
    schedule("linear_warmup", **W4),
    [0, 0.25],
    lambda t: min(1.0, (t + 1) / 4),
    [0.25, 0.5, 0.75, 1, 1],
    "ahead by 1",
    "warm-up by (t+1)/W with W = 4",
)
case(
    "LR-10",
    "(t+1)/(W+1)",
    schedule("linear_warmup", **W4, form="(t+1)/W"),
    [0.25, 0.5, 0.75, 1, 1],
    lambda t: min(1.0, (t + 1) / 5),
    [0.2, 0.4, 0.6, 0.8, 1],
    "form = '(t+1)/(W+1)'",
    "(t+1)/(W+1) with W = 4",
)
peakless = join([schedule("linear_warmup", **W4), schedule("cosine", lr=1.0, total=20)], [4], clock="common")
case(
    "LR-10",
    "the peak is not attained",
    peakless,
    {0: 0, 3: 0.75, 4: 0.9045084972},
    peakless,
    {0: 0},
    None,
    "the peak 1 is not attained: the highest rate is 0.9045084972",
)


# ---- LR-11: Noam -------------------------------------------------------------------------------------------

noam = schedule("noam", lr=0.01 * 10**0.5, d_model=1, warmup=10)
case(
    "LR-11",
    "the first value is repeated",
    noam,
    [0.001, 0.002, 0.003, 0.004],
    lambda t: noam(max(0, t - 1)),
    [0.001, 0.001, 0.002, 0.003],
    "the value 0.001 is repeated at t = 0 and 1: its index is clamped",
    "the value 0.001 is repeated at t = 0 and 1: its index is clamped",
)
case(
    "LR-11",
    "the scale is the highest rate",
    noam,
    {9: 0.01},
    lambda t: 0.01 * 10**0.5 * min((t + 1) * 10**-1.5, (t + 1) ** -0.5),
    {9: 0.01},
    None,
    "the highest rate, 0.01, is that at t = 9: lr/sqrt(d_model*warmup)",
)
case("LR-11", "another scale", noam, {9: 0.01}, lambda t: 2 * noam(t), {9: 0.02}, "every rate is 2 times")


# ---- LR-12, LR-13: warm-up, then cosine --------------------------------------------------------------------

warm = schedule("linear_warmup", lr=1.0, warmup=2, form="(t+1)/W")
cosine = schedule("cosine", lr=1.0, lr_min=0.1, total=8)
both = join([warm, cosine], [2])
is_right = [0.5, 1, 1, 0.965746, 0.868198, 0.722208, 0.55, 0.377792, 0.231802, 0.134254, 0.1]
case(
    "LR-12",
    "the clock is not reset",
    both,
    is_right,
    lambda t: warm(t) if t < 2 else cosine(t),
    [0.5, 1, 0.868198, 0.722208, 0.55, 0.377792, 0.231802, 0.134254, 0.1, 0.1, 0.1],
    "the clock is not reset at the seam",
    "the clock is not reset at the seam",
)
whole = schedule("cosine", lr=1.0, lr_min=0.1, total=10)
case(
    "LR-12",
    "decays during warm-up",
    both,
    is_right,
    lambda t: warm(t) if t < 2 else whole(t),
    {0: 0.5, 1: 1, 2: whole(2)},
    "the clock is not reset at the seam",
    "the clock is not reset at the seam",
)
case(
    "LR-13",
    "a floor, and the decay as long as the whole",
    both,
    is_right,
    lambda t: warm(t) if t < 2 else max(0.1, (1 + math.cos(math.pi * min(t - 2, 10) / 10)) / 2),
    [0.5, 1, 1, 0.975528, 0.904508, 0.793893, 0.654508, 0.5, 0.345492, 0.206107, 0.1],
    "the lowest rate is a floor",
    "the lowest rate is a floor: max(rate, lr_min)",
)
case(
    "LR-13",
    "affine",
    both,
    is_right,
    lambda t: warm(t) if t < 2 else 0.1 + 0.9 * (1 + math.cos(math.pi * min(t - 2, 8) / 8)) / 2,
    is_right,
    None,
    "the lowest rate is affine",
)


# ---- LR-14 to LR-17: hand-overs ----------------------------------------------------------------------------


class Resumed(Moving):
    """pytorch/pytorch#102261: loading a state makes a step of its own."""

    def next(self):
        return self.lr * 0.999

    def state_dict(self):
        return {"t": self.t, "lr": self.lr}

    def load_state_dict(self, state):
        self.t, self.lr = state["t"], state["lr"]
        self.step()


case(
    "LR-14",
    "resuming makes a step",
    schedule("exponential", lr=1e-3, gamma=0.999),
    {1: 9.99e-4},
    lambda: Resumed(1e-3),
    {1: 9.99e-4, 2: 9.98001e-4},
    "resuming changes it",
    "(one step ahead)",
)


class HandedOver(Moving):
    """ildoonet/pytorch-gradual-warmup-lr#26: at the hand-over the inner schedule still has the base rate."""

    def next(self):
        if self.t <= 5:
            return self.base * (1 + 9 * self.t / 5)
        return self.base if self.t == 6 else 10 * self.base * 0.1 ** ((self.t - 5) // 10)


gradual = join(
    [schedule("linear", lr=1e-4, lr_end=1e-3, total=5), schedule("step", lr=1e-3, step_size=10)], [5]
)
case(
    "LR-15",
    "a dip for one epoch",
    gradual,
    {0: 1e-4, 5: 1e-3, 6: 1e-3, 15: 1e-4},
    lambda: HandedOver(1e-4),
    {5: 1e-3, 6: 1e-4, 7: 1e-3},
    "at t = 6 alone the rate is 0.0001, not 0.001",
    "a dip at the seam: at t = 6",
)


class Chained(Moving):
    """pytorch/pytorch#129565: the closed form writes over the rate, the factor then changes what it finds."""

    def next(self):
        falling = self.base * (1 + math.cos(math.pi * min(self.t, 20) / 20)) / 2
        ramp = [min(1.0, 0.5 + t / 8) for t in (self.t - 1, self.t)]
        return falling * ramp[1] / ramp[0]


ramp = schedule("linear", lr=0.5, lr_end=1.0, total=4)
product = schedule("cosine", lr=0.1, total=20) * ramp
case(
    "LR-16",
    "a closed form chained with a factor",
    product,
    {0: 0.05, 4: 0.0904508497},
    lambda: Chained(0.1),
    {0: 0.1, 5: 0.0853553391},
    "first departs at t = 0",
)


class Begun(Chained):
    def __init__(self, lr):
        super().__init__(lr)
        self.lr = lr * 0.5


case(
    "LR-16",
    "the same, begun right",
    product,
    {0: 0.05},
    lambda: Begun(0.1),
    {0: 0.05, 5: 0.0853553391},
    "of Linear only the last change acts",
)
case(
    "LR-16",
    "the factor is overwritten",
    product,
    {0: 0.05},
    schedule("cosine", lr=0.1, total=20),
    {0: 0.1},
    "Linear has no effect: the other overwrites the rate",
    "cosine",
)


class Eager(Moving):
    """tracel-ai/burn PR #2337: the first call already steps."""

    def __init__(self, lr):
        super().__init__(lr)
        self.step()

    def next(self):
        return self.base * 0.5**self.t


case(
    "LR-17",
    "the first call returns the second value",
    schedule("exponential", lr=0.1, gamma=0.5),
    [0.1, 0.05],
    lambda: Eager(0.1),
    [0.05, 0.025],
    "ahead by 1: the first rate is the second of the schedule",
)


# ---- LR-19, LR-20: factors ---------------------------------------------------------------------------------

triangles = {"lr": 0.1, "lr_min": 0.01, "step_size_up": 1, "step_size_down": 1, "mode": "triangular2"}
smith = schedule("cyclic", **triangles)


def overflowing(t):
    """pytorch/pytorch#52989: 1/2.**(x - 1) where 2.**-(x - 1) is right."""
    x = 1 + t // 2
    return 0.01 + 0.09 * min(t - 2 * (x - 1), 2 * x - t) * (1 / 2.0 ** (x - 1))


case(
    "LR-19",
    "a factor overflows",
    smith,
    {1: 0.1, 3: 0.055, 2049: 0.01},
    overflowing,
    {1: 0.1, 3: 0.055},
    "it raises OverflowError",
    "it raises OverflowError",
)

drops = schedule("step", lr=2.5e-5, step_size=10, gamma=0.1)
case(
    "LR-20",
    "the rate, not the ratio, to the number of drops",
    drops,
    {0: 2.5e-5, 10: 2.5e-6, 20: 2.5e-7},
    lambda t: 2.5e-5 * 2.5e-6 ** (t // 10),
    {10: 2.5e-5 * 2.5e-6, 20: 2.5e-5 * 6.25e-12},
    "a rate for a ratio: the factor of a drop is 2.5e-06",
)
