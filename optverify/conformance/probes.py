"""What a black box is fed: gradients that show the differences between rules, dialects and slips.

One step is never enough, and one gradient value is never enough. Every number comes from a fixed seed, so a
probe is the same on every machine.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from optverify.language import Rule

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

LR = 0.05
LARGE = 0.9
"""A learning rate that bounds on it cut off."""
SHAPE = (2, 3)
"""A matrix: rules for matrices take it, and no other rule minds."""
SHAPES: tuple[Shape, ...] = ((5,), (), (2, 3), (2, 1, 2))
MATRICES: tuple[Shape, ...] = ((3, 2), (2, 3), (1, 4))
LONG = 2000
NUMBERS = ("loss", "global_norm")
"""Inputs that are one number for all parameters."""
AWKWARD = {
    "lr": LR, "momentum": 0.8, "dampening": 0.3, "beta1": 0.8, "beta2": 0.95, "beta3": 0.99, "beta4": 0.7,
    "rho": 0.93, "eps": 0.03, "weight_decay": 0.07, "lr_decay": 0.1, "initial_accumulator": 0.3,
    "eps1": 1e-3, "eps2": 0.9, "eps_root": 2e-3, "min_step": 4e-3, "max_step": 0.09, "average_start": 2.0,
    "lambda1": 0.1, "lambda2": 0.2, "shrinkage": 0.3, "beta": 0.4, "lambd": 0.2, "momentum_decay": 0.02,
    "f_min": -0.1, "lr_max": 0.02, "d0": 1e-2, "r_eps": 1e-2, "trust_coefficient": 0.1,
    "clip_threshold": 1.2, "d_coefficient": 300.0, "period": 3.0, "precondition_frequency": 2.0,
    "warmup": 6.0, "beta_start": 0.6, "final_lr": 0.04, "base_lr": 0.08, "gamma": 0.05, "phi_min": 0.0,
    "phi_max": 0.9, "sync_period": 3.0, "partial": 0.2, "nu": 0.6, "nu1": 0.6, "nu2": 0.7, "optimism": 0.6,
    "lr_power": 0.4, "power": 0.6, "decay_rate": 0.7, "b0": 0.2, "c": 0.7,
}  # fmt: skip
"""Hyperparameters with which dialects show: large epsilon and decay, awkward betas, bounds that bind."""


@dataclass(frozen=True)
class Step:
    """One update. grads: an array a parameter, None where it has none; lr: a new one from here on, or None.

    inputs: what a rule is given besides: a number, or an array a parameter.
    """

    grads: tuple[Array | None, ...]
    lr: float | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Probe:
    """Parameters, and the updates they are driven through.

    lr: the learning rate at the start. groups: for each parameter the factor on lr of its group; empty for
    one group. note: what it shows.
    """

    name: str
    params: tuple[Array, ...]
    steps: tuple[Step, ...]
    lr: float = LR
    dtype: str = "float64"
    note: str = ""
    groups: tuple[float, ...] = ()

    @property
    def rates(self) -> tuple[float, ...]:
        """The learning rate of each update."""
        now, rates = self.lr, []
        for step in self.steps:
            now = now if step.lr is None else step.lr
            rates.append(now)
        return tuple(rates)

    @property
    def changes_lr(self) -> bool:
        """True if lr changes in mid-run."""
        return any(step.lr is not None for step in self.steps)

    @property
    def partial(self) -> bool:
        """True if a parameter is without a gradient in some update."""
        return any(grad is None for step in self.steps for grad in step.grads)

    def first(self, count: int) -> Probe:
        """Its first updates alone."""
        return replace(self, steps=self.steps[:count])

    def at_theta(self, *params: Array) -> Probe:
        """The same updates from other parameters."""
        return replace(self, params=params)


def awkward(rule: Rule, more: Mapping[str, float] | None = None) -> dict[str, float]:
    """Values for every hyperparameter that some dialect of the rule reads, with which its dialects show."""
    values = {h.name: AWKWARD.get(h.name, h.default) for h in rule.every_hyperparameter}
    return {name: float(value) for name, value in {**values, **(more or {})}.items() if value is not None}


# ---- the bank ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Maker:
    """Probes for parameters of one shape, for a box with this epsilon and lr."""

    shape: Shape
    shapes: tuple[Shape, ...]
    eps: float
    lr: float
    dtype: str
    inputs: tuple[str, ...]

    def normal(self, name: str, count: int, shape: Shape | None = None) -> Array:
        """Normal numbers, from a seed that is the name's, and none near zero."""
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        drawn = rng.normal(size=(count, *(self.shape if shape is None else shape)))
        return np.asarray(drawn + 0.1 * np.sign(drawn))

    def start(self, name: str, shape: Shape | None = None) -> Array:
        """Parameters of about 1, of either sign."""
        return np.asarray(self.normal("parameters of " + name, 1, shape)[0].astype(self.dtype))

    def probe(self, name: str, gradients: Iterable[Array], note: str, rates: Sequence[Any] = ()) -> Probe:
        """A probe of one parameter. rates: a new lr for an update, as a factor, or None."""
        return self.several(name, [self.start(name)], [(g,) for g in gradients], note, rates)

    def several(
        self,
        name: str,
        params: Sequence[Array],
        gradients: Sequence[Sequence[Array | None]],
        note: str,
        rates: Sequence[Any] = (),
    ) -> Probe:
        """A probe of several parameters."""
        steps = []
        for k, grads in enumerate(gradients):
            rate = rates[k] if k < len(rates) else None
            cast = tuple(None if g is None else np.asarray(g, self.dtype) for g in grads)
            more = self.given(name, k, [p.shape for p in params])
            steps.append(Step(cast, None if rate is None else rate * self.lr, more))
        return Probe(name, tuple(params), tuple(steps), self.lr, self.dtype, note)

    def given(self, name: str, k: int, shapes: Sequence[Shape]) -> dict[str, Any]:
        """The further inputs of update k: losses rise and fall; other gradients are like the gradients."""
        made: dict[str, Any] = {}
        for wanted in self.inputs:
            if wanted in NUMBERS:
                number = float(self.normal(f"{wanted} {name} {k}", 1, ())[0])
                made[wanted] = number if wanted == "loss" and name == "random" else abs(number)
            else:
                seeds = [f"{wanted} {name} {k} {i}" for i in range(len(shapes))]
                pairs = zip(seeds, shapes, strict=True)
                made[wanted] = tuple(self.normal(s, 1, shape)[0].astype(self.dtype) for s, shape in pairs)
        return made


