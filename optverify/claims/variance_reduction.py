r"""SVRG: noise that is measured at a snapshot and taken out.

An example i is drawn at random for each update: x_i is its gradient at theta_{t-1}, y_i the one at the
snapshot, and the mean of all y_i is known.
"""

from __future__ import annotations

import itertools

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds
from optverify.claims._noise import memoryless, ranges, rational
from optverify.language import Rule, Source, grad, lr, theta
from optverify.proof import NotProved, Refuted, show_equal
from optverify.rules.svrg import at_snapshot
from optverify.rules.svrg import mu as full
from optverify.views.closed import closed_form
from optverify.views.run import run

johnson_zhang = Source(
    "Johnson and Zhang",
    2013,
    "Accelerating stochastic gradient descent using predictive variance reduction",
    "procedure SVRG, and the discussion of its variance; Theorem 1 for the rate",
    "NeurIPS",
)
xiao_zhang = Source(
    "Xiao and Zhang",
    2014,
    "A proximal stochastic gradient method with progressive variance reduction",
    "the bound on the variance of the modified gradient",
    "SIAM Journal on Optimization 24",
    arxiv="1403.4699",
)
LARGEST = 3
"""Data sets up to this size are enumerated."""


def shape(rule: Rule) -> sp.Expr:
    """theta_t, for a rule that is given both gradients at the snapshot and moves without memory of more."""
    given = {i.name for i in rule.inputs}
    if not given or not given <= {"snapshot_grad", "full_grad"}:
        raise NotProved(f"rule {rule.name!r} does not use the gradients at a snapshot")
    form = closed_form(rule)["theta"]
    if form.has(*(s.before for s in rule.states)):
        raise NotProved("theta_t depends on more than theta_{t-1} and the gradients of this update")
    return form


def outcomes(form: sp.Expr, n: int) -> tuple[list[sp.Expr], list[sp.Expr], list[sp.Expr]]:
    """theta_t for each of n examples drawn, the x_i and the y_i."""
    x, y = (sp.symbols(f"{name}_1:{n + 1}", real=True) for name in ("x", "y"))
    mean = sum(y) / sp.Integer(n)
    put = [{grad: a, at_snapshot.now: b, full.now: mean} for a, b in zip(x, y, strict=True)]
    return [form.xreplace(p) for p in put], list(x), list(y)


@claim(
    "svrg.unbiased",
    "SVRG's step is, on average, the step of the full gradient.",
    statement=r"E[\theta_t] = \theta_{t-1} - \eta \, \nabla f(\theta_{t-1})",
    scope="one step from given parameters and a given snapshot, any f_i, any dimension, an example drawn"
    " uniformly and independently of them; enumerated in full for N <= 3 examples",
    sources=[johnson_zhang, xiao_zhang],
    evidence="exact enumeration",
    rule=about("svrg"),
)
def svrg_unbiased(rule: Rule) -> Decision:
    """The mean over all examples, for symbolic gradients."""
    form = shape(rule)
    for n in range(1, LARGEST + 1):
        ends, x, _ = outcomes(form, n)
        stated = theta.before - lr * sum(x) / sp.Integer(n)
        show_equal(sum(ends) / sp.Integer(n), stated, f"the mean step for N = {n}", ranges(rule))
    return holds(
        "the mean of the y_i that are subtracted is the full gradient that is added", "exact enumeration"
    )


@claim(
    "svrg.variance",
    "The noise of SVRG vanishes at the snapshot, and grows only as the gradients change on the way from it.",
    statement=r"\mathrm{Var}[\theta_t] = \eta^2 \, \mathrm{Var}_i[\nabla f_i(\theta_{t-1}) - \nabla"
    r" f_i(\tilde{\theta})] \le \eta^2 \, \frac{1}{N} \sum_{i=1}^{N} \left( \nabla f_i(\theta_{t-1}) - \nabla"
    r" f_i(\tilde{\theta}) \right)^2",
    scope="one step from given parameters and a given snapshot, any f_i, each coordinate, an example drawn"
    " uniformly and independently of them; for L-smooth f_i the bound is at most lr^2 L^2 times the squared"
    " distance from the snapshot; enumerated in full for N <= 3 examples",
    sources=[johnson_zhang, xiao_zhang],
    evidence="exact enumeration",
    rule=about("svrg"),
)
def svrg_variance(rule: Rule) -> Decision:
    """The variance over all examples, for symbolic gradients; it is 0 where all x_i = y_i."""
    form = shape(rule)
    for n in range(1, LARGEST + 1):
        ends, x, y = outcomes(form, n)
        changed = [a - b for a, b in zip(x, y, strict=True)]
        found, stated = (_variance(values) for values in (ends, changed))
        show_equal(found, lr**2 * stated, f"the variance of a step for N = {n}", ranges(rule))
        squares = sp.Add(*(c**2 for c in changed)) / n
        drift = sum(changed) / sp.Integer(n)
        show_equal(squares - stated, drift**2, "what the bound gives away", ranges(rule))
        still = dict(zip(x, y, strict=True))
        show_equal(found.subs(still), 0, "the variance at the snapshot", ranges(rule))
    return holds(
        "the step is theta - lr (x_i - y_i + mean y), of which x_i - y_i alone is random; a variance is the"
        " mean square less the squared mean",
        "exact enumeration",
    )


