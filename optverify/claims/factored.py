"""Second moments kept by rows and columns: Adafactor and SM3."""

from __future__ import annotations

from operator import add
from typing import Any

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, refuted
from optverify.claims._matrix import differs, line_by_line, rounded, show_like, symbols
from optverify.language import Rule, Source, Variable, grad, hyper_symbol, t, theta
from optverify.proof import NotProved, Refuted, domains, show_by_smt, show_equal, show_nonnegative, unless
from optverify.views.exact import entrywise, run_matrices

shazeer = Source(
    "Shazeer and Stern",
    2018,
    "Adafactor: adaptive learning rates with sublinear memory cost",
    "section 3 (the factored second moment and the I-divergence), Algorithm 4",
    "ICML",
    arxiv="1804.04235",
)
anil = Source(
    "Anil, Gupta, Koren and Singer",
    2019,
    "Memory-efficient adaptive optimization",
    "the claims on SM3-I and SM3-II: nu covers the sums of squares, and that of SM3-II is no larger",
    "NeurIPS",
    arxiv="1901.11150",
)

V_hat, U, U_hat = (Variable(name, nonnegative=name == "V_hat").now for name in ("V_hat", "U", "U_hat"))
nu = Variable("nu", nonnegative=True).now
clip_threshold = hyper_symbol("clip_threshold", positive=True)


# ---- Adafactor ---------------------------------------------------------------------------------------------


def row_sums(x: Any) -> list[Any]:
    """One for each row."""
    return [sp.Add(*x.row(i)) for i in range(x.rows)]


def column_sums(x: Any) -> list[Any]:
    """One for each column."""
    return [sp.Add(*x.col(j)) for j in range(x.cols)]


def means(x: Any) -> dict[str, Any]:
    """R and C: the means over the rows and the columns of x."""
    return {"R": sp.Matrix(row_sums(x)) / x.cols, "C": sp.Matrix(column_sums(x)).T / x.rows}


def show_means(rule: Rule, full: Rule) -> None:
    """Show that R and C are the row and column means of V of the unfactored rule, for every t."""
    second = symbols("V", 2, 3, positive=True)
    _show_kept(rule, full, sp.Integer(1), {})
    _show_kept(rule, full, t, {"V": second, **means(second)})


def _show_kept(rule: Rule, full: Rule, now: Any, before: dict[str, Any]) -> None:
    """Show it after update `now`, from states before it, those not given as they start."""
    ends = []
    for r, last in ((rule, V_hat), (full, full.state("V").now)):
        known = {h.symbol: h.symbol for h in r.hyperparameters}
        known |= {theta.before: sp.zeros(2, 3), grad: symbols("g", 2, 3), t: now}
        starts = {s.name: sp.sympify(s.initial) * sp.ones(*_side(s, 2, 3)) for s in r.states}
        known |= {s.before: (starts | before)[s.name] for s in r.states}
        ends.append(line_by_line(r, known, upto=last))
    for name, expected in means(ends[1][full.state("V").now]).items():
        found = ends[0][rule.state(name).now]
        if getattr(found, "shape", None) != expected.shape:
            raise NotProved(f"{name} = {found} has another shape")
        for mine, theirs in zip(found, expected, strict=True):
            show_equal(sp.expand(mine), sp.expand(theirs), f"an entry of {name}", domains(rule))


def from_means(rule: Rule) -> tuple[Any, Any]:
    """V_hat for the row and column means of a 2 x 3 matrix of symbols, and that matrix."""
    second = symbols("W", 2, 3, positive=True)
    known = {h.symbol: h.symbol for h in rule.hyperparameters}
    known |= {theta.before: sp.zeros(2, 3), grad: sp.zeros(2, 3), t: t}
    known |= {s.before: sp.zeros(*_side(s, 2, 3)) for s in rule.states}
    given = {rule.state(name).now: value for name, value in means(second).items()}
    found = line_by_line(rule, known, given, upto=V_hat)[V_hat]
    if getattr(found, "shape", None) != (2, 3):
        raise NotProved(f"V_hat = {found} has another shape")
    return found, second


