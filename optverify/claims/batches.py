r"""Batch sizes: what a larger batch buys, how it trades with the learning rate, and what an epoch is.

A batch of B examples, drawn independently, has a gradient of variance sigma^2/B. Where the claims speak of
noise, it is independent noise of this variance, added to the gradients of f(theta) = lambda theta^2/2.
"""

from __future__ import annotations

import itertools
from typing import Any

import sympy as sp

from optverify.claims._claim import (
    Decision,
    about,
    claim,
    holds,
    holds_under_conditions,
    refuted,
)
from optverify.claims._noise import (
    ROUND,
    curvature,
    gd_variance,
    memoryless,
    ranges,
    rational,
    run,
    show_settles,
    sigma,
)
from optverify.language import Rule, Source, grad, lr, theta
from optverify.language.operators import Operator
from optverify.proof import NotProved, expectation, show_equal, show_positive

goodfellow = Source(
    "Goodfellow, Bengio and Courville",
    2016,
    "Deep learning",
    "section 8.1.3, batch and minibatch algorithms",
    "MIT Press",
    url="https://www.deeplearningbook.org",
)
goyal = Source(
    "Goyal et al.",
    2017,
    "Accurate, large minibatch SGD: training ImageNet in 1 hour",
    "section 2.1, the linear scaling rule",
    arxiv="1706.02677",
)
smith = Source(
    "Smith, Kindermans, Ying and Le",
    2018,
    "Don't decay the learning rate, increase the batch size",
    "the noise scale, learning rate over batch size",
    "ICLR",
    arxiv="1711.00489",
)
keskar = Source(
    "Keskar, Mudigere, Nocedal, Smelyanskiy and Tang",
    2017,
    "On large-batch training for deep learning: generalization gap and sharp minima",
    "section 1, large and small batches",
    "ICLR",
    arxiv="1609.04836",
)
bottou_order = Source(
    "Bottou", 2009, "Curiously fast convergence of some stochastic gradient descent algorithms",
    "the comparison of orders of the examples", "unpublished open problem, SLDS",
)  # fmt: skip
haochen = Source(
    "HaoChen and Sra",
    2019,
    "Random shuffling beats SGD after finite epochs",
    "quadratic functions",
    "ICML",
    arxiv="1806.10077",
)
ott = Source(
    "Ott, Edunov, Grangier and Auli", 2018, "Scaling neural machine translation",
    "section 3: gradients cumulated over several batches", "WMT", arxiv="1806.00187",
)  # fmt: skip

HALF = sp.Rational(1, 2)
B, times = sp.symbols("B k", positive=True)
inside = sp.Symbol("s", positive=True)


# ---- larger batches and larger steps -----------------------------------------------------------------------


@claim(
    "gd.minibatch.diminishing",
    "Larger batches pay less and less: 100 times the examples give a tenth of the noise.",
    statement=r"\mathrm{sd}_{kB}[\theta_t] = \frac{1}{\sqrt{k}} \, \mathrm{sd}_B[\theta_t], \qquad"
    r" \mathrm{Var}_B[\theta_t] \cdot B = \eta^2 \sigma^2 \text{ for every } B",
    scope="one step from given parameters, each coordinate, batches of B examples drawn independently of them"
    " and of each other, every k > 0; the cost is B gradients",
    sources=[goodfellow],
    rule=about("gd"),
)
def diminishing(rule: Rule) -> Decision:
    """The variance of a step as a function of the batch size."""
    mean, form = sp.Symbol("m", real=True), memoryless(rule)

    def variance(size: sp.Expr) -> sp.Expr:
        drawn = {1: mean, 2: mean**2 + sigma**2 / size}
        return sp.expand(expectation(form**2, grad, drawn) - expectation(form, grad, drawn) ** 2)

    show_equal(variance(B) * B, lr**2 * sigma**2, "variance times cost", ranges(rule))
    show_equal(variance(times * B) * times, variance(B), "the variance for k times the batch", ranges(rule))
    return holds("the variance of a step is lr^2 sigma^2/B: times its cost it is the same for every B")


