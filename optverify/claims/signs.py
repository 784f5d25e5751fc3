"""Rules that step by signs: signSGD, Signum, Lion and Rprop."""

from __future__ import annotations

from functools import partial
from itertools import product

import sympy as sp

from optverify.claims._adaptive import (
    change,
    changes,
    claim,
    exact_values,
    initial,
    plain,
    positive_size,
    told,
    words,
)
from optverify.claims._claim import Decision, about, holds, refuted
from optverify.language import Rule, Source, grad, lr, momentum, theta, weight_decay
from optverify.proof import (
    NotProved,
    domains,
    over_domains,
    show_by_smt,
    show_equal,
    unless,
)
from optverify.views.closed import closed_form

bernstein = Source(
    "Bernstein, Wang, Azizzadenesheli and Anandkumar",
    2018,
    "signSGD: compressed optimisation for non-convex problems",
    "Algorithms 1 and 2",
    "ICML",
    arxiv="1802.04434",
)
chen = Source(
    "Chen et al.",
    2023,
    "Symbolic discovery of optimization algorithms",
    "Algorithm 2",
    "NeurIPS",
    arxiv="2302.06675",
)
SECONDS = 1.0

# ---- the length of a step --------------------------------------------------------------------------------


def signed(e: sp.Expr) -> sp.Expr:
    """e with the argument of every sign factored, so that a known sign is seen."""
    return e.replace(sp.sign, lambda x: sp.sign(sp.factor(sp.together(x))))


def _other_length(rule: Rule) -> str | None:
    """Look for a step that is not lr in size, or a first one that follows the gradient; in words."""
    values = exact_values(rule, lr=sp.Rational(1, 2), weight_decay=0)
    for gradients in ((2, 3, sp.Rational(1, 3)), (-3, -2, -1)):
        steps = changes(rule, gradients, start=1, **values)
        for k, step in enumerate(steps, 1):
            if sp.Abs(step) != values["lr"] or (k == 1 and step * gradients[0] > 0):
                return (
                    f"gradients {words(gradients)} from theta_0 = 1 with {told(**values)}: step {k} is {step}"
                )
    return None


def _length(rule: Rule) -> Decision:
    """The step is lr times a sign, and at first the sign of the gradient."""
    with unless(partial(_other_length, rule)):
        step = change(rule).subs(weight_decay, 0)
        signs = step.atoms(sp.sign)
        if len(signs) != 1:
            raise NotProved(f"the step {step} has not one sign in it")
        which = sp.Symbol("s", real=True)
        show_equal(sp.expand(step.xreplace({signs.pop(): which})), -lr * which, "the step", domains(rule))
        first = over_domains(
            step.subs(initial(rule)), {h.symbol: h.domain for h in rule.hyperparameters if h.symbol != lr}
        )
        for gradient in (positive_size, -positive_size):
            moved = signed(first.subs(grad, gradient))
            show_equal(moved, -lr * gradient / positive_size, f"the first step for a gradient {gradient}")
    return holds("the step is -lr times a sign, and the first one that of the gradient")


LENGTH = (
    r"\lvert \theta_t - \theta_{t-1} \rvert = %s \text{ or } 0, \quad t = 1, 2, \dots, \qquad \theta_1 -"
    r" \theta_0 = -%s \, \mathrm{sign}(g_1)"
)


@claim(
    "signsgd.step_size",
    "Every coordinate of a signSGD step has the size of the learning rate.",
    statement=LENGTH % (r"\delta", r"\delta"),
    scope="each coordinate, any gradients, any lr, every t; 0 only where the gradient is 0",
    sources=[bernstein],
    rule=about("signsgd"),
)
def signsgd_length(rule: Rule) -> Decision:
    """One sign, times -lr."""
    return _length(rule)


@claim(
    "signum.step_size",
    "Every coordinate of a Signum step has the size of the learning rate.",
    statement=LENGTH % (r"\delta", r"\delta"),
    scope="each coordinate, any gradients, any lr and momentum, every t; 0 only where the buffer is 0",
    sources=[bernstein],
    rule=about("signum"),
)
def signum_length(rule: Rule) -> Decision:
    """One sign, times -lr."""
    return _length(rule)


@claim(
    "lion.step_size",
    "Every coordinate of a Lion step without weight decay has the size of the learning rate.",
    statement=LENGTH % (r"\eta", r"\eta"),
    scope="each coordinate, any gradients, any lr, beta_1 and beta_2, weight decay 0, every t; 0 only where"
    " the mean of memory and gradient is 0",
    sources=[chen],
    rule=about("lion"),
)
def lion_length(rule: Rule) -> Decision:
    """One sign, times -lr."""
    return _length(rule)


