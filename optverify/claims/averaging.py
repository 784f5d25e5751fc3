r"""Averages of the iterates: Polyak and Ruppert's, and Schedule-Free SGD, which lies between two of them."""

from __future__ import annotations

from typing import Any

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, in_scope
from optverify.claims._noise import curvature, ranges, rational, run
from optverify.language import Rule, Source, lr, momentum, t, theta
from optverify.proof import NotProved, show_by_induction, show_equal, unless
from optverify.proof.moments import noisy_step
from optverify.rules.asgd import average_start
from optverify.views.closed import closed_form

polyak_juditsky = Source(
    "Polyak and Juditsky",
    1992,
    "Acceleration of stochastic approximation by averaging",
    "section 2, linear problems: the mean of the iterates at a constant step size",
    "SIAM Journal on Control and Optimization 30",
    url="https://doi.org/10.1137/0330046",
)
bottou = Source(
    "Bottou",
    2010,
    "Large-scale machine learning with stochastic gradient descent",
    "averaged SGD in the experiments, the average begun late",
    "COMPSTAT",
)
defazio = Source(
    "Defazio et al.",
    2024,
    "The road less scheduled",
    "the interpolation between Polyak-Ruppert and primal averaging, beta = 0 and 1",
    "NeurIPS",
    arxiv="2405.15682",
)
defazio_primal = Source(
    "Defazio",
    2020,
    "Momentum via primal averaging: theoretical insights and learning rate schedules for non-convex"
    " optimization",
    "the equivalence of momentum and primal averaging",
    arxiv="2010.00406",
)
q = sp.Symbol("q", real=True)
geometric, of_squares = sp.symbols("A B", real=True)
"""1 + q + ... + q^(t-1), and the same of q^2."""
states = sp.symbols("x z", real=True)


def show_iterates(rule: Rule, names: tuple[str, ...]) -> None:
    """NotProved unless these are the states of the rule: what the statement speaks of."""
    if {s.name for s in rule.states} != set(names) or rule.inputs:
        raise NotProved(f"rule {rule.name!r} has other states than {', '.join(names)}")


# ---- the mean of all iterates ------------------------------------------------------------------------------


def mean_square(once: sp.Expr, squared: sp.Expr, k: sp.Expr) -> dict[str, sp.Expr]:
    """E[theta_k^2], E[theta_k S_k], E[S_k^2] for S_k = theta_1 + ... + theta_k from theta_0 = 0.

    In units of sigma^2/lambda^2. once, squared: 1 + q + ... + q^(k-1), and the same of q^2.
    """
    return {
        "now": (1 - q) ** 2 * squared,
        "both": (1 - q) * (once - q * squared),
        "sum": k - 2 * q * once + q**2 * squared,
    }


@claim(
    "asgd.noise.average",
    "The average of the iterates of SGD converges though the iterates do not, and the constant step size"
    " drops out of its error.",
    statement=r"E[\bar{\theta}_t^2] = \frac{\sigma^2}{\lambda^2 t^2} \left( t - 2 q \frac{1 - q^t}{1 - q} +"
    r" q^2 \frac{1 - q^{2t}}{1 - q^2} \right), \quad q = 1 - \gamma \lambda, \qquad t \, E[\bar{\theta}_t^2]"
    r" \to \frac{\sigma^2}{\lambda^2} \text{ for } |q| < 1",
    scope="f = lambda theta^2/2, in d dimensions along each eigenvector of the Hessian; noise of mean 0 and"
    " variance sigma^2 added to the gradients, independent from step to step; constant lr, mean over all"
    " updates, theta_0 = 0, every t >= 1 (another start adds (theta_0 q (1 - q^t)/(t (1 - q)))^2)",
    sources=[polyak_juditsky],
    rule=about("asgd"),
)
def average(rule: Rule) -> Decision:
    """The second moments of theta and of the sum of all iterates by induction."""
    with unless(lambda: _other_average(rule)):
        show_iterates(rule, ("theta_bar",))
        step = noisy_step(rule, curvature)
        put = {average_start: 0, lr: (1 - q) / curvature}
        matrix, weights, offset = (m.subs(put) for m in (step.matrix, step.weights * curvature, step.offset))
        if any(offset) or matrix.has(curvature) or weights.has(curvature):
            raise NotProved("the step is not that of a multiplier 1 - lr lambda and noise of weight lr")
        old, zero = mean_square(geometric, of_squares, t), sp.Integer(0)
        for k, known in ((zero, [zero] * 3), (t, [old["now"], old["both"] / t, old["sum"] / t**2])):
            now, both, total = known
            before, a, b = (
                sp.Matrix([[now, both], [both, total]]),
                matrix.subs(t, k + 1),
                weights.subs(t, k + 1),
            )
            once, squared = (geometric, of_squares) if k else (zero, zero)
            stated = mean_square(1 + q * once, 1 + q**2 * squared, k + 1)
            after = a * before * a.T + b * b.T
            show_equal(after[0, 0], stated["now"], "E[theta^2]")
            show_equal(after[0, 1] * (k + 1), stated["both"], "E[theta S]")
            show_equal(after[1, 1] * (k + 1) ** 2, stated["sum"], "E[S^2]")
    return holds(
        "E[S_t^2] = sigma^2/lambda^2 (t + terms that stay bounded), and lr occurs in the bounded ones only"
    )