@claim(
    "gd.minibatch.linear_scaling",
    "A batch k times as large with k times the learning rate does the work of k steps.",
    statement=r"\theta_k \text{ after } k \text{ steps of } \eta = \theta_1 \text{ after a step of } k \eta",
    scope="f(theta) = theta^2/2, dimension 1, no noise, k = 2, lr = 1/2, theta_0 = 1; it is so to first order"
    " in lr",
    sources=[goyal],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="gd.minibatch.linear_scaling_first_order",
    rule=about("gd"),
)
def linear_scaling(rule: Rule) -> Decision:
    """Two small steps against one large one."""

    def end(rate: sp.Rational, steps: int) -> sp.Rational:
        values = {"lr": rate, "weight_decay": 0}
        return rational(run(rule, [lambda p: p] * steps, start=1, values=values)[-1]["theta"])

    small, large = end(HALF, 2), end(sp.Integer(1), 1)
    if small == large:
        raise NotProved(f"both end at {small} where it was tried")
    return refuted(f"from theta_0 = 1 two steps of lr = 1/2 end at {small}, one of lr = 1 at {large}")


@claim(
    "gd.minibatch.linear_scaling_first_order",
    "For small learning rates a batch k times as large with k times the learning rate does the work of k"
    " steps.",
    statement=r"\theta_k = \theta_0 - \eta \sum_{i=1}^{k} g_i(\theta_0) + O(\eta^2), \quad \text{and for } k"
    r" = 2: \; \theta_2 - \left( \theta_0 - 2 \eta \, \frac{g_1 + g_2}{2} \right) = \eta^2 g_2'(\theta_0) \,"
    r" g_1(\theta_0) + O(\eta^3)",
    scope="any smooth losses of the k batches, with gradients g_i, each coordinate, every k; the second order"
    " in dimension 1; one large batch steps from theta_0 with the mean gradient and k lr",
    sources=[goyal],
    expected="holds under conditions",
    rule=about("gd"),
)
def scaling_first_order(rule: Rule) -> Decision:
    """The derivative by lr of k steps at lr = 0, step by step; and two steps to second order."""
    form, within = memoryless(rule), ranges(rule)
    still, speed = form.subs(lr, 0), sp.diff(form, lr).subs(lr, 0)
    show_equal(still, theta.before, "theta_t for lr = 0", within)
    show_equal(speed, -grad, "the derivative of theta_t by lr at lr = 0", within)
    show_equal(sp.diff(form, grad).subs(lr, 0), 0, "the influence of the gradient for lr = 0", within)
    first, second = sp.Function("g_1"), sp.Function("g_2")
    x = sp.Symbol("x", real=True)
    once = form.subs({theta.before: x, grad: first(x)}, simultaneous=True)
    twice = form.subs({theta.before: once, grad: second(once)}, simultaneous=True)
    large = form.subs({theta.before: x, grad: (first(x) + second(x)) / 2, lr: 2 * lr}, simultaneous=True)
    gap = (sp.diff(twice - large, lr, 2).subs(lr, 0)).doit() / 2
    show_equal(gap, sp.diff(second(x), x) * first(x), "the gap to second order")
    return holds_under_conditions(
        "d theta_k/d lr at 0 is that of theta_{k-1} less g_k(theta_0), as at lr = 0 theta has not moved; the"
        " large step has the same derivative, and the gap begins with lr^2 g_2' g_1"
    )


@claim(
    "gd.minibatch.batch_or_rate",
    "Instead of dividing the learning rate by k one can multiply the batch size by k: the noise that is left"
    " is the same.",
    statement=r"\frac{V(\eta, k B)}{V(\eta / k, B)} = \frac{2 - \eta \lambda / k}{2 - \eta \lambda} \to 1"
    r" \text{ for } \eta \to 0, \qquad > 1 \text{ for } k > 1, \qquad V(\eta, B) = \frac{\eta"
    r" \sigma^2}{B \lambda (2 - \eta \lambda)}",
    scope=f"{ROUND}, sigma^2/B for a batch of B; constant 0 < lr < 2/lambda, V the stationary variance, every"
    " k > 0: the same to first order in lr, and more with the larger batch for k > 1",
    sources=[smith, goyal],
    expected="holds under conditions",
    rule=about("gd"),
)
def batch_or_rate(rule: Rule) -> Decision:
    """The stationary variance at both settings."""
    show_settles(rule, 2 / curvature, gd_variance())
    larger = gd_variance(lr, sigma**2 / (times * B))
    slower = gd_variance(lr / times, sigma**2 / B)
    ratio = sp.cancel(larger / slower)
    show_equal(ratio, (2 - lr * curvature / times) / (2 - lr * curvature), "the ratio of the variances")
    show_equal(ratio.subs(lr, 0), 1, "its limit for small lr")
    more = (ratio - 1).subs(lr, 2 / curvature / (1 + inside)).subs(times, 1 + B)
    show_positive(sp.cancel(more), "the ratio less 1")
    return holds_under_conditions(
        "V depends on lr and B by lr/B, up to the factor 1/(2 - lr lambda), which is 1/2 for small lr"
    )


