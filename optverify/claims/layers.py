"""Rules that look at the length of a layer: LAMB, LARS, NovoGrad, and weights whose scale does not matter."""

from __future__ import annotations

from operator import add
from typing import Any

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, holds_under_conditions
from optverify.claims._matrix import differs, end_of, line_by_line, run_differs, show_like, trials
from optverify.language import (
    Rule,
    Source,
    Variable,
    beta1,
    eps,
    grad,
    hyper_symbol,
    lr,
    norm,
    t,
    theta,
    weight_decay,
)
from optverify.proof import (
    NotProved,
    Refuted,
    domains,
    show_equal,
    show_nonnegative,
    show_positive,
    unless,
)
from optverify.views.closed import closed_form
from optverify.views.exact import entrywise

you_lamb = Source(
    "You, Li, Reddi, Hseu, Kumar, Bhojanapalli, Song, Demmel, Keutzer and Hsieh",
    2020,
    "Large batch optimization for deep learning: training BERT in 76 minutes",
    "Algorithm 2",
    "ICLR",
    arxiv="1904.00962",
)
you_lars = Source(
    "You, Gitman and Ginsburg",
    2017,
    "Large batch training of convolutional networks",
    "equation (6) and Algorithm 1",
    arxiv="1708.03888",
)
ginsburg = Source(
    "Ginsburg, Castonguay, Hrinchuk, Kuchaiev and others",
    2019,
    "Stochastic gradient methods with layer-wise adaptive moments for training of deep networks",
    "Algorithm 1",
    arxiv="1905.11286",
)
ward = Source(
    "Ward, Wu and Bottou",
    2019,
    "AdaGrad stepsizes: sharp convergence over nonconvex landscapes",
    "Algorithm 1",
    "ICML",
    arxiv="1806.01811",
)
van_laarhoven = Source(
    "van Laarhoven",
    2017,
    "L2 regularization versus batch and weight normalization",
    "the parts on the effective learning rate and on weight decay in equilibrium",
    arxiv="1706.05350",
)
arora = Source(
    "Arora, Li and Lyu",
    2019,
    "Theoretical analysis of auto rate-tuning by batch normalization",
    "the lemma on the norm of scale-invariant weights",
    "ICLR",
    arxiv="1812.03981",
)

p, q = sp.symbols("p q", positive=True)
"""The length of the weights and that of the gradient or direction."""
trust = hyper_symbol("trust_coefficient")


def from_start(rule: Rule, **starts: Any) -> dict[str, sp.Expr]:
    """The closed form of the first update, with p and q for the lengths of theta and of the gradient."""
    first = {s.before: sp.sympify(s.initial) for s in rule.states} | {t: sp.Integer(1)}
    known = {norm(theta.before): p, norm(grad): q}
    return {name: e.xreplace(known).subs(first) for name, e in closed_form(rule).items()}


START, GRADIENT = sp.ImmutableDenseMatrix([3, 4]), sp.ImmutableDenseMatrix([5, -12])
"""Of lengths 5 and 13."""


# ---- trust ratios ------------------------------------------------------------------------------------------


def off_direction(rule: Rule, u: Any) -> str | None:
    """Look for a first step that is not lr |theta| u/|u|, or lr u from theta = 0; in words."""
    values = trials(rule)
    known = {h.symbol: values[h.name] for h in rule.hyperparameters} | {grad: GRADIENT, t: sp.Integer(1)}
    for start, length in ((START, sp.Integer(5)), (sp.zeros(2, 1), None)):
        given = known | {theta.before: start}
        given |= {s.before: sp.sympify(s.initial) * sp.ones(2, 1) for s in rule.states}
        try:
            end = line_by_line(rule, given)
        except NotProved as failed:
            return f"theta = {list(start)}, gradient (5, -12): there is no step, as {failed}"
        along = entrywise(add, end[u], sp.zeros(2, 1))
        scale = 1 if length is None else length / sp.sqrt(sum(e**2 for e in along))
        expected = start - values["lr"] * scale * along
        if getattr(end[theta.now], "shape", None) != (2, 1) or differs(end[theta.now], expected):
            return (
                f"theta = {list(start)}, gradient (5, -12), lr = {values['lr']}: the direction is"
                f" {list(along)}, but theta becomes {sp.sympify(end[theta.now])}"
            )
    return None