def other_sums(rule: Rule, full: Rule) -> str | None:
    """Look for sums of V_hat, R or C that are not those of the unfactored V in two updates; in words."""
    gradients = [sp.ImmutableDenseMatrix([[1, 2], [3, 1]]), sp.ImmutableDenseMatrix([[2, 1], [1, -1]])]
    names = (V_hat, rule.state("R").now, rule.state("C").now)
    for k in (1, 2):
        told = f"gradients {[g.tolist() for g in gradients[:k]]}, decay_rate = 2, eps1 = 1:"
        try:
            end = _last_update(rule, gradients[:k])
            second = _last_update(full, gradients[:k])[full.state("V").now]
        except (ValueError, NotProved) as failed:
            return f"{told} there is no step, as {failed}"
        expected = [second, *means(second).values()]
        sides = ((row_sums, column_sums), (row_sums,), (column_sums,))
        for name, like, kinds in zip(names, expected, sides, strict=True):
            if getattr(end[name], "shape", None) != like.shape:
                return f"{told} {name} = {end[name]} has another shape than {like.tolist()}"
            if any(differs([sums(end[name])], [sums(like)]) for sums in kinds):
                return f"{told} {name} = {end[name].tolist()} has other sums than {like.tolist()}"
    return None


NUMBERS = {"eps1": sp.Integer(1), "decay_rate": sp.Integer(2), "eps2": sp.Integer(3), "lr": sp.Rational(1, 5)}


def _last_update(rule: Rule, gradients: list[Any], **more: Any) -> dict[Any, Any]:
    """Every line of the last of these updates of a 2 x 2 matrix."""
    numbers = {h.name: (NUMBERS | more).get(h.name, sp.Integer(7)) for h in rule.hyperparameters}
    before = run_matrices(rule, gradients[:-1], sp.zeros(2, 2), numbers, rounded)[-1]
    known = {h.symbol: numbers[h.name] for h in rule.hyperparameters}
    known |= {grad: gradients[-1], t: sp.Integer(len(gradients))}
    known |= {s.before: before[s.name] for s in (theta, *rule.states)}
    return line_by_line(rule, known)


@claim(
    "adafactor.sums",
    "Adafactor's factored second moment has the row sums and column sums of the full one.",
    statement=r"\sum_j \hat{V}_{ij} = \sum_j V_{ij}, \quad \sum_i \hat{V}_{ij} = \sum_i V_{ij}, \qquad"
    r" \hat{V} = \frac{R C}{\mathrm{mean}(R)}",
    scope="2 x 3 matrices with a symbol for each entry, any gradients, every decay rate and eps_1, every t,"
    " by induction; V is that of the unfactored dialect",
    sources=[shazeer],
    rule=about("adafactor"),
    full=about("adafactor", factored=False),
)
def adafactor_sums(rule: Rule, full: Rule) -> Decision:
    """One update from means of one V; they are means of the next V again, and 0 at first."""
    show_like(rule, "R C", V_hat)
    show_like(full, "V")
    with unless(lambda: other_sums(rule, full)):
        show_means(rule, full)
        factored, second = from_means(rule)
        for sums in (row_sums, column_sums):
            for mine, theirs in zip(sums(factored), sums(second), strict=True):
                show_equal(mine, theirs, "a sum of V_hat", domains(rule))
    return holds("R and C stay the row and column means of V, whose means are equal: V_hat has their sums")


