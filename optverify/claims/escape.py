r"""Noise and local minima, on a double well made of two parabolas.

f(theta) = theta^2/2 for theta < r, and (theta - r - R)^2/2 - (R^2 - r^2)/2 for theta >= r: a minimum at 0
whose barrier is r^2/2 high, and one at r + R behind a barrier of R^2/2, deeper for R > r. The gradient has
noise +a or -a added, each with probability 1/2, independent from step to step; 0 < lr <= 1.
"""

from __future__ import annotations

import itertools

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds_under_conditions, refuted
from optverify.claims._noise import memoryless, rational, run
from optverify.language import Rule, Source, grad, lr, theta
from optverify.proof import NotProved, show_equal, show_nonnegative, show_positive, unless
from optverify.proof.moments import noise

kleinberg = Source(
    "Kleinberg, Li and Yuan",
    2018,
    "An alternative view: when does SGD escape local minima?",
    "the picture of SGD on a smoothed function",
    "ICML",
    arxiv="1802.06175",
)
goodfellow = Source(
    "Goodfellow, Bengio and Courville",
    2016,
    "Deep learning",
    "section 8.2.2, local minima, and section 8.1.3, the noise of small batches",
    "MIT Press",
    url="https://www.deeplearningbook.org",
)

r, more, deep, closer = sp.symbols("r b c h", positive=True)
slack = sp.Symbol("s", nonnegative=True)
share = slack / (1 + slack)
"""1 - lr, from 0 on and less than 1."""
SHALLOW, DEEP, WALL = sp.Integer(1), sp.Integer(2), sp.Integer(1)
"""The example: r = 1, R = 2, so the wall is at 1 and the deeper minimum at 3."""
HALF = sp.Rational(1, 2)


def slope(point: sp.Expr) -> sp.Expr:
    """The gradient in the example."""
    return point if rational(point) < WALL else point - SHALLOW - DEEP


def after(rule: Rule, start: sp.Expr, size: sp.Expr, steps: int, rate: sp.Rational) -> list[list[sp.Expr]]:
    """Every path of the example, each with the same probability: the thetas from the start on."""
    paths = []
    for signs in itertools.product((-1, 1), repeat=steps):
        gradients = [lambda p, s=s: slope(p) + s * size for s in signs]
        history = run(rule, gradients, start=start, values={"lr": rate, "weight_decay": 0})
        paths.append([rational(state["theta"]) for state in history])
    return paths


def show_pull(rule: Rule) -> None:
    """Show that a step moves the distance x from the minimum of a parabola to (1 - lr) x - lr noise."""
    centre, x = sp.symbols("m x", real=True)
    form = memoryless(rule).subs({grad: x + noise, theta.before: centre + x}, simultaneous=True)
    show_equal(form - centre, (1 - lr) * x - lr * noise, "the step about a minimum")


@claim(
    "gd.noise.escape",
    "Noise lets SGD escape from a shallow minimum, in which gradient descent stays for ever, into a deeper"
    " one.",
    statement=r"r < a < R: \quad P(\theta_t \ge r \text{ for all } t \ge \tau) = 1 \text{ for some finite"
    r" random } \tau, \qquad a = 0: \quad |\theta_t| < r \text{ for all } t",
    scope="the double well of two parabolas with curvature 1, barriers r^2/2 < R^2/2; noise +a or -a with"
    " probability 1/2 each; constant 0 < lr <= 1, every start with -a <= theta_0 < r, without noise every"
    " start with |theta_0| < r; for r < a < R, while noise with a < r is too weak",
    sources=[kleinberg, goodfellow],
    expected="holds under conditions",
    rule=about("gd"),
)
def escape(rule: Rule) -> Decision:
    """Inequalities of one step: in the shallow well, up its side, and in the deep well."""
    with unless(lambda: _no_escape(rule)):
        show_pull(rule)
        a, wide = r + more, r + more + deep  # r < a < R
        q = share  # 0 <= 1 - lr < 1
        inside = r / (1 + closer)
        show_positive(r - q * inside, "what gradient descent leaves to the wall")
        show_nonnegative((q * -a - (1 - q) * a) + a, "theta_t + a for theta_{t-1} = -a, pushed left")
        show_equal(
            a - (q * theta.before + (1 - q) * a), q * (a - theta.before), "a less theta_t, pushed right"
        )
        show_positive(a - r, "a less the place of the wall")
        show_positive(wide - (q * wide + (1 - q) * a), "what noise leaves to the wall in the deep well")
        paths = after(rule, sp.Integer(0), 3 * HALF, 3, HALF)
        probability = sp.Rational(sum(bool(path[-1] >= WALL) for path in paths), len(paths))
    return holds_under_conditions(
        "pushed right m times in a row, a - theta shrinks by (1 - lr)^m, so theta passes r < a after some m,"
        " which has probability 2^-m in every m steps: it happens, and where |theta - r - R| <= R that stays"
        f" so as a < R; with r = 1, R = 2, a = 3/2, lr = 1/2 from 0 it has happened after 3 steps with"
        f" probability {probability}"
    )