# ---- Lion's box ------------------------------------------------------------------------------------------


@claim(
    "lion.box",
    "Lion with weight decay keeps every parameter within 1/weight_decay of zero.",
    statement=r"\lvert \theta_0 \rvert \le \frac{1}{\lambda}, \; \eta \lambda \le 1 \quad \Longrightarrow"
    r" \quad \lvert \theta_t \rvert \le \frac{1}{\lambda}, \qquad t = 0, 1, \dots",
    scope="each coordinate, any gradients, any states, every learning rate with lr weight_decay <= 1,"
    " constant or not, every t",
    sources=[
        chen,
        Source(
            "Chen, Liu, Liang and Liu",
            2024,
            "Lion secretly solves constrained optimization: as Lyapunov predicts",
            "the constraint on the infinity norm of weight_decay times theta",
            "ICLR",
            arxiv="2310.05898",
        ),
    ],
    evidence="decided by SMT",
    rule=about("lion"),
)
def lion_box(rule: Rule) -> Decision:
    """One step from anywhere in the box, whatever the sign is."""
    form = closed_form(rule)["theta"]
    which = sp.Symbol("s", real=True)
    signs = form.atoms(sp.sign)
    if any(sign.has(theta.before) for sign in signs):
        raise NotProved(f"the sign depends on theta: {form}")
    form = form.xreplace(dict.fromkeys(signs, which))
    decay = sp.Symbol("weight_decay", positive=True)
    form, old = form.subs(weight_decay, decay), theta.before
    given = [
        decay * old <= 1,
        decay * old >= -1,
        lr * decay <= 1,
        sp.Or(sp.Eq(which, 1), sp.Eq(which, -1), sp.Eq(which, 0)),
    ]
    within = {h: d for h, d in domains(rule).items() if h != weight_decay}
    kept = sp.And(decay * form <= 1, decay * form >= -1)
    show_by_smt(kept, given, "|weight_decay theta_t| <= 1", within, SECONDS)
    return holds(
        "1 - wd theta_t = (1 - lr wd)(1 - wd theta_(t-1)) + lr wd (1 + s) >= 0 for a sign s", "decided by SMT"
    )


# ---- where signs do not converge -------------------------------------------------------------------------

curvature, share = sp.Symbol("lambda", positive=True), sp.Symbol("e", positive=True)


@claim(
    "signsgd.quadratic",
    "signSGD converges to the minimum of a quadratic for small enough learning rates.",
    statement=r"\theta_t \to 0 \quad \text{on } f(\theta) = \frac{\lambda}{2} \theta^2 \text{ for all }"
    r" \delta < \delta^*(\lambda)",
    scope="dimension 1, constant lr; from lr/2 it goes to -lr/2 and back, for every curvature and every lr",
    sources=[bernstein],
    expected="refuted",
    evidence="proved",
    corrected_by="signsgd.neighbourhood",
    rule=about("signsgd"),
)
def signsgd_quadratic(rule: Rule) -> Decision:
    """One step from either point, for symbolic curvature and lr."""
    plain(rule)
    with unless(lambda: None):  # another rule may converge
        form = closed_form(rule)["theta"]
        for side in (1, -1):
            start = side * lr / 2
            moved = form.subs({theta.before: start, grad: curvature * start}, simultaneous=True)
            show_equal(moved, -start, f"the step from {start}", domains(rule))
    return refuted(
        "from theta = lr/2 the next point is -lr/2, and then lr/2 again, for every curvature and lr", "proved"
    )


@claim(
    "signsgd.kink",
    "signSGD converges to the minimum of every convex function if the learning rate goes to zero slowly"
    " enough.",
    statement=r"f(\theta_t) \to \min f \text{ for convex } f; \qquad f(x, y) = \epsilon \lvert x + y \rvert +"
    r" \lvert x - y \rvert, \; 0 < \epsilon < 1: \quad x_t + y_t = x_0 + y_0",
    scope="dimension 2, subgradients that take sign(0) as +1 or -1 where x = y or x = -y, any learning rate"
    " at each update: x + y never changes, so f never falls below epsilon |x_0 + y_0| while its minimum is 0",
    sources=[
        Source(
            "Karimireddy, Rebjock, Stich and Jaggi",
            2019,
            "Error feedback fixes signSGD and other gradient compression schemes",
            "section 3, the counterexample with a nonsmooth convex function",
            "ICML",
            arxiv="1901.09847",
        )
    ],
    expected="refuted",
    evidence="proved",
    corrected_by="signsgd.neighbourhood",
    rule=about("signsgd"),
)
def signsgd_kink(rule: Rule) -> Decision:
    """The two coordinates of every subgradient have opposite signs, so their steps cancel."""
    plain(rule)
    with unless(lambda: None):
        small, step = share / (1 + share), change(rule)
        for one, two in product((1, -1), repeat=2):
            steps = [signed(step.subs(grad, small * one + side * two)) for side in (1, -1)]
            show_equal(sp.Add(*steps), 0, "the change of x + y", domains(rule))
    return refuted(
        "the subgradients are (e s + d, e s - d) with signs s, d = +-1: as e < 1 the steps are -lr d and +lr"
        " d, so x + y stays as it is and f >= e |x_0 + y_0|",
        "proved",
    )


