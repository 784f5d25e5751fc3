"""Rules for matrices: Shampoo, Muon and SOAP, orthogonal factors and steepest descent."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import sympy as sp

from optverify.claims._claim import (
    Decision,
    about,
    claim,
    holds,
    refuted,
)
from optverify.claims._matrix import (
    diagonal,
    differs,
    end_of,
    line_by_line,
    other,
    quarter,
    run_differs,
    show_like,
    show_turned,
    symbols,
    trials,
    turns_otherwise,
)
from optverify.language import Rule, Source, Variable, eps, grad, lr, t, theta
from optverify.proof import NotProved, Refuted, domains, show_equal, show_nonnegative, unless
from optverify.proof.polynomials import image

gupta = Source(
    "Gupta, Koren and Singer",
    2018,
    "Shampoo: preconditioned stochastic tensor optimization",
    "Algorithm 1",
    "ICML",
    arxiv="1802.09568",
)
old_optimizer = Source(
    "Bernstein and Newhouse",
    2024,
    "Old optimizer, new norm: an anthology",
    "the part on Shampoo: without accumulation it is steepest descent in the spectral norm",
    arxiv="2409.20325",
)
jordan = Source(
    "Jordan, Jin, Boza, You, Cesista, Newhouse and Bernstein",
    2024,
    "Muon: an optimizer for hidden layers in neural networks",
    "the parts on the Newton-Schulz iteration and its coefficients",
    url="https://kellerjordan.github.io/posts/muon/",
)
higham = Source(
    "Higham",
    2008,
    "Functions of matrices: theory and computation",
    "chapter 8, the polar decomposition: the Newton-Schulz iteration and its Pade family",
    "SIAM",
)
vyas = Source(
    "Vyas, Morwani, Zhao, Kwun, Shapira, Brandfonbrener, Janson and Kakade",
    2024,
    "SOAP: improving and stabilizing Shampoo using Adam",
    "Algorithm 3",
    arxiv="2409.11321",
)

s1, s2 = sp.symbols("s_1 s_2", positive=True)
damping = sp.Symbol("eps", positive=True)
x, y = sp.symbols("x y", positive=True)
X = [Variable(f"X_{k}").now for k in range(6)]


# ---- Shampoo -------------------------------------------------------------------------------------------


def first_step(rule: Rule, gradient: Any) -> Any:
    """theta_1 - theta_0, for a gradient that is a matrix, and eps > 0."""
    start = symbols("w", *gradient.shape)
    known = {h.symbol: h.symbol for h in rule.hyperparameters} | {eps: damping}
    known |= {theta.before: start, grad: gradient, t: sp.Integer(1)}
    for state in rule.states:
        side = {"left": gradient.rows, "right": gradient.cols}.get(state.side)
        initial = sp.sympify(state.initial).subs(known)
        known[state.before] = initial * sp.eye(side) if side else initial * sp.ones(*gradient.shape)
    step = line_by_line(rule, known)[theta.now]
    if getattr(step, "shape", None) != start.shape:
        raise NotProved(f"theta becomes {step}, which has another shape")
    return (step - start).applyfunc(sp.expand)


def show_on_singular_values(rule: Rule, stated: Any) -> None:
    """Show that the first step on G = U diag(s) V^T is -lr U diag(stated(s)) V^T: turned, and for diag(s)."""
    show_turned(rule)
    step = first_step(rule, diagonal(2, 3, s1, s2))
    for i in range(2):
        for j in range(3):
            expected = -lr * stated((s1, s2)[i]).subs(eps, damping) if i == j else 0
            show_equal(step[i, j], expected, f"entry {i + 1}, {j + 1} of the step", domains(rule))


def another_first_step(rule: Rule, stated: Any) -> str | None:
    """Look for a first step that is not stated: eps = 7, singular values 3 and 27/4, turned; in words."""
    values = {**trials(rule), "eps": sp.Integer(7)}
    singular = (sp.Integer(3), sp.Rational(27, 4))
    start = sp.ImmutableDenseMatrix([[1, 2], [3, 5]])
    step = diagonal(2, 2, *(stated(s).subs(eps, 7) for s in singular))
    for left, right in ((sp.eye(2), sp.eye(2)), (quarter, other)):
        gradient = left * diagonal(2, 2, *singular) * right.T
        expected = start - values["lr"] * left * step * right.T
        if (found := run_differs(rule, [gradient], start, values, expected)) is not None:
            return found
    return None


def damped(s: Any) -> Any:
    """s/sqrt(s^2 + eps): 1 for eps = 0."""
    return s / sp.sqrt(s**2 + eps)


@claim(
    "shampoo.orthogonal",
    "Without accumulation Shampoo's step is the orthogonal factor of the gradient.",
    statement=r"G = U \Sigma V^\top, \quad L = \epsilon I + G G^\top, \quad R = \epsilon I + G^\top G \quad"
    r" \Longrightarrow \quad L^{-1/4} G R^{-1/4} = U \, \frac{\Sigma}{\sqrt{\Sigma^2 + \epsilon I}} \, V^\top"
    r" \; \longrightarrow \; U V^\top \quad (\epsilon \to 0)",
    scope="the first step, every gradient of every shape: by orthogonal equivariance from diagonal ones, done"
    " for 2 x 3 with any two singular values; exponent -1/4, no decay; each singular value of its own",
    sources=[old_optimizer, gupta],
    rule=about("shampoo"),
)
def shampoo_orthogonal(rule: Rule) -> Decision:
    """The first step of the rule, on singular values and turned; then eps to 0."""
    show_like(rule, "L R")
    with unless(lambda: another_first_step(rule, damped)):
        show_on_singular_values(rule, damped)
        show_equal(damped(s1).subs(eps, 0), 1, "the step for eps = 0")
    return holds(
        "every line turns with the matrix, and a singular value s becomes s/(s^2 + eps)^(1/4)/(s^2 +"
        " eps)^(1/4)"
    )


@claim(
    "shampoo.half",
    "With the exponent -1/2, which common versions have, Shampoo's step is the orthogonal factor too.",
    statement=r"L^{-1/2} G R^{-1/2} = U V^\top \text{ for } G = U \Sigma V^\top, \; L = G G^\top, \; R ="
    r" G^\top G",
    scope="the first step of one 2 x 2 matrix with singular values 1 and 4, in the limit eps = 0",
    sources=[gupta],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="shampoo.orthogonal",
    rule=about("shampoo", exponent="half"),
)
def shampoo_half(rule: Rule) -> Decision:
    """The step inverts the singular values: the smallest become the largest."""
    show_like(rule, "L R")
    with unless(lambda: None):
        show_on_singular_values(rule, lambda s: s / (s**2 + eps))
    gradient = quarter * diagonal(2, 2, 1, 4) * quarter.T
    step = -end_of(rule, [gradient], sp.zeros(2, 2), {"lr": 1, "eps": 0})
    gram = step.T * step
    if gram == sp.eye(2):
        return holds(f"the step on {gradient.tolist()} is orthogonal", "exact certificate")
    return refuted(
        f"G = {gradient.tolist()}, with singular values 1 and 4, gives the step {step.tolist()}, with"
        f" singular"
        " values 1 and 1/4: a singular value s becomes s/(s^2 + eps)"
    )


def _equivariant(rule: Rule, detail: str) -> Decision:
    with unless(lambda: turns_otherwise(rule, {**trials(rule), "eps": sp.Rational(1, 3)})):
        show_turned(rule)
    return holds(detail)


EQUIVARIANT = (
    r"X_0, G_1, G_2, \dots \text{ lead to } X_t \quad \Longrightarrow \quad U X_0 V^\top, U G_1 V^\top, U G_2"
    r" V^\top, \dots \text{ lead to } U X_t V^\top"
)


@claim(
    "shampoo.rotation",
    "Shampoo does not depend on the basis of the rows, nor on that of the columns.",
    statement=EQUIVARIANT,
    scope="all orthogonal U and V, every shape, any gradients, every t, every eps",
    sources=[gupta],
    rule=about("shampoo"),
)
def shampoo_rotation(rule: Rule) -> Decision:
    """Line by line."""
    return _equivariant(
        rule,
        "L becomes U L U^T, R becomes V R V^T, their powers alike: each line turns with the matrix, any t",
    )


@claim(
    "muon.rotation",
    "Muon does not depend on the basis of the rows, nor on that of the columns.",
    statement=EQUIVARIANT,
    scope="all orthogonal U and V, every shape, any gradients, every t, every number in the rule",
    sources=[jordan],
    rule=about("muon"),
)
def muon_rotation(rule: Rule) -> Decision:
    """Line by line."""
    return _equivariant(
        rule, "X X^T becomes U X X^T U^T, the norm stays: each line turns with the matrix, for every t"
    )


# ---- the Newton-Schulz iteration of Muon -----------------------------------------------------------------


def iterates(rule: Rule, **values: sp.Rational) -> list[sp.Poly]:
    """The polynomial in a singular value that each of the five iterations is, coefficients as given.

    Shown: it turns with the matrix, and on diag(x, y) it does the same to both, on its own.
    """
    show_turned(rule)
    known = {h.symbol: values.get(h.name, _written(rule, h.name)) for h in rule.hyperparameters}
    known |= {theta.before: sp.zeros(2, 2), grad: sp.zeros(2, 2), t: sp.Integer(1)}
    known |= {s.before: sp.zeros(2, 2) for s in rule.states}
    found: list[sp.Poly] = []
    given: dict[sp.Symbol, Any] = {}
    for before, after in pairwise(X):
        given |= {before: diagonal(2, 2, x, y)}
        found.append(_on_both(line_by_line(rule, known, given, after)[after], after))
    return found


def _written(rule: Rule, name: str) -> sp.Rational:
    default = rule.hyperparameter(name).default
    return sp.Rational(str(0 if default is None else default))


def _decimal(number: Fraction) -> str:
    return str(sp.N(sp.Rational(number), 6))


def _on_both(done: Any, name: sp.Symbol) -> sp.Poly:
    """The polynomial p with done = diag(p(x), p(y))."""
    if getattr(done, "shape", None) != (2, 2):
        raise NotProved(f"{name} = {done} is no 2 x 2 matrix")
    p = sp.expand(done[0, 0])
    if (
        p.free_symbols - {x}
        or sp.expand(done[1, 1] - p.subs(x, y)) != 0
        or done[0, 1] != 0
        or done[1, 0] != 0
    ):
        raise Refuted(f"{name} of diag(x, y) is {done.tolist()}: not one function of each singular value")
    return sp.Poly(p, x)


def show_scaled(rule: Rule) -> None:
    """Show that X_0 is M over its norm, or over more, and that the step is -lr sqrt(max(1, m/n)) X_5."""
    M, within = Variable("M").now, domains(rule)
    known = {h.symbol: h.symbol for h in rule.hyperparameters} | {t: sp.Integer(1)}
    known |= {theta.before: sp.zeros(2, 2), grad: sp.zeros(2, 2)} | {
        s.before: sp.zeros(2, 2) for s in rule.states
    }
    first = line_by_line(rule, known, {M: diagonal(2, 2, 3 * x, 4 * x)}, X[0])[X[0]]
    if getattr(first, "shape", None) != (2, 2):
        raise NotProved(f"X_0 = {first} is no 2 x 2 matrix")
    for found, size in ((first[0, 0], 3 * x), (first[1, 1], 4 * x)):
        show_nonnegative(sp.cancel(size / found) - 5 * x, "what M is divided by, less its norm,", within)
        show_equal(found.subs(eps, 0), size / (5 * x), "X_0 of diag(3 x, 4 x) for eps = 0", within)
    for m, n in ((2, 2), (2, 3), (3, 2)):
        end, start = symbols("e", m, n), symbols("w", m, n)
        known |= {theta.before: start, grad: sp.zeros(m, n)} | {s.before: sp.zeros(m, n) for s in rule.states}
        done = line_by_line(rule, known, {M: sp.ones(m, n), **_skipped(rule, end)})[theta.now]
        scale = sp.sqrt(sp.Max(1, sp.Rational(m, n)))
        show_equal(done[0, 1], start[0, 1] - lr * scale * end[0, 1], f"an entry of theta, {m} x {n},", within)


def _skipped(rule: Rule, end: Any) -> dict[sp.Symbol, Any]:
    """All lines of the iteration, with X_k = end."""
    names = {lhs for lhs, _ in rule.assignments}
    inner = {Variable(f"A_{k}").now: sp.zeros(end.rows, end.rows) for k in range(1, 6)}
    return {s: e for s, e in ({X[k]: end for k in range(6)} | inner).items() if s in names}


def another_singular_value(rule: Rule, low: Any, high: Any, **numbers: Any) -> str | None:
    """Look for a singular value of the step that is not in [low, high] lr sqrt(max(1, m/n)); in words.

    The gradients have singular values of 3/5 to 1 times their norm; lr = 1/2. With eps > 0 steps are shorter.
    """
    values = {h.name: _written(rule, h.name) for h in rule.hyperparameters} | {"lr": sp.Rational(1, 2)}
    diagonals = [diagonal(2, 2, *s) for s in ((3, 4), (1, 0), (3, -4))]
    for least, eps_now, gradients in (
        (low, sp.Integer(0), [*diagonals, diagonal(2, 3, 4, 3), diagonal(3, 2, 4, 3)]),
        (0, sp.Rational(39, 40), [diagonal(2, 2, 1, 0)]),
    ):
        for gradient in gradients:
            given = values | numbers | {"eps": eps_now}
            if (found := _outside(rule, gradient, given, least, high)) is not None:
                return found
    return None


def _outside(rule: Rule, gradient: Any, values: dict[str, Any], low: Any, high: Any) -> str | None:
    """Words on a first step on diag(s), lr = 1/2, that is not diag(sign(s) r), low <= r/lr <= high."""
    m, n = gradient.shape
    start, told = sp.ones(m, n), f"gradient {gradient.tolist()}, lr = 1/2, eps = {values['eps']}:"
    try:
        after = end_of(rule, [gradient], start, values)
    except NotProved as failed:
        return f"{told} {failed}"
    if after.shape != (m, n):
        return f"{told} theta becomes {after.tolist()}, of another shape"
    step = (start - after) * 2 / sp.sqrt(sp.Max(1, sp.Rational(m, n)))
    sizes = [sp.N(step[i, i] * sp.sign(gradient[i, i]), 30) for i in range(2) if gradient[i, i] != 0]
    beside = [e for i, e in enumerate(step) if gradient[i] == 0]
    if all(low <= s <= high for s in sizes) and not differs([beside], [[0] * len(beside)]):
        return None
    return f"{told} the step over lr sqrt(max(1, m/n)) is {step.evalf(6).tolist()}"


@claim(
    "muon.newton_schulz",
    "Five Newton-Schulz steps with Muon's coefficients bring every singular value near 1.",
    statement=r"p(x) = 3.4445 \, x - 4.7750 \, x^3 + 2.0315 \, x^5 \quad \Longrightarrow \quad"
    r" p(p(p(p(p(x))))) \in [0.68, 1.14] \quad \text{for all } x \in [0.01, 1]",
    scope="a singular value is at least 0.01 times the Frobenius norm of the matrix; eps = 0; every shape;"
    " the step is lr sqrt(max(1, m/n)) times the result",
    sources=[jordan],
    evidence="interval arithmetic",
    rule=about("muon"),
)
def muon_newton_schulz(rule: Rule) -> Decision:
    """The image of the interval, one iteration after the other: an interval again, with ends in rationals."""
    show_like(rule, "B", *X)
    low, high = sp.Rational("0.68"), sp.Rational("1.14")
    with unless(lambda: another_singular_value(rule, low, high)):
        show_scaled(rule)
        ends = Fraction(1, 100), Fraction(1)
        for p in iterates(rule):
            ends = image(p, *ends)
        if not (ends[0] >= low and ends[1] <= high):
            raise NotProved(f"five iterations take [0.01, 1] into [{_decimal(ends[0])}, {_decimal(ends[1])}]")
    return holds(
        f"the image is [{_decimal(ends[0])}, {_decimal(ends[1])}]: extrema of p at the ends and at the zeros"
        f" of"
        " p', enclosed in rationals and rounded outwards",
        "interval arithmetic",
    )


@claim(
    "muon.step_bound",
    "No step of Muon is longer than 1.21 lr in the spectral norm, whatever the gradients.",
    statement=r"\lVert \theta_t - \theta_{t-1} \rVert_2 \le 1.21 \, \eta \sqrt{\max(1, m/n)}",
    scope="every m x n matrix, any gradients and momentum, every t, every eps >= 0 (with eps = 0, from the"
    " first gradient other than 0 on), no decay; Muon's own coefficients",
    sources=[jordan],
    evidence="interval arithmetic",
    rule=about("muon"),
)
def muon_step_bound(rule: Rule) -> Decision:
    """The image of [0, 1], where all singular values of a matrix over its norm lie."""
    show_like(rule, "B", *X)
    high = sp.Rational("1.21")
    with unless(lambda: another_singular_value(rule, sp.Integer(0), high)):
        show_scaled(rule)
        ends = Fraction(0), Fraction(1)
        for p in iterates(rule):
            ends = image(p, *ends)
        if not (ends[0] >= 0 and ends[1] <= high):
            raise NotProved(f"five iterations take [0, 1] into [{_decimal(ends[0])}, {_decimal(ends[1])}]")
    return holds(
        f"singular values of M/(norm + eps) lie in [0, 1], and the image of that is within [0,"
        f" {_decimal(ends[1])}]",
        "interval arithmetic",
    )


@claim(
    "muon.orthogonal",
    "Muon's Newton-Schulz iteration makes the update orthogonal.",
    statement=r"X_0 X_0^\top = I \quad \Longrightarrow \quad X_5 X_5^\top = I",
    scope="a matrix with one entry, gradient 1, eps = 0, Muon's own coefficients",
    sources=[jordan],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="muon.newton_schulz",
    rule=about("muon"),
)
def muon_orthogonal(rule: Rule) -> Decision:
    """The matrix (1) is no fixed point: it is sent to (a + b + c), and five times that is not 1."""
    show_like(rule, "B", *X)
    with unless(lambda: None):
        show_scaled(rule)
        once = {p.eval(1) for p in iterates(rule)}
    values = {h.name: _written(rule, h.name) for h in rule.hyperparameters}
    values |= {"eps": sp.Integer(0), "lr": sp.Integer(1)}
    end = -end_of(rule, [sp.ones(1, 1)], sp.zeros(1, 1), values)[0]
    if once == {1} and end == 1:
        return holds("1 is a fixed point", "exact certificate")
    return refuted(
        f"p(1) = {' or '.join(map(str, once))}: (1), which is orthogonal, is no fixed point. Its update after"
        f" five iterations is the rational number {float(end):.6f}..., not 1"
    )


@claim(
    "muon.classical",
    "With the classical coefficients 15/8, -5/4 and 3/8 the iteration converges to the orthogonal factor.",
    statement=r"q(x) = \frac{15 x - 10 x^3 + 3 x^5}{8}: \quad 1 - q(x) = (1 - x)^3 \, \frac{3 x^2 + 9 x +"
    r" 8}{8}, \quad x \le q(x) \le 1 \text{ for } 0 < x < 1, \quad q(1) = 1",
    scope="every matrix of full rank over its norm, each singular value of its own; the order is cubic",
    sources=[higham],
    rule=about("muon"),
)
def muon_classical(rule: Rule) -> Decision:
    """Both factorisations, with the polynomials of the rule."""
    show_like(rule, "B", *X)
    numbers = {"ns_a": sp.Rational(15, 8), "ns_b": sp.Rational(-5, 4), "ns_c": sp.Rational(3, 8)}
    stated = 1 - (1 - x) ** 3 * (3 * x**2 + 9 * x + 8) / 8
    with unless(lambda: _another_fixed_point(rule, numbers)):
        show_scaled(rule)
        for p in iterates(rule, **numbers):
            show_equal(p.as_expr(), stated, "q(x)")
            share = x / (1 + x)  # in (0, 1)
            show_nonnegative(sp.factor((p.as_expr() - x).subs(x, share)), "q(x) - x")
            show_nonnegative(sp.factor((1 - p.as_expr()).subs(x, share)), "1 - q(x)")
    return holds(
        "1 - q = (1 - x)^3 (3 x^2 + 9 x + 8)/8 and q - x = x (1 - x^2)(7 - 3 x^2)/8: singular values rise to"
        " 1, the only fixed point in (0, 1], and the distance to 1 ends up cubed, times 5/2"
    )


def _another_fixed_point(rule: Rule, numbers: dict[str, sp.Rational]) -> str | None:
    """Look for an orthogonal matrix that is not kept, or a singular value that is not brought nearer to 1."""
    values = {h.name: _written(rule, h.name) for h in rule.hyperparameters}
    values |= {**numbers, "eps": sp.Integer(0)}
    one, start = sp.ones(1, 1), sp.zeros(1, 1)
    values["lr"] = sp.Rational(1, 2)
    if (found := run_differs(rule, [one], start, values, -one / 2)) is not None:
        return found
    return another_singular_value(rule, sp.Rational(99, 100), sp.Integer(1), **numbers)


# ---- SOAP ------------------------------------------------------------------------------------------------


@claim(
    "soap.adam",
    "Until its basis is renewed, SOAP is Adam.",
    statement=r"Q_L = I, \; Q_R = I \text{ for } t \le f \quad \Longrightarrow \quad \theta_t \text{ of SOAP}"
    r" = \theta_t \text{ of Adam}, \qquad t \le f",
    scope='every matrix (an entry of 2 x 2 stands for all), any gradients, first="step", t up to'
    " precondition_frequency,"
    " the same beta_1, beta_2 and epsilon",
    sources=[vyas],
    rule=about("soap"),
    adam=about("adam"),
)
def soap_adam(rule: Rule, adam: Rule) -> Decision:
    """One step from the same moments, symbolic t, the identity as basis; and it is the basis at first."""
    show_like(rule, "m v L R Q_L Q_R")
    show_like(adam, "m v")
    if (found := _unlike_adam(rule, adam)) is not None:
        raise Refuted(found)
    with unless(lambda: None):
        one = sp.ImmutableDenseMatrix.eye(2)
        shared = {
            "theta": symbols("w", 2, 2),
            "m": symbols("m", 2, 2),
            "v": symbols("v", 2, 2, nonnegative=True),
        }
        ends = []
        for r in (rule, adam):
            known = {h.symbol: h.symbol for h in r.hyperparameters} | {grad: symbols("g", 2, 2), t: t}
            known |= {s.before: shared.get(s.name, one) for s in (theta, *r.states)}
            ends.append(line_by_line(r, known, upto=theta.now))
        for name in shared:
            mine, theirs = (e[r.state(name).now] for e, r in zip(ends, (rule, adam), strict=True))
            show_equal(mine[0, 1], theirs[0, 1], f"an entry of {name}", domains(rule))
        for r in (rule, adam):
            for state in (s for s in r.states if s.name not in ("L", "R")):
                show_equal(state.initial, 1 if state.name in ("Q_L", "Q_R") else 0, f"{state.name} at first")
    return holds("with the identity as basis nothing is turned: both have the same closed form, for every t")


def _unlike_adam(rule: Rule, adam: Rule) -> str | None:
    """Look for two steps before the third, at which the basis is renewed, that are not Adam's; in words."""
    gradients = [sp.ImmutableDenseMatrix([[1, 2], [-3, 4]]), sp.ImmutableDenseMatrix([[2, -1], [1, 3]])]
    values = {
        "lr": sp.Rational(1, 5),
        "beta1": sp.Rational(1, 2),
        "beta2": sp.Rational(3, 4),
        "eps": sp.Rational(1, 3),
    }
    start = sp.ImmutableDenseMatrix([[1, 0], [2, -1]])
    for k in (1, 2):
        try:
            expected = end_of(adam, gradients[:k], start, values)
        except NotProved as failed:
            return f"gradients {[g.tolist() for g in gradients[:k]]}: of Adam {failed}"
        more = {**values, "precondition_frequency": sp.Integer(3)}
        if (found := run_differs(rule, gradients[:k], start, more, expected)) is not None:
            return found
    return None


