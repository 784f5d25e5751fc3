r"""Noise that does not average out: clipping and signs bend the mean direction of the gradients.

Noise that is symmetric about the mean gradient m is a mixture of pairs m - a and m + a, each as likely as the
other, so what holds for every pair holds for it.
"""

from __future__ import annotations

import itertools

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, refuted
from optverify.claims._noise import memoryless, ranges, rational
from optverify.language import Rule, Source, grad, lr, theta
from optverify.language.operators import norm
from optverify.proof import NotProved, show_by_smt, show_equal

zhang_clipping = Source(
    "Zhang, He, Sra and Jadbabaie",
    2020,
    "Why gradient clipping accelerates training: a theoretical justification for adaptivity",
    "clipped gradient descent",
    "ICLR",
    arxiv="1905.11881",
)
chen_clipping = Source(
    "Chen, Wu and Hong",
    2020,
    "Understanding gradient clipping in private SGD: a geometric perspective",
    "the example of a bias that stays, and the case of symmetric noise",
    "NeurIPS",
    arxiv="2006.15429",
)
bernstein = Source(
    "Bernstein, Wang, Azizzadenesheli and Anandkumar",
    2018,
    "signSGD: compressed optimisation for non-convex problems",
    "the discussion of the noise: unimodal and symmetric",
    "ICML",
    arxiv="1802.04434",
)
karimireddy = Source(
    "Karimireddy, Rebjock, Stich and Jaggi",
    2019,
    "Error feedback fixes signSGD and other gradient compression schemes",
    "section 3, the counterexamples",
    "ICML",
    arxiv="1901.09847",
)

SKEWED = ((sp.Integer(5), sp.Rational(1, 4)), (sp.Integer(-1), sp.Rational(3, 4)))
"""Gradients and their probabilities: the mean is 1/2, but most gradients are negative."""
middle, spread = sp.Symbol("m", real=True), sp.Symbol("a", nonnegative=True)


def in_one_dimension(e: sp.Expr) -> sp.Expr:
    """The expression for a theta that is one number: the norm is the absolute value."""
    return e.replace(norm, sp.Abs)


def mean_move(rule: Rule) -> sp.Expr:
    """E[theta_t] - theta_{t-1} for the skewed gradients, every other hyperparameter at 1, in numbers."""
    form = in_one_dimension(memoryless(rule)) - theta.before
    put = {h.symbol: sp.Integer(1) for h in rule.hyperparameters} | {theta.before: 0}
    return rational(sum(p * form.subs({**put, grad: g}) for g, p in SKEWED))


def climbs(rule: Rule, what: str) -> Decision:
    """Refute that the mean step goes against the mean gradient, by the skewed gradients."""
    move = mean_move(rule)
    if move <= 0:
        raise NotProved(f"the mean step under the skewed gradients is {move}, downhill")
    return refuted(
        f"gradients 5 with probability 1/4 and -1 with 3/4 have the mean 1/2; {what} with lr = 1 the mean"
        f" step is {move}, uphill"
    )


@claim(
    "clip_by_norm.noise.direction",
    "Gradient clipping shortens steps but keeps their direction, so it does no harm to SGD.",
    statement=r"\langle E[\theta_t] - \theta_{t-1}, \; E[g_t] \rangle \le 0",
    scope="dimension 1, gradients 5 with probability 1/4 and -1 with probability 3/4, clipped to norm 1; it"
    " is so for one gradient, and for noise that is symmetric",
    sources=[zhang_clipping, chen_clipping],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="clip_by_norm.direction",
    rule=about("clip_by_norm(gd)"),
)
def clipped_mean(rule: Rule) -> Decision:
    """The mean of two clipped gradients against their mean."""
    return climbs(rule, "clipped to norm 1,")


@claim(
    "clip_by_value.noise.symmetric",
    "Under symmetric noise clipped gradients point, on average, the right way.",
    statement=r"\left( E[\theta_t] - \theta_{t-1} \right) m \le 0 \quad \text{for } g_t = m \pm a, \text{"
    r" each with probability } \frac{1}{2}",
    scope="each coordinate, clipping by value, every lr, threshold, mean gradient m and spread a, so every"
    " noise that is symmetric about m; where a >= |m| + c the mean step is 0",
    sources=[chen_clipping],
    evidence="decided by SMT",
    rule=about("clip_by_value(gd)"),
)
def clipped_symmetric(rule: Rule) -> Decision:
    """The mean of the two clipped steps, by cases."""
    show_goes_down(rule, "the mean clipped step")
    return holds("clip is increasing and odd: clip(m + a) - clip(a - m) has the sign of m", "decided by SMT")


def show_goes_down(rule: Rule, what: str) -> None:
    """Show that the mean of the steps for m - a and m + a does not go along m, for all m and a."""
    form = in_one_dimension(memoryless(rule)) - theta.before
    both = form.subs(grad, middle - spread) + form.subs(grad, middle + spread)
    show_by_smt(sp.Ge(-middle * both / lr, 0, evaluate=False), [], what, ranges(rule), seconds=2)