@claim(
    "lamb.step_length",
    "Every step of LAMB is lr times as long as the weights of the layer.",
    statement=r"\theta_t = \theta_{t-1} - \eta \, \lVert \theta_{t-1} \rVert \, \frac{u_t}{\lVert u_t"
    r" \rVert}, \quad \lVert \theta_t - \theta_{t-1} \rVert = \eta \, \lVert \theta_{t-1} \rVert",
    scope="every layer of every shape, any gradients, moments, decay in the direction and t, with theta and"
    " the direction other than 0 (else the step is lr times the direction); the length of a step not clipped",
    sources=[you_lamb],
    expected="holds under conditions",
    rule=about("lamb"),
)
def lamb_step_length(rule: Rule) -> Decision:
    """The step over the direction u, as a function of the lengths p of theta and q of u."""
    show_like(rule, "m v")
    u, phi = Variable("u").now, Variable("phi", nonnegative=True, scalar=True).now
    lines = dict(rule.assignments)
    if not {u, phi} <= set(lines):
        raise NotProved("this dialect has no direction u or no ratio phi")
    with unless(lambda: off_direction(rule, u)):
        step = lines[theta.now].xreplace({phi: lines[phi]})
        sizes = {norm(theta.before): p, norm(u): q}
        show_equal(step.xreplace(sizes), theta.before - lr * p / q * u, "theta_t", domains(rule))
        for zero in sizes:
            still = step.xreplace({**sizes, zero: sp.Integer(0)})
            show_equal(still, theta.before - lr * u, f"theta_t where {zero} = 0", domains(rule))
    return holds_under_conditions(
        "theta moves by -lr (p/q) u, where p is the length of theta and q that of u; if one is 0, by -lr u"
    )


@claim(
    "lars.step_length",
    "LARS's step is lr times the trust coefficient times as long as the weights of the layer.",
    statement=r"\theta_1 = \theta_0 - \frac{\gamma \eta \lVert \theta_0 \rVert}{\lVert g \rVert + \beta"
    r" \lVert \theta_0 \rVert + \epsilon} \, (g + \beta \theta_0), \quad \lVert \theta_1 - \theta_0 \rVert"
    r" \le \gamma \eta \, \lVert \theta_0 \rVert, \quad \text{with} \; = \; \text{for } \beta = \epsilon = 0",
    scope="the first step (velocity 0) of a layer of any shape, theta and gradient other than 0; with decay"
    " it is shorter unless theta and gradient point the same way",
    sources=[you_lars],
    expected="holds under conditions",
    rule=about("lars"),
)
def lars_step_length(rule: Rule) -> Decision:
    """The step as a multiple of g + beta theta, whose length is at most q + beta p."""
    show_like(rule, "v", Variable("lambda", nonnegative=True, scalar=True).now)
    values = {**trials(rule), "eps": sp.Integer(2)}
    factor = values["lr"] * values["trust_coefficient"] * 5 / (13 + values["weight_decay"] * 5 + 2)
    expected = START - factor * (GRADIENT + values["weight_decay"] * START)
    with unless(lambda: run_differs(rule, [GRADIENT], START, values, expected)):
        step = sp.expand(from_start(rule)["theta"] - theta.before)
        ratio = sp.cancel(-step.coeff(grad))
        show_equal(step, -ratio * (grad + weight_decay * theta.before), "the step", domains(rule))
        slack = lr * trust * p - ratio * (q + weight_decay * p)
        show_nonnegative(sp.cancel(slack), "lr trust p less the length of the step", domains(rule))
        show_equal(slack.subs({weight_decay: 0, eps: 0}), 0, "that without decay and eps", domains(rule))
        show_nonnegative(ratio, "the factor of the step", domains(rule))
    plain = {"lr": 1, "trust_coefficient": 1, "weight_decay": 1, "eps": 0, "momentum": 0}
    step = end_of(rule, [sp.Matrix([0, 4])], sp.Matrix([3, 0]), plain) - sp.Matrix([3, 0])
    return holds_under_conditions(
        "the step is lr trust p/(q + beta p + eps) times g + beta theta, which is at most q + beta p long;"
        " theta ="
        f" (3, 0), g = (0, 4) and lr = trust = beta = 1 give a step of length"
        f" {sp.sqrt(sum(e**2 for e in step))} < 3"
    )


# ---- NovoGrad and AdaGrad-Norm ---------------------------------------------------------------------------


