"""Wrappers: Lookahead, accumulation, averaging and SAM, and what they leave of the rule inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, refuted
from optverify.claims._first import refute_first
from optverify.claims._matrix import end_of, line_by_line, show_like, symbols, trials
from optverify.language import Rule, Source, grad, hyper_symbol, lr, t, theta
from optverify.proof import (
    NotProved,
    Refuted,
    domains,
    show_by_induction,
    show_equal,
    show_positive,
)
from optverify.views.closed import closed_form
from optverify.views.exact import run_matrices
from optverify.views.run import run

zhang = Source(
    "Zhang, Lucas, Hinton and Ba",
    2019,
    "Lookahead optimizer: k steps forward, 1 step back",
    "Algorithm 1, and the steady-state variance on a noisy quadratic",
    "NeurIPS",
    arxiv="1907.08610",
)
ott = Source(
    "Ott, Edunov, Grangier and Auli",
    2018,
    "Scaling neural machine translation",
    "section 3: gradients cumulated over several batches",
    "WMT",
    arxiv="1806.00187",
)
polyak = Source(
    "Polyak and Juditsky",
    1992,
    "Acceleration of stochastic approximation by averaging",
    "averaging of the iterates, here with a decaying weight",
    "SIAM Journal on Control and Optimization 30",
    url="https://doi.org/10.1137/0330046",
)
foret = Source(
    "Foret, Kleiner, Mobahi and Neyshabur",
    2021,
    "Sharpness-aware minimization for efficiently improving generalization",
    "Algorithm 1 and equation (2) with p = 2",
    "ICLR",
    arxiv="2010.01412",
)
si = Source(
    "Si and Yun",
    2023,
    "Practical sharpness-aware minimization cannot converge all the way to optima",
    "SAM with a constant radius; on strongly convex functions it needs step sizes that fall",
    "NeurIPS",
    arxiv="2306.09850",
)

slow_lr, sync_period = hyper_symbol("slow_lr", positive=True), hyper_symbol("sync_period", positive=True)
accumulate, ema_decay = hyper_symbol("accumulate", positive=True), hyper_symbol("ema_decay")
sam_rho = hyper_symbol("sam_rho", positive=True)


def at_call(e: Any, ends: bool, begins: bool = False) -> Any:
    """An expression at a call that ends a period, or begins one, or not: Mod(t, k) = 0, Mod(t - 1, k) = 0."""
    cases = {
        c: sp.true if (begins if c.has(t - 1) else ends) else sp.false for c in e.atoms(sp.Eq) if c.has(t)
    }
    return e.xreplace(cases)


def paths_differ(
    rule: Rule,
    gradients: Sequence[Any],
    inner: Rule,
    inner_gradients: Sequence[Any],
    *,
    calls: Mapping[int, int],
    more: Mapping[str, Any],
) -> str | None:
    """Words on a call after which the wrapped rule is not where the inner one is; None if there is none.

    calls: number of calls -> number of updates of the inner rule. more: numbers of the wrapper; those of the
    inner rule are 1/2, 1/3, ..., all exact.
    """
    shared = trials(inner)
    values = {h.name: (trials(rule) | shared | dict(more))[h.name] for h in rule.hyperparameters}
    plain = run(inner, inner_gradients, 1, {h.name: shared[h.name] for h in inner.hyperparameters})
    wrapped = run(rule, gradients, 1, values)
    for call, update in calls.items():
        for name, expected in plain[update].items():
            found = wrapped[call].get(name, sp.nan)
            gap = sp.N(found - expected, 30)
            if gap.has(sp.nan, sp.zoo) or (gap.is_number and abs(gap) > sp.Rational(1, 10**25)):
                given = ", ".join(map(str, gradients))
                return f"gradients {given}: {name} is {found} after call {call}, not {expected}"
    return None


# ---- Lookahead ---------------------------------------------------------------------------------------------


@claim(
    "lookahead.inner",
    "With a slow step size of 1 Lookahead is the optimizer inside.",
    statement=r"\alpha_s = 1 \quad \Longrightarrow \quad \theta_t \text{ of Lookahead around Adam} = \theta_t"
    r" \text{ of Adam}",
    scope="each coordinate, any gradients, every period k and every t; Adam stands for any rule inside, as"
    " its lines are kept one by one",
    sources=[zhang],
    rule=about("lookahead(adam)"),
    inner=about("adam"),
)
def lookahead_inner(rule: Rule, inner: Rule) -> Decision:
    """Closed forms at calls that synchronise and at others."""
    show_like(inner, "m v")
    show_like(rule, "m v theta_slow")
    three, more = (1, -2, 3), {"sync_period": 2, "slow_lr": 1}
    refute_first(paths_differ(rule, three, inner, three, calls={k: k for k in range(4)}, more=more))
    form, plain = closed_form(rule), closed_form(inner)
    for back in (True, False):
        for name, expected in plain.items():
            found = at_call(form[name], ends=back).subs(slow_lr, 1)
            show_equal(found, expected, f"{name} of a call", domains(rule))
    for state in inner.states:
        show_equal(rule.state(state.name).initial, state.initial, f"{state.name} at first")
    return holds("whether or not a call synchronises, its closed form at alpha_s = 1 is Adam's")


def cycle(rule: Rule, k: int, gradients: Sequence[Any], start: Any) -> Any:
    """theta after k calls with period k."""
    return sp.expand(run(rule, gradients, start, {"sync_period": k})[k]["theta"])


@claim(
    "lookahead.step",
    "Lookahead goes k steps forward and then 1 step back: to the fraction alpha_s of the way.",
    statement=r"\theta_k = \theta_0 - \alpha_s \, \eta \sum_{i=1}^{k} g_i",
    scope="around gradient descent, each coordinate, any gradients, k = 1, ..., 4, and the cycle after it",
    sources=[zhang],
    rule=about("lookahead(gd)"),
)
def lookahead_step(rule: Rule) -> Decision:
    """Exact runs with a symbol for each gradient, over two cycles."""
    show_like(rule, "theta_slow")
    start = sp.Symbol("theta_0", real=True)
    for k in range(1, 5):
        g = symbols("g", 2 * k)
        found = run(rule, list(g), start, {"sync_period": k})
        for cycles in (1, 2):
            expected = start - slow_lr * lr * sum(g[: cycles * k])
            show_equal(
                found[cycles * k]["theta"], expected, f"theta after {cycles} cycles of {k}", domains(rule)
            )
        for inside in range(1, k):
            expected = start - lr * sum(g[:inside])
            show_equal(found[inside]["theta"], expected, f"theta after {inside} of {k} steps", domains(rule))
    return holds("two cycles with symbolic gradients, for k = 1, 2, 3 and 4")


@claim(
    "lookahead.variance",
    "On a noisy quadratic Lookahead has a smaller stationary variance than the optimizer inside.",
    statement=r"V = \frac{\alpha^2 (1 - A^{2k})}{\alpha^2 (1 - A^{2k}) + 2 \alpha (1 - \alpha)(1 - A^k)} \,"
    r" V_{\mathrm{SGD}}, \quad V_{\mathrm{SGD}} = \frac{\eta^2 \sigma^2}{1 - A^2}, \quad A = 1 - \eta"
    r" \lambda, \quad V < V_{\mathrm{SGD}} \text{ for } 0 < A < 1, \; 0 < \alpha < 1",
    scope="gradient lambda theta + noise, independent with variance sigma^2, around gradient descent, k = 1,"
    " ..., 4, any alpha, lambda and lr with |A| < 1; the slow parameters",
    sources=[zhang],
    rule=about("lookahead(gd)"),
)
def lookahead_variance(rule: Rule) -> Decision:
    """One cycle is linear in theta_0 and the noise: the variance is read off its coefficients."""
    show_like(rule, "theta_slow")
    A, start = sp.symbols("A theta_0", real=True)
    for k in range(1, 5):
        noise = symbols("xi", k)
        gradients = [lambda p, e=e: (1 - A) / lr * p + e for e in noise]
        end = cycle(rule, k, gradients, start)
        kept, spread = end.coeff(start), sum(end.coeff(e) ** 2 for e in noise)
        show_equal(end - kept * start, sum(end.coeff(e) * e for e in noise), "the rest of a cycle")
        if kept**2 == 1:
            raise Refuted(f"for k = {k} theta_k = {end}: the start is never forgotten")
        found = spread / (1 - kept**2)
        above = slow_lr**2 * (1 - A ** (2 * k))
        stated = above / (above + 2 * slow_lr * (1 - slow_lr) * (1 - A**k))
        show_equal(found, stated * lr**2 / (1 - A**2), f"the variance for k = {k}", domains(rule))
        a, b = sp.symbols("a b", positive=True)
        inside = (1 - sp.cancel(stated)).subs({A: a / (1 + a), slow_lr: b / (1 + b)})
        show_positive(sp.cancel(inside), "1 - V/V_SGD")
    return holds(
        "theta_k = A_k theta_0 + sum of c_i xi_i; V = sigma^2 sum of c_i^2 / (1 - A_k^2), k = 1, ..., 4"
    )


# ---- accumulation and averages ---------------------------------------------------------------------------


@claim(
    "accumulated.big_batch",
    "Accumulating k gradients is the same as one step with their mean.",
    statement=r"\theta_{jk} = \text{the parameters after } j \text{ updates of Adam with } \bar{g}_i ="
    r" \frac{1}{k} \sum_{l=(i-1)k+1}^{ik} g_l",
    scope="each coordinate, any gradients, all at the same parameters, every k and j; Adam with its count of"
    " updates stands for any rule inside",
    sources=[ott],
    rule=about("accumulated(adam)"),
    inner=about("adam"),
)
def accumulated_big_batch(rule: Rule, inner: Rule) -> Decision:
    """The mean by induction over the calls of an update; then Adam's closed form at t/k."""
    show_like(inner, "m v")
    show_like(rule, "m v a")
    refute_first(
        paths_differ(
            rule,
            (1, -2, 6, 3, 5, -7),
            inner,
            (sp.Rational(5, 3), sp.Rational(1, 3)),
            calls={0: 0, 1: 0, 2: 0, 3: 1, 4: 1, 5: 1, 6: 2},
            more={"accumulate": 3},
        )
    )
    form, plain, mean = closed_form(rule), closed_form(inner), rule.state("a")
    begins, goes_on = (at_call(form["a"], True, first) for first in (True, False))
    show_equal(begins, grad / accumulate, "the mean after the first gradient")
    show_equal(goes_on, mean.before + grad / accumulate, "the mean after a further one")
    for name, expected in plain.items():
        rest = at_call(form[name], ends=False)
        show_equal(rest, inner.state(name).before, f"{name} of a call in between")
        for only, average in ((True, begins), (False, goes_on)):  # k = 1, and k > 1
            last = at_call(form[name], True, only)
            here = expected.subs({grad: average, t: t / accumulate}, simultaneous=True)
            show_equal(last, here, f"{name} of the last call")
    return holds(
        "the buffer is the sum of the gradients so far over k; the k-th call is Adam's at t/k with it"
    )