# ---- Signum and Rprop ------------------------------------------------------------------------------------


@claim(
    "signum.forms",
    "Signum is the same with momentum as a mean and as a sum of gradients.",
    statement=r"m_t = \beta m_{t-1} + (1 - \beta) g_t \text{ and } M_t = \beta M_{t-1} + g_t \text{ have }"
    r" M_t = \frac{m_t}{1 - \beta}, \quad \mathrm{sign}(M_t) = \mathrm{sign}(m_t)",
    scope="each coordinate, any gradients, any lr, constant momentum in [0, 1), zero start, every t",
    sources=[bernstein],
    ema=about("signum"),
    heavy_ball=about("signum", form="heavy_ball"),
)
def signum_forms(ema: Rule, heavy_ball: Rule) -> Decision:
    """One step commutes with the change of buffer, and the sign does not see a positive factor."""
    with unless(partial(_signums_apart, ema, heavy_ball)):
        one, two = closed_form(ema), closed_form(heavy_ball)
        scaled = ema.state("m").before / (1 - momentum)
        moved = {heavy_ball.state("m").before: scaled}
        within = domains(ema)
        show_equal(two["m"].subs(moved), one["m"] / (1 - momentum), "M_t", within)
        show_equal(heavy_ball.state("m").initial, ema.state("m").initial / (1 - momentum), "M_0", within)
        show_same_step(two["theta"].subs(moved), one["theta"])
    return holds("M_t = m_t/(1 - momentum) in every update, a positive multiple")


def show_same_step(one: sp.Expr, two: sp.Expr) -> None:
    """Show equality with momentum = s/(1 + s), the arguments of signs being factored."""
    ratio = sp.Symbol("s", nonnegative=True)
    forms = [signed(e.subs(momentum, ratio / (1 + ratio))) for e in (one, two)]
    show_equal(forms[0], forms[1], "theta_t")


def _signums_apart(ema: Rule, heavy_ball: Rule) -> str | None:
    """Look for a step in which they differ; in words."""
    gradients = (2, -3, 1)
    one, two = (changes(rule, gradients, start=1) for rule in (ema, heavy_ball))
    if one == two:
        return None
    return f"gradients {words(gradients)}: the steps are {words(one)} and {words(two)}"


@claim(
    "rprop.step_sizes",
    "The step sizes of Rprop stay between the smallest and the largest one.",
    statement=r"\Delta_{\min} \le \Delta_0 \le \Delta_{\max} \quad \Longrightarrow \quad \Delta_{\min} \le"
    r" \Delta_t \le \Delta_{\max}, \qquad t = 0, 1, \dots",
    scope="each coordinate, any gradients, eta^+ > 1, eta^- in (0, 1), every t",
    sources=[
        Source(
            "Riedmiller and Braun",
            1993,
            "A direct adaptive method for faster backpropagation learning: the RPROP algorithm",
            "the rule of adaptation",
            "ICNN",
            url="https://doi.org/10.1109/ICNN.1993.298623",
        )
    ],
    evidence="decided by SMT",
    rule=about("rprop"),
)
def rprop_sizes(rule: Rule) -> Decision:
    """One update from any size within, in each of the three cases; and the start."""
    size = rule.state("Delta")
    show_equal(size.initial, lr, "Delta_0")
    symbols = {h.name: h.symbol for h in rule.every_hyperparameter}
    low, high = symbols["min_step"], symbols["max_step"]
    within = {h: d for h, d in domains(rule).items() if h.name != "loss"}
    new = closed_form(rule)["Delta"]
    given = [low <= size.before, size.before <= high]
    show_by_smt(sp.And(low <= new, new <= high), given, "min_step <= Delta_t <= max_step", within, SECONDS)
    return holds("growing is cut at the largest, shrinking at the smallest size", "decided by SMT")