@claim(
    "novograd.constant_gradient",
    "NovoGrad's steps have length lr, whatever the size of the gradient.",
    statement=r"\theta_t = \theta_{t-1} - \eta \, \frac{1 - \beta_1^t}{1 - \beta_1} \, \frac{g}{\lVert g"
    r" \rVert}: \quad \text{length } \eta \text{ at } t = 1, \text{ tending to } \frac{\eta}{1 - \beta_1}",
    scope="constant gradient g other than 0, a layer of any shape, eps = 0, no decay, every t",
    sources=[ginsburg],
    expected="holds under conditions",
    rule=about("novograd"),
)
def novograd_constant_gradient(rule: Rule) -> Decision:
    """v stays the squared norm from the first update on; m by induction."""
    show_like(rule, "v m")
    form, v, m = closed_form(rule), rule.state("v"), rule.state("m")
    plain = {norm(grad): q, eps: sp.Integer(0), weight_decay: sp.Integer(0)}
    later = sp.Symbol("k", integer=True, positive=True) + 1

    with unless(lambda: _other_velocity(rule)):
        squared = form["v"].xreplace(plain)
        show_equal(squared.subs(t, 1), q**2, "v_1", domains(rule))
        show_equal(squared.subs({t: later, v.before: q**2}), q**2, "v_t", domains(rule))

        def moved(y: sp.Expr, k: sp.Expr) -> sp.Expr:
            at = form["m"].xreplace(plain).subs({t: k + 1, v.before: q**2}, simultaneous=True)
            return at.subs(m.before, y)

        unit = grad / q
        for start, k in ((sp.sympify(m.initial), sp.Integer(0)), (_sum(later - 1) * unit, later - 1)):
            show_equal(moved(start, k), _sum(k + 1) * unit, "m_t", domains(rule))
        step = (
            form["theta"].xreplace(plain).subs({v.before: q**2, m.before: _sum(later - 1) * unit, t: later})
        )
        show_equal(step, theta.before - lr * _sum(later) * unit, "theta_t", domains(rule))
        first = from_start(rule)["theta"].subs({eps: 0, weight_decay: 0})
        show_equal(first, theta.before - lr * unit, "theta_1", domains(rule))
    return holds_under_conditions(
        "v_t = |g|^2 and m_t = (1 - beta_1^t)/(1 - beta_1) g/|g| by induction: the first step has length lr,"
        " later ones are longer, up to 1/(1 - beta_1) times: the first moment is a sum, not a mean"
    )


def _sum(k: sp.Expr) -> sp.Expr:
    return (1 - beta1**k) / (1 - beta1)


def _other_velocity(rule: Rule) -> str | None:
    """beta_1 = 1/2 and gradient (5, -12) lead from (3, 4) by lr, then by lr 3/2; in words if not."""
    values = {**trials(rule), "beta1": sp.Rational(1, 2), "eps": sp.Integer(0), "weight_decay": sp.Integer(0)}
    for k, length in ((1, 1), (2, sp.Rational(5, 2))):
        expected = START - values["lr"] * length * GRADIENT / 13
        if (found := run_differs(rule, [GRADIENT] * k, START, values, expected)) is not None:
            return found
    return None


@claim(
    "adagrad_norm.effective_rate",
    "AdaGrad-Norm has one effective learning rate for all coordinates, which never rises.",
    statement=r"\theta_t = \theta_{t-1} - \frac{\eta}{b_t} \, g_t, \qquad b_t^2 = b_0^2 + \sum_{s \le t}"
    r" \lVert g_s \rVert^2",
    scope="any gradients of any shape, every b_0 > 0 and t",
    sources=[ward],
    rule=about("adagrad_norm"),
)
def adagrad_norm_rate(rule: Rule) -> Decision:
    """The growth of b^2 in an update, and the step as a multiple of the gradient."""
    show_like(rule, "b")
    form, b = closed_form(rule), rule.state("b")
    with unless(lambda: _other_rate(rule)):
        new = form["b"].xreplace({norm(grad): q})
        show_equal(new**2, b.before**2 + q**2, "b_t^2", domains(rule))
        show_positive(sp.sympify(b.initial), "b_0", domains(rule))
        show_positive(new.subs(b.before, p), "b_t", domains(rule))
        stepped = form["theta"].xreplace({norm(grad): q})
        show_equal(stepped, theta.before - lr / new * grad, "theta_t", domains(rule))
    return holds("b_t^2 - b_(t-1)^2 = |g_t|^2 >= 0 and the step is -lr/b_t times the gradient")


def _other_rate(rule: Rule) -> str | None:
    """b_0 = 12 and gradients (3, 4), then (0, 84) lead from b = 12 to 13 and 85; in words if not."""
    gradients = [sp.ImmutableDenseMatrix([3, 4]), sp.ImmutableDenseMatrix([0, 84])]
    values = {"lr": sp.Rational(1, 2), "b0": sp.Integer(12)}
    expected = START - sp.Rational(1, 2) * (gradients[0] / 13 + gradients[1] / 85)
    return run_differs(rule, gradients, START, values, expected)


# ---- weights whose scale does not matter -----------------------------------------------------------------

SCALE_FREE = (
    "f(c theta) = f(theta) for all c > 0, as before a normalization: then <theta, grad f> = 0 (Euler)"
)