@claim(
    "averaged.weights",
    "The average of the parameters is a weighted mean of all of them, and does not disturb the optimizer.",
    statement=r"\bar\theta_t = \beta^t \theta_0 + (1 - \beta) \sum_{s=1}^{t} \beta^{t-s} \theta_s, \qquad"
    r" \beta^t + (1 - \beta) \sum_{s=1}^{t} \beta^{t-s} = 1",
    scope="each coordinate, any gradients, every beta in [0, 1) and t; Adam stands for any rule inside",
    sources=[polyak],
    rule=about("averaged(adam)"),
    inner=about("adam"),
)
def averaged_weights(rule: Rule, inner: Rule) -> Decision:
    """The weight of each theta_s, by induction over t; their sum likewise."""
    show_like(inner, "m v")
    show_like(rule, "m v theta_bar")
    form, plain, bar = closed_form(rule), closed_form(inner), rule.state("theta_bar")
    two, third = (1, -2), sp.Rational(1, 3)
    refute_first(
        paths_differ(rule, two, inner, two, calls={k: k for k in range(3)}, more={"ema_decay": third})
    )
    for name, expected in plain.items():
        show_equal(form[name], expected, name, domains(rule))
    now = sp.Symbol("theta_now", real=True)
    mean = dict(rule.assignments)[bar.now].xreplace({theta.now: now})
    show_equal(bar.initial, theta.before, "the mean at first")
    old, new = sp.diff(mean, bar.before), sp.diff(mean, now)
    show_equal(mean, old * bar.before + new * now, "the mean", domains(rule))
    show_equal(new, 1 - ema_decay, "the weight of the newest parameters", domains(rule))
    age = sp.Symbol("a", integer=True, nonnegative=True)
    for weight, first in ((ema_decay**age * (1 - ema_decay), 1 - ema_decay), (ema_decay**age, sp.Integer(1))):
        show_equal(weight.subs(age, 0), first, "a weight at first")
        show_equal(old * weight, weight.subs(age, age + 1), "a weight one update later", domains(rule))
    show_by_induction(
        lambda y, k: old * y + new,
        sp.Integer(1),
        lambda k: sp.Integer(1),
        "the sum of weights",
        domains(rule),
    )
    return holds("with each update every weight is multiplied by beta and 1 - beta is added: they sum to 1")