def _other_average(rule: Rule) -> str | None:
    """Look for another mean square of the average after 1 to 3 updates, in numbers; in words."""
    values = {"lr": sp.Rational(1, 2), "average_start": sp.Integer(0), "weight_decay": sp.Integer(0)}
    drawn = sp.symbols("xi_1:4", real=True)
    history = run(rule, [lambda p, xi=xi: p + xi for xi in drawn], start=0, values=values)
    for k, state in enumerate(history[1:], 1):
        end = sp.expand(state.get("theta_bar", sp.Integer(0)))
        offset = rational(end.subs(dict.fromkeys(drawn, 0)))
        found = offset**2 + sum(rational(end.coeff(xi)) ** 2 for xi in drawn)
        half = sp.Rational(1, 2)
        once, squared = (sp.Add(*(base**i for i in range(k))) for base in (half, half**2))
        stated = mean_square(once, squared, sp.Integer(k))["sum"].subs(q, half) / k**2
        if found != stated:
            return f"lambda = sigma = 1, lr = 1/2: E[theta_bar^2] is {found} after update {k}, not {stated}"
    return None


@claim(
    "asgd.late_start",
    "Averaging can begin late: then the result is the mean of the later points only.",
    statement=r"\bar{\theta}_t = \frac{1}{t - t_0} \sum_{s = t_0 + 1}^{t} \theta_s \quad \text{for } t > t_0,"
    r" \qquad \bar{\theta}_t = \theta_t \quad \text{for } t \le t_0",
    scope="constant lr, any gradients, t_0 = average_start = 0, ..., 3, t = 1, ..., 6, every case, with"
    " symbolic gradients",
    sources=[bottou, polyak_juditsky],
    evidence="exact enumeration",
    rule=about("asgd"),
)
def late_start(rule: Rule) -> Decision:
    """Runs with a symbol for each gradient, each average against the points of the same run."""
    show_iterates(rule, ("theta_bar",))
    slopes = sp.symbols("g_1:7", real=True)
    for begin in range(4):
        history = run(rule, slopes, start=0, values={"average_start": sp.Integer(begin)})
        points = [state["theta"] for state in history]
        for k in range(1, len(history)):
            later = points[begin + 1 : k + 1] or [points[k]]
            stated = sp.Add(*later) / sp.Integer(len(later))
            show_equal(
                history[k]["theta_bar"], stated, f"the average at t = {k}, t_0 = {begin}", ranges(rule)
            )
    return holds("24 averages, each the mean of the points after t_0", "exact enumeration")


# ---- Schedule-Free SGD between its ends --------------------------------------------------------------------


def schedule_free(rule: Rule, beta: int) -> tuple[sp.Expr, sp.Expr]:
    """theta_t and z_t at momentum = beta in states = (theta_{t-1}, z_{t-1}); the weights by induction."""
    show_iterates(rule, ("z", "W"))
    in_scope(rule, parameters="average", weighting="step_size", weight_decay_form="none", maximize=False)
    form, total = closed_form(rule), rule.state("W")
    show_by_induction(
        lambda y, k: form["W"].subs(total.before, y),
        sp.sympify(total.initial),
        lambda k: k * lr**2,
        "W",
        ranges(rule),
    )
    show_equal(rule.gradient_point.subs(momentum, beta), _points(rule)[beta], "the gradient point")
    put = {total.before: (t - 1) * lr**2, momentum: beta} | dict(
        zip(_points(rule)[::-1], states, strict=True)
    )
    return form["theta"].subs(put), form["z"].subs(put)


def _points(rule: Rule) -> tuple[sp.Symbol, sp.Symbol]:
    return rule.state("z").before, theta.before


def show_starts_at_theta(rule: Rule, name: str) -> None:
    """Show that a state starts where theta does."""
    show_equal(sp.sympify(rule.state(name).initial), theta.before, f"the start of {name}")