def bank(
    rule: Rule | None = None,
    hyperparameters: Mapping[str, float] | None = None,
    dtype: str = "float64",
    *,
    shape: Shape | None = None,
    long: int = LONG,
) -> list[Probe]:
    """All probes, cheap ones first.

    rule: whose demands they meet (a matrix, inputs); None for a box of an unknown rule. hyperparameters:
    those of the box by our names: gradients lie about its eps, lr is its unless that is 0.
    shape: of most parameters. long: the updates of the last, long probe; 0 for none.
    """
    known = hyperparameters or {}
    eps = next((known[n] for n in ("eps", "eps_root", "eps1") if known.get(n, 0) > 0), 1e-8)
    matrix = rule is not None and rule.needs_matrix
    inputs = ("loss",) if rule is None else _asked(rule)
    make = _Maker(
        SHAPE if shape is None else shape, MATRICES if matrix else SHAPES,
        min(float(eps), 1.0), float(known.get("lr") or LR), dtype, inputs,
    )  # fmt: skip
    return [*_plain(make), *_sizes(make), *_together(make), *([_long(make, long)] if long else [])]


def _asked(rule: Rule) -> tuple[str, ...]:
    """What some dialect of the rule is given with each gradient; the loss is one of its hyperparameters."""
    loss = [h.name for h in rule.every_hyperparameter if h.name in NUMBERS]
    return (*(i.name for i in rule.every_input), *loss)