def _variance(values: list[sp.Expr]) -> sp.Expr:
    mean = sum(values) / sp.Integer(len(values))
    return sp.expand(sum(sp.expand((v - mean) ** 2) for v in values) / sp.Integer(len(values)))


@claim(
    "svrg.converges",
    "SVRG converges linearly at a constant step size, on problems on which SGD does not converge.",
    statement=r"E[\tilde{\theta}_{n+1}^2] = \rho \, E[\tilde{\theta}_n^2], \quad \rho < 1, \qquad f_1(\theta)"
    r" = \frac{\theta^2}{2} - \theta, \quad f_2(\theta) = \frac{3 \theta^2}{2} + \theta",
    scope="two examples with the curvatures 1 and 3 and slopes -1 and +1 at the minimum 0 of their mean, one"
    " drawn at random for each step, lr = 1/4, a snapshot every 3 updates, the last point becomes the"
    " snapshot; SGD with this step has E[theta^2] >= 1/20 after every update, from every start",
    sources=[johnson_zhang],
    evidence="exact enumeration",
    rule=about("svrg"),
    plain=about("gd"),
)
def svrg_converges(rule: Rule, plain: Rule) -> Decision:
    """Every sequence of examples between two snapshots, linear in the snapshot; then a step of SGD."""
    shape(rule)
    factors = []
    for draws in itertools.product(((1, -1), (3, 1)), repeat=3):
        ends = [_after_period(rule, draws, sp.Integer(start)) for start in (1, 2)]
        if ends[1] != 2 * ends[0]:
            raise Refuted(
                f"from 1 and from 2 the next snapshot is {ends[0]} and {ends[1]} after the examples with"
                f" curvatures {', '.join(str(k) for k, _ in draws)}: not proportional, so 0 does not stay"
            )
        factors.append(ends[0])
    rho = sum(f**2 for f in factors) / sp.Integer(len(factors))
    if not rho < 1:
        raise Refuted(f"from one snapshot to the next E[theta^2] grows by {rho}")
    return holds(
        f"the mean square of a snapshot shrinks by rho = {rho} a period, the mean over all 8 sequences; given"
        f" any theta, a step of SGD leaves a mean square of at least {_floor(plain)}",
        "exact enumeration",
    )


def _floor(plain: Rule) -> sp.Rational:
    """The least E[theta_t^2] that a step along one of the two examples leaves, over all theta_{t-1}."""
    x, form = sp.Symbol("x", real=True), memoryless(plain).subs(lr, sp.Rational(1, 4))
    ends = [form.subs({theta.before: x, grad: k * x + b}, simultaneous=True) for k, b in ((1, -1), (3, 1))]
    square = sp.Poly(sp.expand(sum(end**2 for end in ends) / 2), x)
    a, b, c = (rational(square.coeff_monomial(x**n)) for n in (2, 1, 0))
    if square.degree() != 2 or not (a > 0 and (least := c - b**2 / (4 * a)) > 0):
        raise NotProved(f"after a step of {plain.name} the mean square is {square.as_expr()}")
    if least != sp.Rational(1, 20):
        raise Refuted(f"after a step of {plain.name} from {-b / (2 * a)} it is {least}, not 1/20")
    return least


def _after_period(rule: Rule, draws: tuple[tuple[int, int], ...], start: sp.Expr) -> sp.Rational:
    """The snapshot after three updates from one at start."""
    slopes = [lambda p, k=k, b=b: k * p + b for k, b in draws]
    held = [k * start + b for k, b in draws]
    values = {
        "lr": sp.Rational(1, 4),
        "period": sp.Integer(3),
        "weight_decay": 0,
        "snapshot_grad": lambda step: held[step - 1],
        "full_grad": 2 * start,
    }
    history = run(rule, slopes, start=start, values=values)
    *kept, last = [rational(state.get("theta_tilde", sp.nan)) for state in history]
    if any(x != start for x in kept):
        raise Refuted(f"the snapshot at {start} does not stay for three updates: {', '.join(map(str, kept))}")
    return last