@claim(
    "schedule_free_sgd.average",
    "Schedule-Free SGD with beta = 0 returns the mean of the points of SGD, each weighted with the square of"
    " its learning rate.",
    statement=r"\beta \to 0: \quad z_t = \theta_t^{\mathrm{SGD}}, \qquad \theta_t = \frac{\sum_{s=1}^{t}"
    r" \gamma_s^2 \, \theta_s^{\mathrm{SGD}}}{\sum_{s=1}^{t} \gamma_s^2}",
    scope="every f, any gradients, any dimension, every schedule of lr, every t >= 1; beta = 0 in the"
    " recurrence, the end of its range; for constant lr the Polyak-Ruppert average, an inclusion of its own",
    sources=[defazio, polyak_juditsky],
    rule=about("schedule_free_sgd"),
    plain=about("gd"),
)
def is_average(rule: Rule, plain: Rule) -> Decision:
    """z takes the step of SGD; W_t theta_t gains lr^2 z_t, and W_t the weight lr^2, from W_0 = 0 on."""
    with unless(lambda: _other_mean(rule, plain)):
        show_iterates(rule, ("z", "W"))
        show_iterates(plain, ())
        total, (mean, point) = rule.state("W"), states
        put = dict(zip((*_points(rule)[::-1], momentum), (mean, point, sp.Integer(0)), strict=True))
        form = {n: e.subs(put, simultaneous=True) for n, e in closed_form(rule).items()}
        show_equal(rule.gradient_point.subs(put, simultaneous=True), point, "the gradient point")
        show_starts_at_theta(rule, "z")
        show_equal(form["z"], closed_form(plain)["theta"].subs(theta.before, point), "z")
        show_equal(sp.sympify(total.initial), 0, "W at the start")
        show_equal(form["W"], total.before + lr**2, "W", ranges(rule))
        gained = form["W"] * form["theta"] - total.before * mean
        show_equal(gained, lr**2 * form["z"], "what W theta gains", ranges(rule))
    return holds("W_t theta_t = W_{t-1} theta_{t-1} + lr^2 z_t and W_t = W_{t-1} + lr^2 from W_0 = 0")


RATES = [sp.Rational(1, k) for k in (2, 3, 5)]
SLOPES = [lambda p: p, lambda p: p + 1, lambda p: p - 2]


def _other_mean(rule: Rule, plain: Rule) -> str | None:
    """Look for a theta that is not the weighted mean of the points of SGD, with falling lr; in words."""
    values: dict[str, Any] = {"lr": lambda k: RATES[k - 1], "weight_decay": sp.Integer(0)}
    found, points = (
        [rational(state["theta"]) for state in run(r, SLOPES, start=1, values=values | {"momentum": 0})[1:]]
        for r in (rule, plain)
    )
    for k, theta_k in enumerate(found, 1):
        weights = [rate**2 for rate in RATES[:k]]
        stated = sum(w * p for w, p in zip(weights, points, strict=False)) / sum(weights)
        if theta_k != stated:
            return f"from theta_0 = 1 with lr = 1/2, 1/3, 1/5 theta_{k} is {theta_k}, not {stated}"
    return None


def _apart(rule: Rule, other: Rule, values: dict[str, Any]) -> str | None:
    """Look for a first difference of theta, with beta = 1 in the first, in numbers on theta^2/2; in words."""
    common = {"lr": sp.Rational(1, 2), "weight_decay": sp.Integer(0)}
    runs = [
        [rational(state["theta"]) for state in run(r, SLOPES, start=1, values=common | v)[1:]]
        for r, v in ((rule, {"momentum": 1}), (other, values))
    ]
    for k, (left, right) in enumerate(zip(*runs, strict=True), 1):
        if left != right:
            return (
                f"from theta_0 = 1 with lr = 1/2 update {k} gives {left} by the one and {right} by the other"
            )
    return None


@claim(
    "schedule_free_sgd.primal_averaging",
    "Schedule-Free SGD with beta = 1 is primal averaging: momentum that grows to 1 while the rate falls like"
    " 1/t.",
    statement=r"\theta_t - \theta_{t-1} = \frac{t - 2}{t} \, (\theta_{t-1} - \theta_{t-2}) - \frac{\gamma}{t}"
    r" \, \nabla f(\theta_{t-1}), \qquad t \ge 2",
    scope="every f, any gradients, any dimension, constant lr, beta = 1, every t >= 2, and theta_1 = theta_0"
    " - lr g_1: heavy-ball momentum with momentum (t - 2)/t and lr/t",
    sources=[defazio, defazio_primal],
    rule=about("schedule_free_sgd"),
    heavy=about("momentum"),
)
def is_primal(rule: Rule, heavy: Rule) -> Decision:
    """With (t - 1) v_t = z_t - theta_t kept, a step of both moves theta alike."""
    values = {"lr": lambda k: sp.Rational(1, 2 * k), "momentum": lambda k: sp.Rational(max(k - 2, 0), k)}
    with unless(lambda: _apart(rule, heavy, values)):
        show_iterates(heavy, ("v",))
        x, z = schedule_free(rule, 1)
        show_starts_at_theta(rule, "z")
        point, velocity = states[0], sp.Symbol("v", real=True)
        v = heavy.state("v")
        put = {momentum: (t - 2) / t, lr: lr / t, theta.before: point, v.before: velocity}
        form = {n: e.subs(put, simultaneous=True) for n, e in closed_form(heavy).items()}
        kept = {states[1]: point + (t - 2) * velocity}
        later, first = {t: t + 1}, {t: 1, momentum: 0}
        show_equal(x.subs(kept).subs(later), form["theta"].subs(later), "theta")
        show_equal((z - x).subs(kept).subs(later), (t * form["v"].subs(later)), "(t - 1) v")
        start = {v.before: v.initial, **first, theta.before: point}
        show_equal(x.subs({states[1]: point, t: 1}), closed_form(heavy)["theta"].subs(start), "theta_1")
        show_equal((z - x).subs({states[1]: point, t: 1}), 0, "z_1 - theta_1")
    return holds("(t - 1) v_t = z_t - theta_t holds from t = 1 on, and theta_t = theta_{t-1} + v_t")