@claim(
    "adafactor.divergence",
    "Adafactor's factored second moment is the best rank-one approximation in the I-divergence.",
    statement=r"\hat{V} = \arg\min_{W = r c^\top > 0} \sum_{ij} \Bigl( V_{ij} \log \frac{V_{ij}}{W_{ij}} -"
    r" V_{ij} + W_{ij} \Bigr)",
    scope="2 x 3 matrices with a symbol for each entry, every V > 0 that gradients lead to, every t",
    sources=[shazeer],
    rule=about("adafactor"),
    full=about("adafactor", factored=False),
)
def adafactor_divergence(rule: Rule, full: Rule) -> Decision:
    """D(V, W) - D(V, V_hat) = D(V_hat, W) for W of rank one, and D >= 0.

    log(V_hat/W) is a_i + b_j for some a and b: with the same row and column sums, V and V_hat weigh it alike.
    """
    show_like(rule, "R C", V_hat)
    show_like(full, "V")
    with unless(lambda: other_sums(rule, full)):
        show_means(rule, full)
        factored, second = from_means(rule)
        for j in (1, 2):
            minor = factored[0, 0] * factored[1, j] - factored[0, j] * factored[1, 0]
            show_equal(minor, 0, f"the minor of columns 1 and {j + 1} of V_hat", domains(rule))
        a, b = symbols("a", 2), symbols("b", 3)
        gap = sum((second[i, j] - factored[i, j]) * (a[i] + b[j]) for i in range(2) for j in range(3))
        for symbol in (*a, *b):
            show_equal(sp.diff(gap, symbol), 0, f"what {symbol} adds to the gap", domains(rule))
    return holds("D(V, W) = D(V, V_hat) + D(V_hat, W): the sums agree, and x log x - x + 1 >= 0")


@claim(
    "adafactor.exact",
    "Adafactor keeps Adam's second moment, only in less memory.",
    statement=r"\hat{V}_{ij} = V_{ij} \text{ for all } i, j",
    scope="the first step of a 2 x 2 matrix, gradient diag(1, 1), eps_1 = 0",
    sources=[shazeer],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="adafactor.sums",
    rule=about("adafactor"),
    full=about("adafactor", factored=False),
)
def adafactor_exact(rule: Rule, full: Rule) -> Decision:
    """The identity is not of rank one."""
    show_like(rule, "R C", V_hat)
    show_like(full, "V")
    gradient, none = [sp.ImmutableDenseMatrix([[1, 0], [0, 1]])], sp.Integer(0)
    known = {h.symbol: none if h.name == "eps1" else h.symbol for h in rule.hyperparameters}
    known |= {theta.before: sp.zeros(2, 2), grad: gradient[0], t: sp.Integer(1)}
    factored, second = (
        line_by_line(r, known | {s.before: sp.zeros(*_side(s)) for s in r.states}, upto=end)[end]
        for r, end in ((rule, V_hat), (full, full.state("V").now))
    )
    if factored == second:
        return holds(
            f"gradient {gradient[0].tolist()} gives V_hat = V = {second.tolist()}", "exact certificate"
        )
    return refuted(
        f"gradient {gradient[0].tolist()} gives V = {second.tolist()}, but V_hat = {factored.tolist()}"
    )


@claim(
    "adafactor.clipping",
    "No update of Adafactor has a root mean square above its threshold, in units of the relative step size.",
    statement=r"\mathrm{RMS}(\hat{U}_t) \le d, \qquad \hat{U}_t = U_t \text{ where } \mathrm{RMS}(U_t) \le d",
    scope="every gradient and t, shown for vectors of two entries of length r: the root mean square of a"
    " multiple is that multiple of it",
    sources=[shazeer],
    evidence="decided by SMT",
    rule=about("adafactor"),
)
def adafactor_clipping(rule: Rule) -> Decision:
    """The factor of U as a function of its root mean square r."""
    show_like(rule, "R C", V_hat, U, U_hat)
    r = sp.Symbol("r", positive=True)
    known = {h.symbol: h.symbol for h in rule.hyperparameters} | {t: t}
    known |= {theta.before: sp.zeros(2, 1), grad: sp.ones(2, 1)} | {
        s.before: sp.ones(2, 1) for s in rule.states
    }
    step = line_by_line(rule, known, {V_hat: sp.ones(2, 1), U: sp.Matrix([r, -r])}, U_hat)[U_hat]
    if getattr(step, "shape", None) != (2, 1) or step[0] + step[1] != 0:
        raise Refuted(f"U = (r, -r) becomes {step}, which is no multiple of it")
    show_by_smt(
        sp.And(step[0] >= 0, step[0] <= clip_threshold), [], "the clipped root mean square is at most d"
    )
    small = r <= clip_threshold
    show_by_smt(sp.Eq(step[0], r), [small], "an update below the threshold is left alone", domains(rule))
    return holds("the clipped root mean square is r/max(1, r/d) = min(r, d)", "decided by SMT")


