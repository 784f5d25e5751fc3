"""Which rule, and which dialect of it, a box is: all of them are held against what it did.

First the default dialect of each rule, from many starts at once; then the other dialects of the rules that
come nearest. Weight decay and the direction of the step are told apart from the rest, so that a rule in one
tenth of its dialects stands for all of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from optverify.conformance import names
from optverify.conformance.batch import batched
from optverify.conformance.fit import (
    COUPLED,
    FLAT,
    GIVEN,
    SHRINK,
    Fit,
    Model,
    Record,
    Values,
    cost,
    fit,
    improved,
    made,
    residuals,
    screened,
    without,
)
from optverify.conformance.probes import LR, Probe, Step
from optverify.conformance.protocol import Make
from optverify.conformance.reference import Run, run_box
from optverify.language import Rule
from optverify.rules import names as rule_names
from optverify.rules import rule as rule_named

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

NAMED = {"adamw": "adam", "amsgrad": "adam", "sgdw": "momentum"}
"""Rules whose dialects are those of another rule, under a name of their own."""
SPARE = ("svrg",)
"""Rules that are given more than a gradient and a loss."""
WITHIN = ("in_direction", "before_step", "proximal")
"""Weight decay that a rule takes part in; that of other forms is fitted beside it."""
USUAL_RULES = ("adam", "momentum", "nesterov", "rmsprop", "adagrad", "adadelta", "gd", "lamb", "lars", "muon")
MATRIX, VECTOR = (4, 6), (24,)


# ---- probes of the search --------------------------------------------------------------------------------------  # noqa: E501


def ladder(shape: Shape, dtype: str = "float64", count: int = 12) -> Probe:
    """Gradients of all sizes from theta = 0: each coordinate has its own, so that one is always near epsilon."""  # noqa: E501
    rng = np.random.default_rng(5)
    size = math.prod(shape)
    sizes = 10.0 ** np.linspace(-10 if dtype == "float64" else -6, 2, size)[rng.permutation(size)]
    g = rng.normal(size=(count, size))
    g = (g + 0.2 * np.sign(g)) * sizes
    fading = rng.random(size) < 0.3
    g *= np.where(fading, 10.0 ** (-np.arange(count)[:, None] / 4), 1)
    g[3:5, ::5] = 0
    g[0, ::7] = 0
    return _probe("ladder", np.zeros(shape), g.reshape(count, *shape), dtype)


def placed(shape: Shape, dtype: str = "float64", lr: float = LR, count: int = 12, change: int = 8) -> Probe:
    """Gradients of about 1 away from zero, some of them zero from the start; lr changes late."""
    rng = np.random.default_rng(6)
    size = math.prod(shape)
    theta = rng.normal(size=size)
    g = rng.normal(size=(count, size))
    if size > 1:
        g[:, ::6] = 0
        g[:3, 1::6] = 0
    rates = {change: 0.3 * lr, change + 2: 2.0 * lr}
    theta = (theta + 0.2 * np.sign(theta)).reshape(shape)
    return _probe("placed", theta, g.reshape(count, *shape), dtype, lr, rates)


def silent(shape: Shape, dtype: str = "float64") -> Probe:
    """No gradient at all, and then some: decay alone, and what it leaves behind."""
    rng = np.random.default_rng(7)
    theta = rng.normal(size=shape)
    g = rng.normal(size=(5, *shape))
    g[:4] = 0
    return _probe("silent", theta + 0.3 * np.sign(theta), g, dtype)


def _probe(  # noqa: PLR0917
    name: str, theta: Array, g: Array, dtype: str, lr: float = LR, rates: Mapping[int, float] | None = None
) -> Probe:
    steps = tuple(
        Step((x.astype(dtype),), (rates or {}).get(k), {"loss": 0.5 + 0.4 * math.cos(k)})
        for k, x in enumerate(g)
    )
    return Probe(name, (theta.astype(dtype),), steps, lr, dtype)


# ---- what the box did --------------------------------------------------------------------------------------------  # noqa: E501


@dataclass(frozen=True)
class Seen:
    """A box as the search sees it.

    records: what it did; shown: its hyperparameters by its own names; shape: of the parameter it was given;
    coupled: does a coordinate's gradient move others (None: not known); settable: lr can be changed;
    runs: the probes, and what came of them.
    """

    records: tuple[Record, ...]
    shown: Mapping[str, float]
    shape: Shape
    dtype: str
    coupled: bool | None
    settable: bool
    runs: tuple[tuple[Probe, Run], ...] = field(default=(), repr=False)
    library: str | None = None


def look(make: Make, adapter: str | None = None, library: str | None = None) -> Seen:
    """Drive a box through the probes of the search. TypeError if nothing can drive it."""
    shape, dtype, first = _way(make, adapter)
    lr = _rate(first.hyperparameters) or _usual_move(first)
    probes = [ladder(shape, dtype), placed(shape, dtype, lr), silent(shape, dtype)]
    runs = [_run(make, p, adapter, shape) for p in probes]
    coupled = None
    if shape and runs[1].count:
        coupled = _coupled(make, probes[1], runs[1], adapter)
    records = tuple(record(p, r) for p, r in zip(probes, runs, strict=True) if r.count)
    settable = not runs[1].unsupported
    pairs = tuple(zip(probes, runs, strict=True))
    return Seen(records, first.hyperparameters, shape, dtype, coupled, settable, pairs, library)


def _way(make: Make, adapter: str | None) -> tuple[Shape, str, Run]:
    """The shape and type of parameters that the box takes, the richest first, and its first updates."""
    tried: list[tuple[Shape, str, Run]] = []
    for dtype in ("float64", "float32"):
        for shape in (MATRIX, VECTOR, ()):
            run = _run(make, placed(shape, dtype).first(2), adapter, shape)
            if run.count:
                return shape, dtype, run
            tried.append((shape, dtype, run))
    return tried[0]


def _run(make: Make, probe: Probe, adapter: str | None, shape: Shape) -> Run:
    return run_box(make, probe, adapter, states=False)


def record(probe: Probe, run: Run, param: int = 0) -> Record:
    """What became of one parameter, up to where the box stopped."""
    kept = [k for k in range(run.count) if probe.steps[k].grads[param] is not None]
    theta = run.theta(param)
    rates = np.full(run.count, math.nan)
    now = math.nan
    for k in range(run.count):
        now = now if probe.steps[k].lr is None else float(probe.steps[k].lr or 0)
        rates[k] = now
    return Record(
        probe.name,
        np.concatenate([theta[[k]] for k in kept] + [theta[[kept[-1] + 1]]]) if kept else theta[:1],
        np.array([probe.steps[k].grads[param] for k in kept], float),
        rates[kept],
        np.arange(1, len(kept) + 1),
        tuple(probe.steps[k].inputs for k in kept),
        probe.dtype if probe.dtype in ("float64", "float32") else "float32",
    )


def _rate(shown: Mapping[str, float]) -> float | None:
    for name in ("lr", *names.USUAL["lr"]):
        if name in shown and 0 < shown[name] < 1e6:
            return shown[name]
    return None


def _usual_move(run: Run) -> float:
    """The size of an update, which is about lr where the gradients are about 1; to one digit."""
    size = float(np.median(np.abs(np.nan_to_num(np.diff(run.theta(0), axis=0)))))
    return float(f"{size:.0e}") if 1e-9 < size < 1e3 else LR


def _coupled(make: Make, probe: Probe, run: Run, adapter: str | None) -> bool:
    """Do the first three updates of a coordinate change when the gradients of the others do?"""
    few = probe.first(3)
    steps = []
    for step in few.steps:
        (g,) = step.grads
        assert g is not None
        changed = 3.7 * g + 0.3
        changed.reshape(-1)[0], changed.reshape(-1)[5] = g.reshape(-1)[0], g.reshape(-1)[5]
        steps.append(replace(step, grads=(changed,)))
    other = run_box(make, replace(few, steps=tuple(steps)), adapter, states=False)
    places = [0, 5]
    a = np.array([p[0].reshape(-1)[places] for p in run.params[:4]], float)
    b = np.array([p[0].reshape(-1)[places] for p in other.params[:4]], float)
    return a.shape != b.shape or not np.allclose(a, b, rtol=1e-9, atol=1e-300, equal_nan=True)


def direction(records: Sequence[Record]) -> int:
    """1 if the first updates go against the gradient, -1 if along."""
    votes = 0.0
    for r in records:
        if len(r.grads):
            with np.errstate(all="ignore"):
                votes -= float(np.nansum(np.sign(r.moves[0]) * np.sign(r.grads[0])))
    return -1 if votes < 0 else 1


# ---- candidates --------------------------------------------------------------------------------------------------  # noqa: E501


@lru_cache(maxsize=64)
def named(name: str) -> Rule:
    """The rule of that name in its default dialect."""
    return rule_named(name)


@dataclass(frozen=True)
class Dialect:
    """A dialect, written out when it is asked for."""

    name: str
    options: tuple[tuple[str, Any], ...]

    def rule(self) -> Rule:
        """The dialect as a rule."""
        return _written(self)


@lru_cache(maxsize=4096)
def _written(dialect: Dialect) -> Rule:
    return named(dialect.name).dialect(**dict(dialect.options))


@lru_cache(maxsize=1)
def families() -> tuple[str, ...]:
    """Rules with dialects of their own."""
    return tuple(n for n in rule_names() if n not in NAMED and n not in SPARE)


@lru_cache(maxsize=64)
def bases(name: str) -> tuple[Dialect, ...]:
    """The dialects of a rule that stand for all: without decay, or with one it takes part in; minimizing."""
    family = named(name)
    axes = [a for a in family.axes if a.name != "maximize"]
    choices = [
        [o for o in a.options if a.name != "weight_decay_form" or o in ("none", *WITHIN)] for a in axes
    ]
    found = []
    for choice in itertools.product(*choices):
        options = {a.name: o for a, o in zip(axes, choice, strict=True)}
        if not any(e.applies({**family.options, **options}) for e in family.excluded):
            found.append(options)
    plain = {a.name: a.default for a in axes}
    found.sort(key=lambda o: sum(o[n] != plain[n] for n in o if n != "weight_decay_form"))
    return tuple(Dialect(name, tuple(o.items())) for o in found)


def couples(rule: Rule) -> bool:
    """True if the gradient of one coordinate moves another."""
    return bool(rule.operators) or rule.needs_matrix


@dataclass(frozen=True)
class Found:
    """What the search came to. matches: fits without a residual, the simplest first; nearest: the others, the
    best first; tried: the number of fits made; agreeing: rules whose hyperparameters the box shows.
    """

    matches: tuple[Fit, ...]
    nearest: tuple[Fit, ...]
    tried: int = 0
    agreeing: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Candidate:
    """A dialect that has been screened. starts: with their costs, the best first."""

    model: Model
    starts: tuple[tuple[float, Values], ...]

    @property
    def cost(self) -> float:
        return self.starts[0][0]


def search(seen: Seen, hint: str | None = None) -> Found:
    """All rules and dialects against the box. hint: a rule to be looked at first."""
    return Search(seen, hint).run()


class Search:
    """One search. fits: what was made so far."""

    def __init__(self, seen: Seen, hint: str | None) -> None:
        self.seen = seen
        self.hint = NAMED.get(hint or "", hint)
        self.sign = direction(seen.records)
        self.shrinks = decays(seen.records)
        self.fits: list[Fit] = []
        self.first: list[_Candidate] = []
        self.agreeing: tuple[str, ...] = ()
        self.likely: tuple[Fit, ...] = ()

    def run(self) -> Found:
        """Rules whose hyperparameters the box has; default dialects; dialects of the rules that come nearest."""  # noqa: E501
        return self.shown() or self.everywhere()

    def shown(self) -> Found | None:
        """The rules whose hyperparameters the box shows, with these as they are; None if none fits."""
        self.agreeing = tuple(n for n in families() if n == self.hint or self.disagreement(n) <= 1)
        return self.simplest() if self.direct(self.agreeing) else None

    def everywhere(self) -> Found:
        """Default dialects of all rules; then the other dialects of those that come nearest."""
        self.first = [c for name in families() for c in self.screened(bases(name)[:1])]
        self.first.sort(key=lambda c: (c.model.rule.name != self.hint, c.cost))
        tried = {(f.model.rule, f.model.shrinks) for f in self.fits}
        for c in self.first[:12]:
            if (c.model.rule, c.model.shrinks) not in tried and self.follow(c).matches:
                return self.simplest()
        ranked = sorted(self.fits, key=lambda f: (f.model.rule.name != self.hint, plainness(f)))
        order = [f.model.rule.name for f in ranked] + [c.model.rule.name for c in self.first]
        order = list(dict.fromkeys(order))
        for chosen, effort in ((order[:5], 20), (order[5:10], 8)):
            if self.opened(chosen, effort):
                return self.simplest()
        return self.found()

    def disagreement(self, name: str) -> int:
        """How many hyperparameters the rule has and the box does not show, or the other way round."""
        rule = named(name)
        told = names.ours(rule, self.seen.shown, self.seen.library)
        if len(told) < 2:
            return 99
        own = {h.name for d in bases(name)[:1] for h in d.rule().hyperparameters} - GIVEN
        spare = len({n for n in self.seen.shown if n in every_name() and n not in told.values()} - set(told))  # type: ignore[comparison-overlap]
        return len(own - set(told) - {"weight_decay"}) + 2 * spare

    def direct(self, chosen: Sequence[str]) -> bool:
        """Do these rules fit with the constants that the box shows, in any dialect?"""
        waiting: list[_Candidate] = []
        for name in chosen:
            waiting += self.screened(bases(name), (), 1)
        waiting.sort(key=lambda c: c.cost)
        self.likely = self.plausible(waiting)
        for k, c in enumerate(waiting[:16]):
            if c.cost > 2 and k >= 6:
                break
            if self.follow(c).matches:
                return True
        return False

    def plausible(self, waiting: Sequence[_Candidate]) -> tuple[Fit, ...]:
        """The dialects that come nearest with the constants shown, and the default ones of usual rules."""
        chosen: dict[Rule, _Candidate] = {}
        defaults = [c for n in USUAL_RULES for c in waiting if c.model.rule.name == n
                    and not c.model.rule.changed_options.keys() - {"weight_decay_form"}]  # fmt: skip
        for c in (*waiting[:3], *defaults[:1], *waiting[3:5], *defaults[1:2]):
            chosen.setdefault(c.model.rule, c)
        return tuple(made(c.model, self.seen.records, c.starts[0][1]) for c in chosen.values())

    def opened(self, chosen: Sequence[str], effort: int) -> bool:
        """Do the other dialects of these rules fit? The cheapest of all are followed first."""
        waiting: list[_Candidate] = []
        for name in chosen:
            seeds = [f.values for f in self.fits if f.model.rule.name == name]
            waiting += self.screened(bases(name)[1:], seeds, 16)
        waiting = [self.nearer(c) for c in waiting]
        waiting.sort(key=lambda c: c.cost)
        for c in waiting[:effort]:
            self.follow(c)
            if self.fits[-1].matches:
                return True
        return False

    def screened(
        self, rules: Iterable[Dialect], seeds: Sequence[Values] = (), size: int = 48
    ) -> Iterator[_Candidate]:
        """Each dialect that could be it, from many starts; one of each form of decay that could be it."""
        for dialect in rules:
            rule = dialect.rule()
            if rule.needs_matrix and len(self.seen.shape) != 2:
                continue
            if self.seen.coupled is not None and couples(rule) != self.seen.coupled:
                continue
            known = names.ours(rule, self.seen.shown, self.seen.library)
            within = rule.options.get("weight_decay_form", "none") != "none"
            for decay in [Decay()] if within else self.shrinks:
                model = Model(rule, batched(rule), self.sign, decay.names, share=decay.share)
                values = {n: v for n, v in known.items() if n in model.names or n == "weight_decay"}
                starts = screened(model, self.seen.records, values, size, seeds, size > 1)
                yield _Candidate(model, tuple(starts[:4]))

    def nearer(self, c: _Candidate) -> _Candidate:
        """The candidate with a better first start."""
        records = self.seen.records
        values = improved(c.model, records, c.starts[0][1], rounds=1)
        price = float(cost(residuals(c.model, records, {n: np.array([v]) for n, v in values.items()}))[0])
        return _Candidate(c.model, ((price, values), *c.starts))

    def follow(self, c: _Candidate) -> Fit:
        """The best fit of a dialect."""
        records = self.seen.records
        best: Fit | None = None
        for _, values in c.starts[:2]:
            found = fit(c.model, records, improved(c.model, records, values), rounds=15)
            if not found.matches and found.worst < 0.1:
                found = without(found, records)
            best = found if best is None or found.rank < best.rank else best
            if best.matches or best.rank > -1.5:
                break
        assert best is not None
        if not best.matches and best.rank < -2 and c.model.shrinks:
            best = self.real(best)
        self.fits.append(best)
        return best

    def real(self, near: Fit) -> Fit:
        """A fit with its decay as the rule itself has it, for rules that do more with it than shrink theta."""  # noqa: E501
        rule = near.model.rule
        axis = next((a for a in rule.axes if a.name == "weight_decay_form"), None)
        v = near.values
        size = max(abs(v.get(n, 0.0)) for n in SHRINK)
        for form in axis.options if axis else ():
            if form in ("none", *WITHIN):
                continue
            dialect = rule.dialect(**{**rule.options, "weight_decay_form": form})
            model = Model(dialect, batched(dialect), self.sign)
            start = {n: v.get(n, max(size, 1e-4)) for n in model.names}
            tried = fit(model, self.seen.records, start, rounds=12)
            near = min(near, tried, key=lambda f: f.rank)
        return near

    def simplest(self) -> Found:
        """What fits with fewer constants than the first that was found, if anything does."""
        best = min((f for f in self.fits if f.matches), key=complexity)
        own = set(best.model.names) - set(SHRINK)
        tried = {f.model.rule for f in self.fits}
        seeds = [best.values]
        for name in families():
            if name == best.model.rule.name:
                continue
            few = [d for d in bases(name) if {h.name for h in d.rule().hyperparameters} < own]
            fresh = [d for d in few if d.rule() not in tried]
            cheap = sorted(self.screened(fresh, seeds, 4), key=lambda c: c.cost)[:3]
            for c in cheap:
                if c.cost < 1:
                    self.follow(c)
        others = [d for d in bases(best.model.rule.name) if d.rule() not in tried]
        for c in sorted(self.screened(others, seeds, 2), key=lambda c: c.cost)[:4]:
            if c.cost < 1e-3:
                self.follow(c)
        return self.found()

    def found(self) -> Found:
        """All that was found."""
        matches = sorted((f for f in self.fits if f.matches), key=complexity)
        others = sorted((f for f in self.fits if not f.matches), key=plainness)
        return Found(tuple(matches), tuple(others), len(self.fits), self.agreeing)


@lru_cache(maxsize=1)
def every_name() -> frozenset[str]:
    """The hyperparameters of all rules."""
    return frozenset(h.name for n in rule_names() for h in named(n).every_hyperparameter)


def plainness(found: Fit) -> float:
    """The rank of a fit, a little worse for every constant that it needs."""
    return found.rank + 0.05 * len(found.model.rule.hyperparameters)


def complexity(found: Fit) -> tuple[int, int, float]:
    """Fewer constants first, then fewer axes away from the default."""
    rule = found.model.rule
    return (len(rule.hyperparameters), len(rule.changed_options), found.worst)


@dataclass(frozen=True)
class Decay:
    """A form of decay that can be: names of SHRINK, and the share of theta that goes where it is known."""

    names: tuple[str, ...] = ()
    share: float = 0.0


def decays(records: Sequence[Record]) -> list[Decay]:
    """The forms of decay that can be, from coordinates that never had a gradient: none if they stay.

    What is taken off them by itself is a share of theta, the same for all and in every update, or the same
    amount; decay that goes through the gradient is neither, but for rules that are linear in it.
    """
    shares, amounts, later = _without_gradient(records)
    if not any(np.any(x) for x in amounts):
        return [Decay()]
    first, size = np.concatenate([s.ravel() for s in shares]), np.concatenate([a.ravel() for a in amounts])
    if _equal(first, records[0].dtype):
        share = -float(np.mean(first))
        outer = [Decay((n,), share) for n in _outer(share, later)]
        return [*outer, Decay(COUPLED)]
    if _equal(size, records[0].dtype):
        return [Decay(FLAT, -float(np.mean(size))), Decay(COUPLED)]
    return [Decay(COUPLED)]


def _equal(x: Array, dtype: str) -> bool:
    return bool(np.ptp(x) <= 1e-6 * np.max(np.abs(x)) + 8 * float(np.finfo(dtype).eps))


def _without_gradient(
    records: Sequence[Record],
) -> tuple[list[Array], list[Array], list[tuple[float, float]]]:
    """What coordinates without a gradient lost at first, as a share and as it is; lr and share later."""
    shares: list[Array] = []
    amounts: list[Array] = []
    later: list[tuple[float, float]] = []
    for r in records:
        r = r.first(4) if r.name == "silent" else r  # noqa: PLW2901
        silent = np.all(r.grads == 0, axis=0) & (r.theta[0] != 0) & np.isfinite(r.theta).all(axis=0)
        if not np.any(silent) or not len(r.grads):
            continue
        lost, before = r.moves[:, silent], r.theta[: len(r.moves), silent]
        kept = np.isnan(r.rates)
        kept[4:] = False
        shares.append(lost[kept] / before[kept])
        amounts.append(lost[kept])
        later += [
            (float(r.rates[k]), float(np.mean(lost[k] / before[k])))
            for k in np.flatnonzero(~np.isnan(r.rates))
        ]
    return shares, amounts, later


def _outer(share: float, later: Sequence[tuple[float, float]]) -> tuple[str, ...]:
    """Does the share follow lr?"""
    if any(abs(now + share) > 1e-6 * abs(share) for _, now in later):
        return ("_decoupled", "_after")
    return ("_alone",) if later else ("_decoupled", "_after")