# ---- SAM -------------------------------------------------------------------------------------------------


@claim(
    "sam.radius_zero",
    "With a radius that tends to 0 SAM is the optimizer inside.",
    statement=r"\rho_s \to 0 \quad \Longrightarrow \quad \theta_{2j} \text{ of SAM} = \theta_j \text{ of the"
    r" momentum rule with the gradients } g_2, g_4, \dots",
    scope="each coordinate, any gradients, every t; momentum stands for any rule inside",
    sources=[foret],
    rule=about("sam(momentum)"),
    inner=about("momentum"),
)
def sam_radius_zero(rule: Rule, inner: Rule) -> Decision:
    """The odd call moves nothing for rho_s = 0, the even one is the inner step, from theta_held."""
    show_like(inner, "v")
    show_like(rule, "v theta_held")
    held, known = rule.state("theta_held"), {h.symbol: h.symbol for h in rule.hyperparameters}
    known |= {sam_rho: sp.Integer(0), grad: sp.Matrix([[grad]])}
    known |= {s.before: sp.Matrix([[s.before]]) for s in (theta, *rule.states)}
    odd, even = (line_by_line(rule, known | {t: now}) for now in (2 * t - 1, 2 * t))
    for name, expected in closed_form(inner).items():
        state = rule.state(name)
        show_equal(odd[state.now][0], state.before, f"{name} after an odd call", domains(rule))
        inside = expected.subs(theta.before, held.before)
        show_equal(even[state.now][0], inside, f"{name} after an even call", domains(rule))
    show_equal(odd[held.now][0], theta.before, "theta_held", domains(rule))
    return holds(
        "for rho_s = 0 an odd call holds theta and moves nothing; an even one is the inner step from there"
    )