# ---- SM3 ---------------------------------------------------------------------------------------------------


def sm3_update(rule: Rule, tag: str = "") -> dict[Any, Any]:
    """One update of 2 x 2 numbers, from symbols R_i and C_j and squares of gradients g_ij^2."""
    known = {h.symbol: h.symbol for h in rule.hyperparameters}
    known |= {theta.before: sp.zeros(2, 2), grad: symbols("g", 2, 2)}
    known |= {rule.state("R").before: symbols(f"R{tag}", 2, 1, nonnegative=True)}
    known |= {rule.state("C").before: symbols(f"C{tag}", 1, 2, nonnegative=True)}
    last = max((nu, rule.state("R").now, rule.state("C").now), key=lambda s: _place(rule, s))
    return line_by_line(rule, known, upto=last)


def _place(rule: Rule, symbol: Any) -> int:
    return [lhs for lhs, _ in rule.assignments].index(symbol)


def show_covers(rule: Rule) -> None:
    """Show that R_i >= G_ij and C_j >= G_ij, G the sum of squares, are kept, and nu_ij >= the new G_ij."""
    values, total = sm3_update(rule), symbols("G", 2, 2, nonnegative=True)
    R, C = rule.state("R"), rule.state("C")
    old = [values[R.before][i] >= total[i, j] for i in range(2) for j in range(2)]
    old += [values[C.before][j] >= total[i, j] for i in range(2) for j in range(2)]
    for i, j in ((0, 0), (0, 1), (1, 0)):
        new = total[i, j] + values[grad][i, j] ** 2
        for found, what in (
            (values[nu][i, j], "nu covers the sum of squares"),
            (values[R.now][i], "R covers it"),
            (values[C.now][j], "C covers it"),
        ):
            show_by_smt(found >= new, old, what)
    for state in (R, C):
        show_nonnegative(sp.sympify(state.initial), f"{state.name} at first")


GRADIENTS = [
    sp.Matrix(g) for g in ([[-1, 2], [3, -2]], [[2, -1], [1, 2]], [[-1, 1], [1, 3]], [[-5, -4], [-4, -5]])
]


def nus(rule: Rule) -> list[Any] | str:
    """nu after each of four updates, or words on why there is none."""
    known = {h.symbol: sp.Integer(1) for h in rule.hyperparameters} | {theta.before: sp.zeros(2, 2)}
    known |= {s.before: sp.sympify(s.initial) * sp.ones(*_side(s)) for s in rule.states}
    found = []
    for k, gradient in enumerate(GRADIENTS, 1):
        try:
            values = line_by_line(rule, known | {grad: gradient, t: sp.Integer(k)})
        except NotProved as failed:
            return f"2 x 2 gradients: there is no step, as {failed}"
        found.append(entrywise(add, values[nu], sp.zeros(2, 2)))
        known |= {s.before: values[s.now] for s in (theta, *rule.states)}
    return found