@claim(
    "soap.rotation",
    "Like Shampoo, SOAP does not depend on the basis of the rows, nor on that of the columns.",
    statement=EQUIVARIANT,
    scope="the first step of a 2 x 2 matrix, U the rotation by 3/5, 4/5, V = I, G = diag(1, 2)",
    sources=[vyas],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="soap.adam",
    rule=about("soap"),
)
def soap_rotation(rule: Rule) -> Decision:
    """Its first step is Adam's, in the basis the matrix is given in."""
    show_like(rule, "m v L R Q_L Q_R")
    values = {**trials(rule), "lr": 1, "eps": sp.Integer(0), "precondition_frequency": sp.Integer(2)}
    gradient, start = diagonal(2, 2, 1, 2), sp.zeros(2, 2)

    def step(g: Any) -> Any:
        known = {h.symbol: sp.sympify(values[h.name]) for h in rule.hyperparameters}
        known |= {theta.before: start, grad: g, t: sp.Integer(1)}
        for state in rule.states:
            initial = sp.sympify(state.initial)
            known[state.before] = initial * (sp.eye(2) if state.side else sp.ones(2, 2))
        return line_by_line(rule, known, upto=theta.now)[theta.now]

    plain, turned = step(gradient + sp.ones(2, 2)), step(quarter * (gradient + sp.ones(2, 2)))
    if sp.ImmutableDenseMatrix(quarter * plain - turned).applyfunc(sp.simplify).is_zero_matrix:
        return holds("the first step turns with the matrix in the run that was tried", "exact certificate")
    return refuted(
        f"G = {(gradient + sp.ones(2, 2)).tolist()} and lr = 1, eps = 0 give theta_1 = {plain.tolist()};"
        f" turned by U = {quarter.tolist()} the gradient gives {turned.tolist()}, not U theta_1 ="
        f" {(quarter * plain).tolist()}: the first step is a sign, as Adam's"
    )