@claim(
    "gd.minibatch.epoch_loss",
    "A larger batch reaches a lower loss in each epoch, as its gradients are less noisy.",
    statement=r"f(\theta) \text{ after an epoch of } N/B \text{ steps falls as } B \text{ grows}",
    scope="two equal examples, f(theta) = theta^2/2, lr = 1/2, theta_0 = 1, batches of 1 and of 2; with the"
    " examples (theta - 1)^2/2 and (theta + 1)^2/2 from theta_0 = 1/4 it is the other way round",
    sources=[goodfellow, keskar],
    expected="refuted",
    evidence="exact certificate",
    rule=about("gd"),
)
def epoch_loss(rule: Rule) -> Decision:
    """An epoch of one batch and of two, on two data sets, every order of the examples."""
    alike = [epoch(rule, [0, 0], size, 1) for size in (1, 2)]
    apart = [epoch(rule, [1, -1], size, sp.Rational(1, 4)) for size in (1, 2)]
    if not alike[0] < alike[1]:
        raise NotProved(f"on two equal examples the mean losses are {alike}")
    return refuted(
        f"on two equal examples from theta_0 = 1 with lr = 1/2 the loss after an epoch is {alike[0]} for"
        f" batches of 1 and {alike[1]} for a batch of 2; on examples at 1 and -1 from 1/4 it is on average"
        f" {apart[0]} and {apart[1]}, above the minimum"
    )


def epoch(rule: Rule, data: list[int], size: int, start: Any) -> sp.Rational:
    """The mean of theta^2/2 after an epoch of the squared distances to the data, lr = 1/2."""
    ends = []
    for order in itertools.permutations(data):
        batches = [order[i : i + size] for i in range(0, len(order), size)]
        slopes = [lambda p, b=b: p - sp.Rational(sum(b), len(b)) for b in batches]
        values = {"lr": HALF, "weight_decay": 0}
        ends.append(rational(run(rule, slopes, start=start, values=values)[-1]["theta"]))
    return sum(x**2 for x in ends) / (2 * sp.Integer(len(ends)))


# ---- shuffled epochs ---------------------------------------------------------------------------------------


@claim(
    "gd.minibatch.shuffled_unbiased",
    "In a shuffled epoch every mini-batch gradient is an unbiased estimate of the full gradient.",
    statement=r"E[g_t \mid \theta_{t-1}] = \nabla f(\theta_{t-1}) \quad \text{for every batch } t \text{ of"
    r" the epoch}",
    scope="the examples (theta - 1)^2/2 and (theta + 1)^2/2, batches of one, lr = 1/2, theta_0 = 0, the"
    " second batch of the epoch; it is so for the first one",
    sources=[haochen, goodfellow],
    expected="refuted",
    evidence="exact enumeration",
    corrected_by="gd.minibatch.unbiased",
    rule=about("gd"),
)
def shuffled_unbiased(rule: Rule) -> Decision:
    """Both orders of two examples: the parameters after the first tell which one is left."""
    values = {"lr": HALF, "weight_decay": 0}
    left: dict[sp.Expr, list[sp.Expr]] = {}
    for first, second in ((1, -1), (-1, 1)):
        point = rational(run(rule, [lambda p, a=first: p - a], start=0, values=values)[-1]["theta"])
        left.setdefault(point, []).append(point - second)
    for point, gradients in left.items():
        if (mean := sum(gradients) / sp.Integer(len(gradients))) != point:
            return refuted(
                f"after the example at 1 or -1 theta_1 is {' or '.join(map(str, left))}; at {point} the"
                f" second gradient is {mean} for certain, and the full gradient {point}",
                "exact enumeration",
            )
    raise NotProved(f"the second gradient is unbiased at {', '.join(map(str, left))}")


