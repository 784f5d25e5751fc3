"""Wrappers: from a rule, another rule. "clip_by_norm(adam)" is Adam whose gradients are clipped first.

What a wrapper gives is a rule like any other: it has equations, dialects, step functions, and can be wrapped
again. An update sees one array, so the norms taken here are those of one array; that of all arrays together
is a number an update is given, and an Optimizer, which sees them all, gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import sympy as sp

from optverify.language.axis import Axis
from optverify.language.hyperparameter import Domain, Hyperparameter, nonnegative, positive, unit
from optverify.language.messages import unknown
from optverify.language.operators import norm
from optverify.language.rule import Assignment, Rule
from optverify.language.source import Source
from optverify.language.symbols import Input, State, Variable, grad, hyper_symbol, t, theta
from optverify.language.words import ema

Lines = list[Assignment]


@dataclass(frozen=True)
class Wrapper:
    """A function from rules to rules.

    name, title, summary, sources: as of a Rule. hyperparameters, states, axes, inputs: what it adds.
    write: from a dialect, the inner rule and its lines in that dialect to the lines of the wrapped one.
    """

    name: str
    title: str
    summary: str
    sources: tuple[Source, ...]
    hyperparameters: tuple[Hyperparameter, ...]
    states: tuple[State, ...]
    axes: tuple[Axis, ...]
    write: Callable[[Any, Rule, Lines], Iterable[Assignment]]
    inputs: tuple[Input, ...] = ()

    def __call__(self, rule: Rule) -> Rule:
        """The rule, wrapped.

        ValueError if both have a state, hyperparameter or axis of one name, or if the rule takes further
        gradients, which would have to be changed like the first.
        """
        if further := [i.name for i in rule.every_input if not i.scalar]:
            raise ValueError(f"{self.name} cannot wrap {rule.name}, which is given {', '.join(further)} too")
        ours = {p.symbol.name for p in self.hyperparameters} | {s.name for s in self.states}
        theirs = {p.symbol.name for p in rule.every_hyperparameter} | {s.name for s in rule.every_state}
        ours |= {a.name for a in self.axes}
        theirs |= {a.name for a in rule.axes}
        if common := sorted(ours & theirs):
            raise ValueError(f"{self.name} cannot wrap {rule.name}: both have {', '.join(common)}")

        def write(d: Any) -> Iterable[Assignment]:
            return self.write(d, rule, [(lhs, sp.sympify(rhs)) for lhs, rhs in rule.write(d)])

        return replace(
            rule, name=f"{self.name}({rule.name})", title=f"{rule.title}, {self.title}", summary=self.summary,
            sources=self.sources + rule.sources, axes=rule.axes + self.axes, write=write,
            every_hyperparameter=rule.every_hyperparameter + self.hyperparameters,
            every_state=rule.every_state + self.states, every_input=rule.every_input + self.inputs,
        ).dialect(**rule.options)  # fmt: skip


WRAPPERS: dict[str, Wrapper] = {}


def wrapper(name: str) -> Wrapper:
    """The wrapper of that name; ValueError with the nearest name if there is none."""
    if name not in WRAPPERS:
        raise ValueError(unknown("wrapper", name, sorted(WRAPPERS)))
    return WRAPPERS[name]


def _wrapper(
    name: str,
    title: str,
    sources: Iterable[Source],
    hyperparameters: Iterable[Hyperparameter],
    *,
    states: Iterable[State] = (),
    axes: Iterable[Axis] = (),
    inputs: Iterable[Input] = (),
) -> Callable[[Callable[[Any, Rule, Lines], Iterable[Assignment]]], Wrapper]:
    def make(write: Callable[[Any, Rule, Lines], Iterable[Assignment]]) -> Wrapper:
        summary = (write.__doc__ or "").strip()
        WRAPPERS[name] = Wrapper(
            name,
            title,
            summary,
            tuple(sources),
            tuple(hyperparameters),
            tuple(states),
            tuple(axes),
            write,
            tuple(inputs),
        )
        return WRAPPERS[name]

    return make


def _put(lines: Lines, values: dict[sp.Expr, sp.Expr]) -> Iterator[Assignment]:
    for lhs, rhs in lines:
        yield lhs, rhs.xreplace(values)


def _only_when(now: sp.Basic, rule: Rule, lines: Iterable[Assignment]) -> Iterator[Assignment]:
    """The lines, with theta and the states left as they are at other times."""
    kept = {s.now: s.before for s in (theta, *rule.every_state)}
    for lhs, rhs in lines:
        yield lhs, sp.Piecewise((rhs, now), (kept[lhs], True)) if lhs in kept else rhs


# ---- clipping ----------------------------------------------------------------------------------------------

clip_value = hyper_symbol("clip_value", positive=True)
max_norm = hyper_symbol("max_norm", positive=True)
clip_eps = hyper_symbol("clip_eps")

_PASCANU = Source(
    "Pascanu, Mikolov and Bengio", 2013, "On the difficulty of training recurrent neural networks",
    "Algorithm 1", "ICML", arxiv="1211.5063",
)  # fmt: skip


@_wrapper(
    "clip_by_value",
    "clipped by value",
    [
        Source("Mikolov", 2012, "Statistical language models based on neural networks",
               "the chapter on recurrent networks: gradients are truncated", "PhD thesis, Brno"),
    ],
    [Hyperparameter(clip_value, "c", 1.0, positive, "largest absolute value in a gradient")],
)  # fmt: skip
def clip_by_value(d: Any, rule: Rule, lines: Lines) -> Iterable[Assignment]:
    """Every coordinate of the gradient is held between -clip_value and clip_value."""
    return _put(lines, {grad: sp.Max(-clip_value, sp.Min(grad, clip_value))})


clip_epsilon = Axis(
    "clip_epsilon",
    "Is a number added to the norm?",
    {"none": "no", "added": "yes, clip_eps (PyTorch's clip_grad_norm_, 1e-6)"},
)

_CLIPPED = (
    Hyperparameter(max_norm, "c", 1.0, positive, "largest norm of the gradient"),
    Hyperparameter(clip_eps, r"\epsilon_c", 1e-6, nonnegative, "added to the norm"),
)


@_wrapper(
    "clip_by_norm",
    "clipped by norm",
    [_PASCANU],
    _CLIPPED,
    axes=[clip_epsilon],
)
def clip_by_norm(d: Any, rule: Rule, lines: Lines) -> Iterable[Assignment]:
    """A gradient longer than max_norm is scaled to that length; its direction stays."""
    return _put(lines, {grad: _shortened(d, norm(grad))})


def _shortened(d: Any, length: sp.Expr) -> sp.Expr:
    if d.clip_epsilon == "added":
        return grad * sp.Min(1, max_norm / (length + clip_eps))
    return max_norm * grad / sp.Max(length, max_norm)


global_norm = Input(
    "global_norm", nonnegative=True, scalar=True, latex=r"\lVert \nabla f_t \rVert_{\mathrm{all}}",
    meaning="the norm of the gradients of all arrays together; an Optimizer computes it",
)  # fmt: skip


@_wrapper(
    "clip_by_global_norm",
    "clipped by global norm",
    [_PASCANU],
    _CLIPPED,
    axes=[clip_epsilon],
    inputs=[global_norm],
)
def clip_by_global_norm(d: Any, rule: Rule, lines: Lines) -> Iterable[Assignment]:
    """All gradients are scaled alike if together they are longer than max_norm."""
    return _put(lines, {grad: _shortened(d, global_norm[t])})


# ---- means of gradients and parameters --------------------------------------------------------------------

whole = Domain(1, inf, low_open=False)
share = Domain(0, 1, low_open=True, high_open=False)
accumulate = hyper_symbol("accumulate", positive=True)
ema_decay = hyper_symbol("ema_decay")
a = State("a", meaning="mean of the gradients gathered so far")
theta_bar = State("theta_bar", initial=theta[t - 1], meaning="decaying mean of the parameters")


@_wrapper(
    "accumulated",
    "gradients accumulated",
    [
        Source("Ott, Edunov, Grangier and Auli", 2018, "Scaling neural machine translation",
               "section 3: gradients cumulated over several batches", "WMT", arxiv="1806.00187"),
    ],
    [Hyperparameter(accumulate, "k", 2.0, whole, "number of gradients to an update, an integer")],
    states=[a],
)  # fmt: skip
def accumulated(d: Any, rule: Rule, lines: Lines) -> Iterable[Assignment]:
    """The rule sees the mean of k gradients, once in k calls; its own count of updates is t/k."""
    begins = sp.Eq(sp.Mod(t - 1, accumulate), 0)
    yield a[t], sp.Piecewise((grad / accumulate, begins), (a[t - 1] + grad / accumulate, True))
    inner = _put(lines, {grad: a[t], t: t / accumulate})
    yield from _only_when(sp.Eq(sp.Mod(t, accumulate), 0), rule, inner)


ema_start = Axis(
    "ema_start",
    "Where does the mean start?",
    {"initial": "at the initial parameters", "first": "at the parameters after the first update (Keras)"},
)


@_wrapper(
    "averaged",
    "parameters averaged",
    [
        Source("Polyak and Juditsky", 1992, "Acceleration of stochastic approximation by averaging",
               "averaging of the iterates, here with a decaying weight",
               "SIAM Journal on Control and Optimization 30", url="https://doi.org/10.1137/0330046"),
    ],
    [Hyperparameter(ema_decay, r"\beta_\theta", 0.999, unit, "share of the mean that is kept")],
    states=[theta_bar],
    axes=[ema_start],
)  # fmt: skip
def averaged(d: Any, rule: Rule, lines: Lines) -> Iterable[Assignment]:
    """The rule as it is, and beside it a decaying mean of the parameters, to be used for predictions."""
    mean = ema(ema_decay, theta_bar[t - 1], theta[t])
    if d.ema_start == "first":
        mean = sp.Piecewise((theta[t], sp.Eq(t, 1)), (mean, True))
    yield from lines
    yield theta_bar[t], mean


# ---- two sets of parameters, two gradients ----------------------------------------------------------------

sync_period, slow_lr = hyper_symbol("sync_period", positive=True), hyper_symbol("slow_lr", positive=True)
slow = State("theta_slow", initial=theta[t - 1], meaning="slow parameters")
fast = Variable("theta_fast")


@_wrapper(
    "lookahead",
    "with Lookahead",
    [
        Source("Zhang, Lucas, Hinton and Ba", 2019, "Lookahead optimizer: k steps forward, 1 step back",
               "Algorithm 1", "NeurIPS", arxiv="1907.08610"),
    ],
    [
        Hyperparameter(sync_period, "k", 5.0, whole, "number of fast steps to a slow one, an integer"),
        Hyperparameter(slow_lr, r"\alpha_s", 0.5, share, "slow step size"),
    ],
    states=[slow],
)  # fmt: skip
def lookahead(d: Any, rule: Rule, lines: Lines) -> Iterable[Assignment]:
    """After k steps the parameters return to a point between where they are and where they began."""
    back = sp.Eq(sp.Mod(t, sync_period), 0)
    for lhs, rhs in _put(lines, {theta[t]: fast[t]}):
        yield fast[t] if lhs == theta[t] else lhs, rhs
    yield slow[t], sp.Piecewise((slow[t - 1] + slow_lr * (fast[t] - slow[t - 1]), back), (slow[t - 1], True))
    yield theta[t], sp.Piecewise((slow[t], back), (fast[t], True))


sam_rho = hyper_symbol("sam_rho", positive=True)
held = State("theta_held", initial=theta[t - 1], meaning="parameters before the climb")
climb = Variable("epsilon_hat", scalar=True)


@_wrapper(
    "sam",
    "sharpness-aware",
    [
        Source("Foret, Kleiner, Mobahi and Neyshabur", 2021, "Sharpness-aware minimization for efficiently"
               " improving generalization", "Algorithm 1 and equation (2) with p = 2", "ICLR",
               arxiv="2010.01412"),
    ],
    [Hyperparameter(sam_rho, r"\rho_s", 0.05, positive, "radius of the neighbourhood")],
    states=[held],
)  # fmt: skip
def sam(d: Any, rule: Rule, lines: Lines) -> Iterable[Assignment]:
    """Two calls an update: an odd one climbs along its gradient, an even one steps with that gradient."""
    if d.gradient_point != theta[t - 1]:
        raise ValueError(f"sam cannot wrap {rule.name} in this dialect: it must take its gradient at theta")
    odd = sp.Eq(sp.Mod(t, 2), 1)
    size = sp.Piecewise((0, sp.Eq(norm(grad), 0)), (sam_rho / norm(grad), True))
    yield held[t], sp.Piecewise((theta[t - 1], odd), (held[t - 1], True))
    yield climb[t], -size if d.maximize else size
    for lhs, rhs in _only_when(sp.Eq(sp.Mod(t, 2), 0), rule, _put(lines, {theta[t - 1]: held[t], t: t / 2})):
        yield lhs, rhs.xreplace({theta[t - 1]: theta[t - 1] + climb[t] * grad}) if lhs == theta[t] else rhs