def _no_escape(rule: Rule) -> str | None:
    """Look for an example that goes otherwise; in words."""
    given = "r = 1, R = 2, lr = 1/2"
    still = run(rule, [slope] * 3, start=HALF, values={"lr": HALF, "weight_decay": 0})
    if not all(abs(rational(s["theta"])) < WALL for s in still):
        return (
            f"{given}: gradient descent leaves the shallow well from 1/2: {[str(s['theta']) for s in still]}"
        )
    paths = after(rule, sp.Integer(0), 3 * HALF, 3, HALF)
    if not any(path[-1] >= WALL for path in paths):
        return f"{given}, a = 3/2: no path from 0 leaves the shallow well in 3 steps"
    for path in (*paths, *after(rule, SHALLOW + DEEP, 3 * HALF, 3, HALF)):
        passed = [bool(x >= WALL) for x in path]
        if sorted(passed) != passed:
            return f"{given}, a = 3/2: theta comes back from the deep well, {[str(x) for x in path]}"
        if min(path) < -3 * HALF:
            return f"{given}, a = 3/2: theta leaves the shallow well to the left, {[str(x) for x in path]}"
    return None


@claim(
    "gd.noise.escape_always",
    "The noise of SGD always frees it from shallow minima in the end.",
    statement=r"P(\theta_t \ge r \text{ for some } t) = 1 \quad \text{for every } a > 0",
    scope="the double well of two parabolas with curvature 1; noise +a or -a with a < r; constant 0 < lr <="
    " 1, every start with |theta_0| <= a",
    sources=[kleinberg],
    expected="refuted",
    evidence="proved",
    corrected_by="gd.noise.escape",
    rule=about("gd"),
)
def never_escapes(rule: Rule) -> Decision:
    """An interval that no step leaves, whatever the noise does."""
    with unless(lambda: None):  # another recurrence says nothing about this sentence
        show_pull(rule)
        a, q = sp.Symbol("a", positive=True), share
        for end, push in itertools.product((a, -a), (a, -a)):
            show_nonnegative(a - (q * end + (1 - q) * push), "a less theta_t")
            show_nonnegative(a + (q * end + (1 - q) * push), "a plus theta_t")
    paths = after(rule, HALF, HALF, 3, HALF)
    return refuted(
        "|theta_t| <= (1 - lr) a + lr a = a < r for ever; with r = 1, lr = 1/2 and noise 1/2 or -1/2 all"
        f" {len(paths)} paths of 3 steps from 1/2 stay within {max(map(max, paths))}",
        "proved",
    )


@claim(
    "gd.noise.deeper",
    "The noise of SGD leads it to the deeper minimum.",
    statement=r"\lim_{t \to \infty} P(\theta_t \ge r) = 1 \quad \text{for every } a > r",
    scope="the double well of two parabolas with curvature 1, r = 1, R = 2, so the deeper minimum is at 3;"
    " lr = 1, noise +4 or -4: noise above both barriers forgets which of them is higher",
    sources=[kleinberg],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="gd.noise.escape",
    rule=about("gd"),
)
def not_deeper(rule: Rule) -> Decision:
    """The finite Markov chain of the example at lr = 1, and its stationary distribution."""
    chain: dict[sp.Expr, list[sp.Expr]] = {}
    waiting = [sp.Integer(0)]
    while waiting:
        here = waiting.pop()
        if here in chain:
            continue
        if len(chain) > 8:
            raise NotProved("the chain has more states than expected")
        chain[here] = [path[-1] for path in after(rule, here, sp.Integer(4), 1, sp.Integer(1))]
        waiting += chain[here]
    places = sorted(chain)
    weights = sp.symbols(f"p_0:{len(places)}")
    flow = [
        w - sum(weights[places.index(x)] * sp.Rational(chain[x].count(y), 2) for x in places)
        for y, w in zip(places, weights, strict=True)
    ]
    found = sp.linsolve([*flow, sum(weights) - 1], weights)
    (settled,) = found if len(found) == 1 else ((weights[0],),)
    in_deep = sum((p for p, x in zip(settled, places, strict=False) if x >= WALL), sp.Integer(0))
    if not (in_deep.is_Rational and in_deep < 1):
        raise NotProved(f"the stationary probability of the deep well is {in_deep}")
    return refuted(
        f"noise 4 at lr = 1 visits {', '.join(map(str, places))} only; the one stationary distribution has"
        f" {in_deep} in the deep well: it comes and goes for ever"
    )