def _plain(make: _Maker) -> list[Probe]:
    """Gradients of usual size: random, with zeros, spikes and flips; lr changed."""
    random = make.normal("random", 12)
    spike = make.normal("spike", 14)
    spike[0] *= 30
    spike[1:8] = 0
    flips = make.normal("flips", 10)
    flips = np.abs(flips) * (-1.0) ** np.arange(10).reshape(-1, *(1,) * len(make.shape))
    flips[4:6] *= 3
    early, late = make.normal("zeros first", 10), make.normal("zeros later", 12)
    early[:3], late[4:9] = 0, 0
    large = max(3.0, LARGE / make.lr)
    rates = [None, None, None, 0.25, None, None, large, None, None, 1.0]
    steady = np.tile(make.normal("steady", 1), (10, *(1,) * len(make.shape)))
    silent = np.zeros((8, *make.shape))
    return [
        make.probe("random", random, "usual gradients"),
        make.probe("zero gradient", silent, "nonzero parameters without a gradient: decay alone",
                   [None, None, None, None, 2.0]),
        make.probe("lr change", make.normal("lr change", 12), "lr falls and rises in mid-run", rates),
        make.probe("spike, then zeros", spike, "how memory fades"),
        make.probe("sign flips", flips, "the first moment cancels, the second does not"),
        make.probe("zeros first", early, "exact zeros from the start"),
        make.probe("zeros later", late, "exact zeros in mid-run"),
        make.probe("steady", steady, "the same gradient again and again: estimates of distance grow"),
    ]  # fmt: skip


def _sizes(make: _Maker) -> list[Probe]:
    """Gradients near epsilon and far from it, huge ones, and such as fall slowly."""
    count = (8, *make.shape)
    near = make.normal("near epsilon", 8) * make.eps
    roots = make.normal("about the root of epsilon", 8) * np.sqrt(make.eps)
    tiny = make.normal("below epsilon", 8) * make.eps * (1e-9 if make.dtype == "float64" else 1e-5)
    huge = make.normal("huge", 8) * (1e60 if make.dtype == "float64" else 1e10)
    powers = 10.0 ** -(np.arange(14) / 3).reshape(-1, *(1,) * len(make.shape))
    falling = make.normal("falling", 14) * powers
    growing = (
        make.normal("from zero", 8) * make.eps * 10.0 ** np.arange(-2, 6).reshape(-1, *(1,) * len(make.shape))
    )
    zero = make.probe("from zero", growing, "parameters at zero, gradients that grow: norms of nothing")
    mixed = make.normal("mixed sizes", 8) * 10.0 ** np.resize([0, -3, 2, -1, 3, -2, 1], count)
    return [
        make.probe("near epsilon", near, "where epsilon and the root weigh the same"),
        make.probe("about the root of epsilon", roots, "where epsilon under the root shows"),
        make.probe("falling second moments", falling, "old second moments are the largest (AMSGrad)"),
        make.probe("mixed sizes", mixed, "coordinates of very different size"),
        make.probe("below epsilon", tiny, "epsilon alone in the denominator"),
        make.probe("huge", huge, "epsilon without weight; squares of a hundred digits"),
        zero.at_theta(np.zeros(make.shape, make.dtype)),
    ]


def _together(make: _Maker) -> list[Probe]:
    """Several parameters: of many shapes, in groups, one that gets its first gradient late."""
    shapes = make.shapes
    starts = [make.start(f"shape {i}", shape) for i, shape in enumerate(shapes)]
    columns = [make.normal(f"gradients of shape {i}", 8, shape) for i, shape in enumerate(shapes)]
    many = [list(row) for row in zip(*columns, strict=True)]
    pair = [make.start("first of two"), make.start("second of two")]
    both = [make.normal("gradients of the first", 10), make.normal("gradients of the second", 10)]
    late: list[list[Array | None]] = [
        [both[0][k], None if k < 3 or k == 6 else both[1][k]] for k in range(10)
    ]
    groups = make.several("two groups", pair, list(zip(*both, strict=True)), "each group has its own lr")
    return [
        make.several("several shapes", starts, many, "several parameters, one counter"),
        make.several("late gradient", pair, late, "a parameter that first gets a gradient at update 4"),
        replace(groups, groups=(1.0, 0.5)),
    ]


def _long(make: _Maker, count: int) -> Probe:
    """Thousands of updates: bias corrections fade, schedules and counters go on."""
    gradients = make.normal("long", count)
    return make.probe("long", gradients, f"t up to {count}")