@claim(
    "signsgd.noise.skewed",
    "Sign descent follows the sign of the mean gradient, only with steps of one size.",
    statement=r"\left( E[\theta_t] - \theta_{t-1} \right) E[g_t] \le 0",
    scope="dimension 1, gradients 5 with probability 1/4 and -1 with probability 3/4; it is so for symmetric"
    " noise",
    sources=[karimireddy, bernstein],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="signsgd.noise.symmetric",
    rule=about("signsgd"),
)
def sign_skewed(rule: Rule) -> Decision:
    """The mean of two signs against the sign of the mean."""
    return climbs(rule, "by its signs")


@claim(
    "signsgd.noise.symmetric",
    "Under symmetric noise sign descent goes downhill on average.",
    statement=r"\left( E[\theta_t] - \theta_{t-1} \right) m \le 0 \quad \text{for } g_t = m \pm a, \text{"
    r" each with probability } \frac{1}{2}, \qquad \text{and is } 0 \text{ for } a > |m|",
    scope="each coordinate, every lr, mean gradient m and spread a, so every noise that is symmetric about m;"
    " a pair further from its mean than the mean from 0 contributes nothing",
    sources=[bernstein],
    evidence="decided by SMT",
    rule=about("signsgd"),
)
def sign_symmetric(rule: Rule) -> Decision:
    """The mean of the two signs, by cases."""
    show_goes_down(rule, "the mean step")
    form, beyond = memoryless(rule) - theta.before, sp.Symbol("b", positive=True)
    for m in (spread, -spread):
        both = (form.subs(grad, m + spread + beyond) + form.subs(grad, m - spread - beyond)) / 2
        show_equal(both, 0, "the mean step for a > |m|", ranges(rule))
    return holds(
        "sign(m + a) + sign(m - a) is twice the sign of m for a < |m|, and 0 for a > |m|", "decided by SMT"
    )


@claim(
    "signsgd.noise.mean",
    "signSGD fits the mean of the data as SGD does, if its steps are small enough.",
    statement=r"E[\theta_t] = \theta_{t-1} \quad \text{at } \theta_{t-1} = \frac{1}{N} \sum_{i=1}^{N} a_i,"
    r" \qquad f_i(\theta) = \frac{(\theta - a_i)^2}{2}",
    scope="dimension 1, the data 0, 0 and 4, one drawn at random for each step, every lr",
    sources=[karimireddy, bernstein],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="signsgd.noise.median",
    rule=about("signsgd"),
)
def sign_mean(rule: Rule) -> Decision:
    """The mean step at the mean of the data, and between it and the median."""
    data = [sp.Integer(0), sp.Integer(0), sp.Integer(4)]
    where = (sp.Rational(4, 3), sp.Integer(1), sp.Integer(3))
    moves = [sp.expand(data_move(rule, data, point) / lr) for point in where]
    if not all(rational(move) < 0 for move in moves):
        raise NotProved(f"over lr the mean steps at 4/3, 1 and 3 are {moves}")
    return refuted(
        f"for the data 0, 0, 4 the mean step at their mean 4/3 is {moves[0]} lr, and {moves[1]} lr at 1,"
        " where the loss falls to the right: the mean step leads to 0, the median"
    )


def data_move(rule: Rule, data: list[sp.Expr], point: sp.Expr) -> sp.Expr:
    """E[theta_t] - point for the squared distances to the data, one drawn at random."""
    form = memoryless(rule)
    ends = [form.subs({theta.before: point, grad: point - a}, simultaneous=True) for a in data]
    return sum(ends) / sp.Integer(len(data)) - point


@claim(
    "signsgd.noise.median",
    "signSGD with one example at a time finds the median of the data.",
    statement=r"E[\theta_t] - \theta_{t-1} = \frac{\delta}{N} \left( \#\{ i : a_i > \theta_{t-1} \} - \#\{ i"
    r" : a_i < \theta_{t-1} \} \right), \qquad f_i(\theta) = \frac{(\theta - a_i)^2}{2}",
    scope="dimension 1, N = 1, ..., 5 data in any position, all different, theta_{t-1} between them or on"
    " one, every lr: so the mean step points to the median, and is 0 there; it hovers there with steps of lr",
    sources=[bernstein],
    evidence="exact enumeration",
    rule=about("signsgd"),
)
def sign_median(rule: Rule) -> Decision:
    """Every order of theta among the data, with symbolic distances."""
    for n in range(1, 6):
        gaps = sp.symbols(f"h_1:{n + 1}", positive=True)
        data = list(itertools.accumulate(gaps))
        for k in range(n + 1):
            left = data[k - 1] if k else data[0] - 2 * gaps[0]
            for point, equal in ((left, bool(k)), (left + gaps[min(k, n - 1)] / 2, False)):
                below = k - equal
                stated = lr * (n - k - below) / sp.Integer(n)
                show_equal(data_move(rule, data, point), stated, "the mean step", ranges(rule))
    return holds("each example votes with one step of lr", "exact enumeration")