def squared_length(rule: Rule) -> sp.Expr:
    """|theta_t|^2 in p and q, for a gradient orthogonal to theta: a quadratic form, in any dimension."""
    step = sp.expand(closed_form(rule)["theta"])
    on_theta, on_gradient = step.coeff(theta.before), step.coeff(grad)
    rest = sp.expand(step - on_theta * theta.before - on_gradient * grad)
    if rest != 0 or (on_theta.free_symbols | on_gradient.free_symbols) & {theta.before, grad}:
        raise Refuted(f"the step {step} is no combination of theta and the gradient with fixed weights")
    return on_theta**2 * p**2 + on_gradient**2 * q**2


@claim(
    "scale_free.growth",
    "Without weight decay, weights whose scale does not matter only grow.",
    statement=r"\langle \theta, \nabla f(\theta) \rangle = 0 \quad \Longrightarrow \quad \lVert \theta_t"
    r" \rVert^2 = \lVert \theta_{t-1} \rVert^2 + \eta^2 \lVert \nabla f(\theta_{t-1}) \rVert^2",
    scope="gradient descent, every dimension, lr and t; " + SCALE_FREE,
    sources=[arora],
    rule=about("gd"),
)
def scale_free_growth(rule: Rule) -> Decision:
    """Pythagoras."""
    show_like(rule, "")
    show_equal(squared_length(rule), p**2 + lr**2 * q**2, "the squared length", domains(rule))
    return holds("|theta - lr g|^2 = |theta|^2 + lr^2 |g|^2, as <theta, g> = 0")


@claim(
    "scale_free.effective_rate",
    "For weights whose scale does not matter, the learning rate counts only over their squared length.",
    statement=r"\theta \to c \, \theta, \; \eta \to c^2 \eta \quad \Longrightarrow \quad \theta_t \to c \,"
    r" \theta_t",
    scope="gradient descent, every dimension, c > 0, lr and t; f(c theta) = f(theta), so the gradient at c"
    " theta is 1/c times that at theta",
    sources=[van_laarhoven],
    rule=about("gd"),
)
def scale_free_effective_rate(rule: Rule) -> Decision:
    """The step of the scaled weights."""
    show_like(rule, "")
    c, step = sp.Symbol("c", positive=True), closed_form(rule)["theta"]
    scaled = step.subs({theta.before: c * theta.before, grad: grad / c, lr: c**2 * lr}, simultaneous=True)
    show_equal(scaled, c * step, "the step of the scaled weights", domains(rule))
    return holds("c theta - c^2 lr g/c = c (theta - lr g)")


@claim(
    "scale_free.equilibrium",
    "Weight decay holds weights whose scale does not matter at a length that depends on lr and the decay.",
    statement=r"\lVert \theta \rVert^4 = \frac{\eta \, s^2}{\lambda (2 - \eta \lambda)}, \qquad \frac{\lVert"
    r" \eta \nabla f \rVert}{\lVert \theta \rVert} = \sqrt{\eta \lambda (2 - \eta \lambda)} \approx \sqrt{2"
    r" \eta \lambda}, \qquad s = \lVert \theta \rVert \, \lVert \nabla f(\theta) \rVert",
    scope="gradient descent with decay in the gradient, every dimension, 0 < lr lambda < 2, s the same in"
    " every"
    " step; that length attracts lengths near by unless lr lambda = 1; " + SCALE_FREE,
    sources=[van_laarhoven],
    rule=about("gd", weight_decay_form="coupled"),
)
def scale_free_equilibrium(rule: Rule) -> Decision:
    """A fixed point of the squared length P, exactly, and the slope there."""
    show_like(rule, "")
    s, x = sp.symbols("s x", positive=True)
    share = 2 * x / (1 + x)  # lr lambda, in (0, 2)
    form = squared_length(rule).subs(weight_decay, share / lr)
    kept, added = (sp.cancel(form.coeff(length, 2)) for length in (p, q))  # P' = kept P + added s^2/P
    fourth = lr**2 * s**2 / (share * (2 - share))
    show_equal(kept * fourth + added * s**2, fourth, "P P' at the fixed point", domains(rule))
    slope = sp.cancel(kept - added * s**2 / fourth)
    show_equal(slope, 2 * (1 - share) ** 2 - 1, "the slope there", domains(rule))
    show_nonnegative(1 - slope, "1 less the slope", {})
    relative = added * s**2 / fourth
    show_equal(relative, share * (2 - share), "the squared relative step", domains(rule))
    return holds(
        "P' = (1 - lr lambda)^2 P + lr^2 s^2/P has this fixed point, with slope 2 (1 - lr lambda)^2 - 1"
    )