@claim(
    "gd.minibatch.shuffling",
    "Shuffled epochs leave less noise than examples drawn with replacement.",
    statement=r"E[\theta^2] \to \frac{\eta^4}{1 - q^4} \text{ shuffled}, \qquad E[\theta^2] \to"
    r" \frac{\eta^2 (1 + q^2)}{1 - q^4} \text{ with replacement}, \qquad q = 1 - \eta",
    scope="the examples (theta - 1)^2/2 and (theta + 1)^2/2, batches of one, constant lr < 2, at the ends of"
    " epochs of two steps; the first is less for lr < 1: of order lr^3 and not lr",
    sources=[bottou_order, haochen],
    expected="holds under conditions",
    evidence="exact enumeration",
    rule=about("gd"),
)
def shuffling(rule: Rule) -> Decision:
    """An epoch is linear in where it begins; its mean squares over both ways of drawing."""
    x, q, within = sp.Symbol("x", real=True), 1 - lr, ranges(rule)
    for draws, spread in (
        ([(1, -1), (-1, 1)], lr**4),
        (list(itertools.product((1, -1), repeat=2)), lr**2 * (1 + q**2)),
    ):
        form = memoryless(rule)
        total = sp.Integer(0)
        for draw in draws:
            end = x
            for a in draw:
                end = form.subs({theta.before: end, grad: end - a}, simultaneous=True)
            total += sp.expand(end) ** 2
        mean = sp.expand(total / len(draws))
        show_equal(mean, q**4 * x**2 + spread, "E[theta^2] after an epoch", within)
    show_positive(sp.expand(lr**2 * (1 + q**2) - lr**4).subs(lr, 1 / (1 + inside)), "what shuffling saves")
    return holds_under_conditions(
        "an epoch takes E[theta^2] to q^4 E[theta^2] plus lr^4, or plus lr^2 (1 + q^2), so the ratio is"
        " lr^2/(1 + (1 - lr)^2), less than 1 for lr < 1 and more for 1 < lr < 2",
        "exact enumeration",
    )


# ---- accumulated gradients ---------------------------------------------------------------------------------


@claim(
    "accumulated.adam_steps",
    "k steps of Adam with a k-th of the learning rate do what one step with the accumulated gradient does.",
    statement=r"\theta \text{ after } k \text{ steps of Adam at } \frac{\alpha}{k} = \theta \text{ after one"
    r" step with the mean gradient}",
    scope="dimension 1, k = 2, gradients 1 and -1, beta1 = beta2 = 1/2, epsilon = 0 in the two steps and"
    " anything above 0 in the one, theta_0 = 0",
    sources=[ott, goyal],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="accumulated.big_batch",
    rule=about("accumulated(adam)"),
    adam=about("adam"),
)
def accumulated_adam_steps(rule: Rule, adam: Rule) -> Decision:
    """Two gradients that cancel: the accumulated step is 0, the two steps of Adam are not."""
    values = {"beta1": HALF, "beta2": HALF, "eps": 0, "weight_decay": 0, "accumulate": 2}
    tiny = sp.Rational(1, 100)  # the mean of the two gradients is 0, where epsilon must not be
    once = run(rule, [1, -1], start=0, values={**values, "eps": tiny, "lr": 1})[-1]["theta"]
    steps = run(adam, [1, -1], start=0, values={**values, "lr": HALF})[-1]["theta"]
    if any(e.has(sp.zoo, sp.nan, Operator) for e in (once, steps)):
        raise NotProved(f"the runs end at {once} and {steps}")
    found = [rational(sp.simplify(e)) for e in (once, steps)]
    if found[0] != 0 or found[1] == 0:
        raise NotProved(f"they end at {found[0]} and {found[1]} where it was tried")
    return refuted(
        f"gradients 1 and -1 with beta1 = beta2 = 1/2: the accumulated step at lr = 1 is {found[0]} for every"
        f" epsilon > 0, two steps at lr = 1/2 with epsilon = 0 end at {found[1]}"
    )
