"""Golden values: for each rule a loop written from its paper, and what it is run on.

The loops are those of the tests of the steps and rules. None of them sees a recurrence of `optverify.rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.rules import array_loops as arrays
from tests.rules import test_adam_relatives as relatives
from tests.rules import test_adaptive_family as adaptive
from tests.rules import test_momentum_family as family
from tests.rules import test_rprop as rprop
from tests.rules import test_soap as soap
from tests.rules import test_sums_and_averages as sums
from tests.rules import test_svrg as svrg
from tests.rules import test_wrappers as wrappers
from tests.rules.hostile import Stream
from tests.rules.loops import WEIGHT_DECAY, written
from tests.steps import test_golden as classics

from .streams import (
    FROM_ZERO,
    FULL_RANK,
    MATRIX,
    NEAR_ZERO,
    NEVER_ZERO,
    STEADY,
    STEPS,
    TURNING,
    VECTOR,
    WARMING,
    WIDE,
)

Array = np.ndarray[Any, Any]
Loop = Callable[[Stream], Iterator[Array]]


@dataclass(frozen=True)
class Case:
    """A rule in its default dialect, and what a loop says about it.

    values: its hyperparameters. loop: theta after each update of a stream. more: other results, each from the
    stream and the path of theta: a state that is a result of its own, or `point`, where the gradients were
    taken. given: what an update takes besides a gradient, a number or an array each time. whole: True if
    all coordinates share their roundings. tolerance: of an update, relative.
    """

    rule: str
    values: Mapping[str, float]
    loop: Loop
    stream: Stream = VECTOR
    more: Mapping[str, Callable[[Stream, Array], Any]] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    whole: bool = False
    tolerance: float = 1e-12

    def results(self) -> dict[str, Array]:
        """What the loop gives: theta and the other results, a row an update."""
        path = np.array(list(self.loop(self.stream)))
        return {"theta": path, **{n: np.array(make(self.stream, path)) for n, make in self.more.items()}}


def each(loop: Callable[..., Iterator[float]], **settings: Any) -> Loop:
    """A loop over one number, for each coordinate."""

    def run(stream: Stream) -> Iterator[Array]:
        columns = zip(stream.start.tolist(), stream.gradients.T.tolist(), strict=True)
        yield from np.array([list(loop(x, stream.rates.tolist(), g, **settings)) for x, g in columns]).T

    return run


def moved(move: Any, decay: str = "none", **settings: Any) -> Loop:
    """A loop of which `move` is what theta loses at each update."""
    return lambda stream: written(move, settings, decay, stream=stream)


def relative(loop: Any, decay: str = "none", **settings: Any) -> Loop:
    """A relative of Adam, or Lion."""
    return lambda stream: relatives.run(loop, decay, stream, **settings)


def on(loop: Callable[..., Iterator[Array]], *values: Any, **settings: Any) -> Loop:
    """A loop that takes the stream by its name."""
    return lambda stream: loop(*values, stream=stream, **settings)


def descent(theta: Array, g: Array, lr: float) -> Array:
    """The rule inside Lookahead and SAM."""
    return theta - lr * g


def before(stream: Stream, path: Array) -> Array:
    """Theta before each update."""
    return np.array([stream.start, *path[:-1]])


def look_ahead(stream: Stream, path: Array) -> Array:
    """Nesterov: theta moved on by 0.7 of the last move."""
    at = before(stream, path)
    return at + 0.7 * np.diff(at, axis=0, prepend=[stream.start])


def between(**settings: Any) -> Callable[[Stream, Array], Array]:
    """Schedule-Free: y, as it stands before each update."""

    def points(stream: Stream, path: Array) -> Array:
        return before(stream, np.array(list(sums.schedule_free(**settings, at="y", stream=stream))))

    return points


def finite_sum() -> Case:
    """SVRG on the finite sum of its tests: the gradients are those at the points of the loop."""

    def loop(stream: Stream) -> Iterator[Array]:
        return svrg.procedure("last", "none", 1, rates=stream.rates)

    start = VECTOR._replace(start=svrg.START)
    points = np.array([svrg.START, *loop(start)])
    snapshots = points[[k // svrg.PERIOD * svrg.PERIOD for k in range(STEPS + 1)]]
    chosen = list(zip(svrg.CHOSEN[:STEPS], points[:-1], snapshots[:-1], strict=True))
    stream = start._replace(gradients=np.array([svrg.example(i, x) for i, x, _ in chosen]))
    given = {
        "snapshot_grad": np.array([svrg.example(i, near) for i, _, near in chosen]),
        "full_grad": np.array([svrg.full(near) for _, _, near in chosen]),
    }
    more = {"theta_tilde": lambda stream, path: snapshots[1:]}
    return Case("svrg", {"period": svrg.PERIOD}, loop, stream, more, given, whole=True)


def gap(eps: float, stream: Stream) -> Case:
    """Polyak's step is given the loss at each theta of the loop."""
    loop = on(arrays.polyak_step, 4.0, eps)
    losses = [arrays.loss(x) for x in [stream.start, *loop(stream)][:-1]]
    given = {"loss": np.array(losses)}
    return Case("polyak_step", {"f_min": 4.0, "eps": eps}, loop, stream, given=given, whole=True)