def uncovered(rule: Rule) -> str | None:
    """Look for an entry of nu below its sum of squares; in words."""
    found = nus(rule)
    if isinstance(found, str):
        return found
    squares = [g.applyfunc(lambda e: e**2) for g in GRADIENTS]
    return _below(
        found, [sum(squares[:k], sp.zeros(2, 2)) for k in range(1, len(squares) + 1)], "the sum of squares"
    )


def _below(found: list[Any], least: list[Any], what: str) -> str | None:
    """Words on an entry that is smaller than it should be."""
    for k, (upper, lower) in enumerate(zip(found, least, strict=True), 1):
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            if (upper[i, j] < lower[i, j]) == True:  # noqa: E712
                given = ", ".join(str(g.tolist()) for g in GRADIENTS[:k])
                return f"gradients {given}: nu_{i + 1}{j + 1} = {upper[i, j]} < {lower[i, j]}, {what}"
    return None


def looser(rule: Rule, first: Rule) -> str | None:
    """Look for an entry of nu of SM3-II above that of SM3-I; in words."""
    mine, theirs = nus(rule), nus(first)
    if isinstance(mine, str) or isinstance(theirs, str):
        return mine if isinstance(mine, str) else str(theirs)
    return _below(theirs, mine, "that of SM3-II")


def _side(state: Any, m: int = 2, n: int = 2) -> tuple[int, int]:
    return {"rows": (m, 1), "columns": (1, n)}.get(state.side, (m, n))


SM3_SCOPE = (
    "2 x 2 matrices, where an entry meets its row and its column as in any other, any gradients, every t"
)


@claim(
    "sm3.cover",
    "What SM3 divides by is at least AdaGrad's sum of squares, in every entry.",
    statement=r"\nu_t^{(ij)} \ge \sum_{s \le t} (g_s^{(ij)})^2",
    scope=SM3_SCOPE + "; SM3-II",
    sources=[anil],
    evidence="decided by SMT",
    rule=about("sm3"),
)
def sm3_cover(rule: Rule) -> Decision:
    """By induction: rows and columns cover the sums before an update, and after it."""
    show_like(rule, "R C", nu)
    with unless(lambda: uncovered(rule)):
        show_covers(rule)
    return holds("R_i, C_j >= G_ij is kept by an update, and nu_ij >= G_ij + g_ij^2", "decided by SMT")


@claim(
    "sm3.tighter",
    "The bound of SM3-II is no larger than that of SM3-I.",
    statement=r"\sum_{s \le t} (g_s^{(ij)})^2 \le \nu_t^{(ij)} \text{ of SM3-II} \le \nu_t^{(ij)} \text{ of"
    r" SM3-I}",
    scope=SM3_SCOPE,
    sources=[anil],
    evidence="decided by SMT",
    rule=about("sm3"),
    first=about("sm3", version="I"),
)
def sm3_tighter(rule: Rule, first: Rule) -> Decision:
    """By induction: rows and columns of SM3-II are no larger before an update, nor after it."""
    show_like(rule, "R C", nu)
    show_like(first, "R C", nu)
    with unless(lambda: uncovered(rule) or looser(rule, first)):
        show_covers(rule)
        mine, theirs = sm3_update(rule, "_II"), sm3_update(first, "_I")
        pairs = [(rule.state(n), first.state(n)) for n in ("R", "C")]
        old = [mine[a.before][k] <= theirs[b.before][k] for a, b in pairs for k in range(2)]
        for a, b in pairs:
            show_by_smt(mine[a.now][0] <= theirs[b.now][0], old, f"{a.name} of SM3-II is no larger")
            show_nonnegative(sp.sympify(b.initial) - a.initial, f"{a.name} of SM3-I less of SM3-II at first")
        for i, j in ((0, 0), (0, 1)):
            show_by_smt(mine[nu][i, j] <= theirs[nu][i, j], old, "nu of SM3-II is no larger")
    return holds("R, C and nu of SM3-II stay below those of SM3-I, update by update", "decided by SMT")
