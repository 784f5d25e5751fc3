r"""Mini-batches: mean and variance of a step.

N examples have gradients x_1, ..., x_N at the current parameters, with mean mu and variance
sigma^2 = (1/N) sum (x_i - mu)^2. A batch of B of them gives the gradient (x_{i_1} + ... + x_{i_B})/B. All is
said given the parameters theta_{t-1}, of which the batch must be independent. In a shuffled epoch only the
first batch is: theta_{t-1} at a later one was made by the batches before it, so it tells what is left.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, holds_under_conditions, in_scope
from optverify.language import Rule, Source, grad, lr, theta
from optverify.proof import NotProved, expectation, show_equal
from optverify.views.closed import closed_form

robbins_monro = Source(
    "Robbins and Monro",
    1951,
    "A stochastic approximation method",
    "equation (8)",
    "Annals of Mathematical Statistics 22",
    url="https://doi.org/10.1214/aoms/1177729586",
)
goodfellow = Source(
    "Goodfellow, Bengio and Courville",
    2016,
    "Deep learning",
    "section 8.1.3, batch and minibatch algorithms",
    "MIT Press",
    url="https://www.deeplearningbook.org",
)
cochran = Source(
    "Cochran", 1977, "Sampling techniques", "Theorems 2.1 and 2.2, without replacement", "Wiley, 3rd edition"
)

mu, sigma = sp.Symbol("mu", real=True), sp.Symbol("sigma", nonnegative=True)
N, B = sp.Symbol("N", integer=True, positive=True), sp.Symbol("B", integer=True, positive=True)
LARGEST = 4
"""Data sets up to this size are enumerated."""


def pair_moment(replacement: bool) -> sp.Expr:
    """E[x_I x_J] of two draws of a batch.

    Without replacement all pairs I != J are equally likely: (sum x)^2 - sum x^2 over N (N - 1), where
    sum x = N mu and sum x^2 = N (mu^2 + sigma^2).
    """
    if replacement:
        return mu**2
    return ((N * mu) ** 2 - N * (mu**2 + sigma**2)) / (N * (N - 1))


def batch_moments(replacement: bool) -> dict[int, sp.Expr]:
    """E of the batch gradient and of its square: B terms of one draw, B (B - 1) of two."""
    square = (B * (mu**2 + sigma**2) + B * (B - 1) * pair_moment(replacement)) / B**2
    return {1: B * mu / B, 2: square}


def step(rule: Rule) -> sp.Expr:
    """theta_t as a function of the gradient, for a rule without states."""
    if rule.states:
        raise NotProved(f"rule {rule.name!r} has states: its step depends on more than this gradient")
    return closed_form(rule)["theta"]


def enumerated(rule: Rule, replacement: bool) -> Iterable[tuple[int, int, sp.Expr, sp.Expr, list[sp.Expr]]]:
    """N, B, mean, variance, and every theta_t, for all batches of all data sets up to LARGEST examples."""
    form = step(rule)
    for n in range(2, LARGEST + 1):
        x = sp.symbols(f"x_1:{n + 1}", real=True)
        mean = sum(x) / sp.Integer(n)
        variance = sum((e - mean) ** 2 for e in x) / sp.Integer(n)
        for b in range(1, n + 1):
            batches = itertools.product(x, repeat=b) if replacement else itertools.combinations(x, b)
            yield n, b, mean, variance, [form.subs(grad, sum(c) / sp.Integer(b)) for c in batches]


@claim(
    "gd.minibatch.unbiased",
    "A mini-batch step is, on average, the step of the full batch.",
    statement=r"E[\theta_t] = \theta_{t-1} - \eta \, \nabla f(\theta_{t-1}), \qquad f = \frac{1}{N}"
    r" \sum_{i=1}^{N} f_i, \quad g_t = \frac{1}{B} \sum_{b=1}^{B} \nabla f_{i_b}(\theta_{t-1})",
    scope="one step from given parameters, any f_i, a batch of any size drawn uniformly and independently of"
    " those parameters, with or without replacement; in a shuffled epoch that is so for its first batch only,"
    " as the parameters at a later one depend on which examples are left; enumerated in full for N <= 4",
    sources=[robbins_monro, goodfellow, cochran],
    rule=about("gd"),
)
def unbiased(rule: Rule) -> Decision:
    """Linearity for symbolic N and B; then every batch of small data sets."""
    in_scope(rule, weight_decay_form="none", maximize=False)
    for replacement in (True, False):
        shown = expectation(step(rule), grad, batch_moments(replacement))
        show_equal(shown, theta.before - lr * mu, "the mean step")
        for n, b, mean, _, outcomes in enumerated(rule, replacement):
            average = sum(outcomes) / sp.Integer(len(outcomes))
            show_equal(average, theta.before - lr * mean, f"the mean step for N = {n}, B = {b}")
    return holds(
        "the step is linear in the gradient, and each draw has mean grad f given the parameters before it;"
        " all batches for N <= 4 agree"
    )


@claim(
    "gd.minibatch.variance",
    "Averaging over B examples divides the variance of a step by B.",
    statement=r"\mathrm{Var}[\theta_t] = \eta^2 \, \frac{\sigma^2}{B} \text{ with replacement}, \qquad"
    r" \mathrm{Var}[\theta_t] = \eta^2 \, \frac{\sigma^2}{B} \, \frac{N - B}{N - 1} \text{ without}",
    scope="one step from given parameters, each coordinate, any f_i whose gradients there have variance"
    " sigma^2 over the N examples, a batch drawn uniformly and independently of those parameters: in a"
    " shuffled epoch the first batch only; enumerated in full for N <= 4",
    sources=[goodfellow, cochran],
    expected="holds under conditions",
    rule=about("gd"),
)
def variance(rule: Rule) -> Decision:
    """Second moments for symbolic N and B; then every batch of small data sets."""
    in_scope(rule, weight_decay_form="none")
    for replacement in (True, False):
        factor = sp.Integer(1) if replacement else (N - B) / (N - 1)
        moments = batch_moments(replacement)
        spread = expectation(step(rule) ** 2, grad, moments) - expectation(step(rule), grad, moments) ** 2
        many = {N: N + 1}  # N - 1 > 0 for two examples or more
        stated = (lr**2 * sigma**2 / B * factor).subs(many)
        show_equal(spread.subs(many), stated, "the variance of a step")
        for n, b, _, sample, outcomes in enumerated(rule, replacement):
            centre = sp.expand(sum(outcomes) / sp.Integer(len(outcomes)))
            average = sum(sp.expand(e - centre) ** 2 for e in outcomes) / sp.Integer(len(outcomes))
            small = lr**2 * sample / b * factor.subs({N: n, B: b})
            show_equal(average, small, f"the variance of a step for N = {n}, B = {b}")
    return holds_under_conditions(
        "lr^2 sigma^2/B for independent draws; a batch without repeats, as the first of a shuffled epoch is,"
        " has (N - B)/(N - 1) times that, 0 for the full batch; all batches for N <= 4 agree"
    )