A = adaptive.A
BAND = adaptive.BAND
W = {"weight_decay": classics.AW["weight_decay"]}
WD = {"weight_decay": WEIGHT_DECAY}
X = relatives.X | {"warmup": 7.0, "beta_start": 0.85}
SF = {"beta": 0.8}
SFA = SF | {"adam": 0.95, "decay": "decoupled"}
F = {"eps1": 0.02, "eps2": 0.5, "clip_threshold": 0.9, "decay_rate": 0.7}
LAMB = {"beta1": 0.9, "beta2": 0.8, "eps": 0.01, "weight_decay": arrays.DECAY}
LARS = {"trust_coefficient": 0.02, "momentum": 0.8, "eps": 0.01, "weight_decay": arrays.DECAY}
MUON = {"momentum": 0.9, "eps": 0.01, "ns_a": 3.4445, "ns_b": -4.775, "ns_c": 2.0315}
PRODIGY = {"beta1": 0.8, "beta2": 0.9, "eps": 0.01, "d0": 0.06, "d_coefficient": 0.8}
STARTED = {"initial_accumulator": 0.2}
BETAS = {"beta1": 0.1, "beta2": 0.5, "beta3": 0.8}


def cases() -> list[Case]:
    """One or more of every rule."""
    return [
        Case("adabelief", A, moved(adaptive.adabelief, grown=adaptive.EPS)),
        Case("adabound", BAND, moved(adaptive.adabound)),
        Case("adadelta", adaptive.D, moved(adaptive.adadelta, **adaptive.D)),
        *(Case("adafactor", F, on(arrays.adafactor, {}), s, whole=True) for s in (MATRIX, NEAR_ZERO)),
        Case("adagrad", classics.E | STARTED, each(classics.adagrad, **classics.E, start=0.2)),
        Case("adagrad_norm", {"b0": 0.3}, on(arrays.adagrad_norm, 0.3), whole=True),
        Case("adam", classics.A, each(classics.adam)),
        Case("adamax", {"beta1": adaptive.B1, "beta2": adaptive.B2}, moved(adaptive.adamax), NEVER_ZERO),
        Case("adamw", classics.AW, each(classics.adam, decay="decoupled")),
        Case("adan", relatives.D | WD, relative(relatives.adan, "proximal")),
        Case("ademamix", X | WD, relative(relatives.ademamix, "decoupled", total=7, first=0.85)),
        Case("adopt", A, relative(relatives.adopt)),
        Case("aggmo", BETAS, moved(family.aggmo, betas=tuple(BETAS.values()))),
        Case("amsgrad", A, moved(adaptive.amsgrad)),
        Case("asgd", {"average_start": 4.0}, on(sums.asgd, begin=4), more={
            "theta_bar": lambda stream, _: list(sums.asgd(begin=4, result="average", stream=stream))}),
        Case("dog", {"r_eps": 0.04, "eps": 0.01}, on(arrays.dog), whole=True),
        Case("ftrl", sums.F | {"initial_accumulator": 0.1}, on(sums.ftrl, **sums.FTRL, start=0.1)),
        Case("gd", {}, each(classics.gd)),
        *(Case("lamb", LAMB, on(arrays.lamb), s, whole=True) for s in (VECTOR, FROM_ZERO)),
        Case("laprop", A, relative(relatives.laprop)),
        *(Case("lars", LARS, on(arrays.lars), s, whole=True) for s in (VECTOR, FROM_ZERO)),
        *(Case("lion", relatives.L | WD, relative(relatives.lion, "decoupled"), s)
          for s in (VECTOR, TURNING)),
        Case("lookahead", {"sync_period": 3.0, "slow_lr": 0.4}, on(wrappers.lookahead, descent, 3, 0.4)),
        Case("madgrad", sums.M, on(sums.madgrad, 0.7)),
        Case("momentum", classics.M, each(classics.momentum, mu=0.7)),
        *(Case("muon", MUON, on(arrays.muon), s, whole=True, tolerance=1e-11) for s in (MATRIX, WIDE)),
        Case("nadam", relatives.N, relative(relatives.nadam)),
        Case("nesterov", classics.M, each(classics.nesterov, mu=0.7), more={"point": look_ahead}),
        Case("novograd", LAMB | {"beta2": 0.7}, on(arrays.novograd), whole=True),
        Case("optimistic_adam", A, relative(relatives.optimistic_adam)),
        Case("optimistic_gd", {}, moved(family.optimistic)),
        Case("padam", A | {"partial": 0.2}, moved(adaptive.padam)),
        gap(0.01, VECTOR), gap(0.0, MATRIX),
        *(Case("prodigy", PRODIGY, on(arrays.prodigy), s, whole=True) for s in (VECTOR, STEADY)),
        Case("qhadam", relatives.Q, relative(relatives.qhadam, nu1=0.6, nu2=0.9)),
        Case("qhm", family.M | {"nu": 0.6}, moved(family.qhm, beta=0.8, nu=0.6)),
        Case("radam", A, relative(relatives.radam)),
        Case("rmsprop", classics.R | STARTED, each(classics.rmsprop, **classics.R, start=0.2)),
        Case("rprop", rprop.H, lambda stream: iter(rprop.path("rprop+", stream=stream))),
        Case("sam", {"sam_rho": 0.07}, on(wrappers.sharpness_aware, descent), MATRIX, whole=True),
        *(Case("schedule_free_adamw", sums.ADAM | WD, on(sums.schedule_free, **SFA), s,
               more={"point": between(**SFA)}) for s in (VECTOR, WARMING)),
        *(Case("schedule_free_sgd", sums.SGD, on(sums.schedule_free, **SF), s,
               more={"point": between(**SF)}) for s in (VECTOR, WARMING)),
        Case("sgdw", family.M | WD, moved(family.sgdw, "decoupled", beta=0.8)),
        Case("shampoo", {"eps": 0.05}, on(arrays.shampoo, 0.05), FULL_RANK, whole=True, tolerance=1e-10),
        Case("signsgd", {}, moved(family.signsgd)),
        *(Case("signum", family.M, moved(family.signum, beta=0.8, weight=1 - 0.8), s)
          for s in (VECTOR, TURNING)),
        Case("sm3", {}, on(arrays.sm3), MATRIX, whole=True),
        Case("soap", {"beta1": soap.B1, "beta2": soap.B2, "eps": soap.EPS, "precondition_frequency": 3.0},
             on(soap.algorithm, 3), FULL_RANK, whole=True, tolerance=1e-11),
        finite_sum(),
        Case("yogi", adaptive.FILLED, moved(adaptive.yogi, start=0.2)),
    ]  # fmt: skip