def sam_cycle_start(curvature: Any) -> Any:
    """eta lambda rho/(2 - eta lambda): where SAM goes back and forth on lambda theta^2/2."""
    return lr * curvature * sam_rho / (2 - lr * curvature)


def sam_update(rule: Rule, start: Any, curvature: Any, **values: Any) -> Any:
    """theta after one update of SAM, two calls, on curvature theta^2/2."""
    gradients = [lambda p: curvature * p] * 2
    return run_matrices(rule, gradients, sp.Matrix([[start]]), values, sp.cancel)[2]["theta"][0]


@claim(
    "sam.cycle",
    "On a quadratic SAM with a constant radius does not come to rest: it ends up going back and forth.",
    statement=r"f(\theta) = \tfrac{1}{2} \lambda \theta^2, \; 0 < \eta \lambda < 2: \quad a = \frac{\eta"
    r" \lambda \rho}{2 - \eta \lambda} \; \longmapsto \; -a \; \longmapsto \; a, \qquad \theta = a + d \;"
    r" \longmapsto \; -a + (1 - \eta \lambda) d",
    scope="one variable, around gradient descent, every lambda, rho > 0 and lr < 2/lambda; the cycle attracts"
    " as long as a + d > 0: distances shrink by |1 - lr lambda| in each update",
    sources=[si],
    rule=about("sam(gd)"),
)
def sam_cycle(rule: Rule) -> Decision:
    """One update from a + d > 0, for symbolic lambda and rho; it is odd in theta."""
    show_like(rule, "theta_held")
    curvature, s = sp.symbols("lambda s", positive=True)
    below = 2 * s / (curvature * (1 + s))  # every lr in (0, 2/lambda)
    a = sp.cancel(sam_cycle_start(curvature).subs(lr, below))
    offset = sp.Symbol("d", nonnegative=True)
    refute_first(_no_cycle(rule))
    for start in (a, a + offset, a / (1 + offset)):
        found = sam_update(rule, start, curvature, lr=below)
        gap = start - a
        show_equal(found, -a + (1 - below * curvature) * gap, "theta after an update", domains(rule))
        show_equal(sam_update(rule, -start, curvature, lr=below), -found, "theta from -theta", domains(rule))
    return holds(
        "theta becomes theta - lr lambda (theta + rho sign(theta)): a goes to -a, and distances to it shrink;"
        " a tends to 0 with lr, not with t"
    )


def _no_cycle(rule: Rule) -> str | None:
    """lambda = 1, lr = 1/2, rho = 3: 1 should go to -1 and back, 2 to -1/2; in words if not."""
    for start, ends in ((1, (-1, 1)), (2, (-sp.Rational(1, 2),)), (-1, (1,))):
        for k, end in enumerate(ends, 1):
            values = {"lr": sp.Rational(1, 2), "sam_rho": sp.Integer(3)}
            try:
                found = end_of(rule, [lambda p: p] * (2 * k), sp.Matrix([[start]]), values)[0]
            except NotProved as failed:
                return f"lambda = 1, lr = 1/2, rho = 3 from {start}: {failed}"
            if found != end:
                return f"lambda = 1, lr = 1/2, rho = 3: {k} updates take {start} to {found}, not to {end}"
    return None


@claim(
    "sam.converges",
    "With a small enough constant step size SAM converges to the minimum of a quadratic.",
    statement=r"f(\theta) = \tfrac{1}{2} \theta^2, \; \eta < 2 \quad \Longrightarrow \quad \theta_t \to 0",
    scope="one variable, around gradient descent, lambda = 1, lr = 1/2, rho = 3, theta_0 = 1",
    sources=[si],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="sam.cycle",
    rule=about("sam(gd)"),
)
def sam_converges(rule: Rule) -> Decision:
    """An exact cycle."""
    show_like(rule, "theta_held")
    values = {"lr": sp.Rational(1, 2), "sam_rho": sp.Integer(3)}
    path = [end_of(rule, [lambda p: p] * calls, sp.Matrix([[1]]), values)[0] for calls in (2, 4)]
    if path == [-1, 1]:
        return refuted("lambda = 1, lr = 1/2, rho = 3: theta = 1 goes to -1 and back to 1, and so on")
    raise NotProved(f"theta = 1 goes to {path[0]} and {path[1]}")
