"""The first update in symbols, the direction it takes, and what happens where every gradient is zero."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import sympy as sp

from optverify.claims._claim import Decision, holds, holds_under_conditions
from optverify.claims._trials import BASES, EXACT, THIRD, base_of, given, in_words, substituted, trial
from optverify.language import Rule, grad, t, theta, unit, weight_decay
from optverify.language.operators import Operator
from optverify.proof import NotProved, Refuted, unless
from optverify.proof.algebra import CHEAP
from optverify.proof.enclosure import differ, sign_of
from optverify.proof.enclosure import text as in_digits
from optverify.proof.evaluation import UNDEFINED, Runner, entries, in_one_dimension

SMALL, LARGEST = 25, 60
"""Operations of a formula that is rearranged; of a line that is put into the next ones instead of named."""

# ---- zero gradients --------------------------------------------------------------------------------------

OF_ZERO = frozenset(
    ("norm", "norm1", "inner", "mean", "rms", "row_mean", "column_mean", "row_max", "column_max", "matmul",
     "transpose")
)  # fmt: skip
"""Operators whose value is 0 where an argument is 0, in every dimension."""


def _with_zeros(e: sp.Basic) -> sp.Basic:
    if not e.has(Operator):
        return e
    made = e.func(*(_with_zeros(a) for a in e.args))
    zero = type(made).__name__ in OF_ZERO and any(a == 0 for a in made.args)
    return sp.Integer(0) if zero else made


def _zero_update(rule: Rule, known: Mapping[sp.Symbol, sp.Expr], now: sp.Expr) -> dict[sp.Symbol, sp.Expr]:
    """The new states of an update with a zero gradient (and zero inputs), no decay, from these old ones."""
    values = {**known, grad: sp.Integer(0), weight_decay: sp.Integer(0), t: now}
    values |= {i.now: sp.Integer(0) for i in rule.inputs}
    for lhs, rhs in rule.assignments:
        try:
            values[lhs] = _with_zeros(substituted(rhs, values))
        except (ValueError, TypeError) as failed:  # SymPy compares no infinities
            raise NotProved(f"{lhs} has no value with a zero gradient: {failed}") from None
    return {s.before: values[s.now] for s in (theta, *rule.states)}


def _equal(e: sp.Expr, other: sp.Expr) -> bool:
    return bool(e == other or sp.expand(e - other) == 0)


def show_still(rule: Rule, at: sp.Expr = theta.before) -> None:
    """Show that no update with a zero gradient moves theta from this point, by an invariant of the states.

    A state keeps its initial value, or else it may be any number; NotProved if theta moves then.
    """
    states = {s.before: sp.sympify(s.initial).xreplace({theta.before: at}) for s in rule.states}
    later = 1 + sp.Symbol("j", integer=True, positive=True)
    any_number: set[sp.Expr] = set()
    for _ in range(len(states) + 1):
        grown = set()
        for now in (sp.Integer(1), later):
            after = _zero_update(rule, {theta.before: at, **states}, now)
            if not _equal(after[theta.before], at):
                raise NotProved(f"with zero gradients theta becomes {after[theta.before]}")
            grown |= {
                s for s, value in states.items() if value not in any_number and not _equal(after[s], value)
            }
        if not grown:
            return
        made = {s: sp.Dummy(s.name, real=True) for s in grown}
        any_number |= set(made.values())
        states |= made
    raise NotProved("the states keep changing")


def moved(rule: Rule, scale: int = 1) -> str | None:
    """Look for parameters that zero gradients move, with trial numbers and with the defaults; in words.

    scale: of the parameters, 0 for the origin.
    """
    usual = trial(rule)
    defaults = {h.name: usual[h.name] if h.default is None else Fraction(str(h.default))
                for h in rule.every_hyperparameter}  # fmt: skip
    runner = Runner(rule, EXACT)
    for numbers in (usual, defaults):
        if found := _moved_with(runner, {**numbers, "weight_decay": Fraction(0)}, scale):
            return f"{found}, with {in_words(rule, numbers)} and no decay"
    return None


def _moved_with(runner: Runner, numbers: Mapping[str, Fraction], scale: int) -> str | None:
    rule = runner.rule
    start = EXACT.array([[THIRD, -2 * THIRD], [THIRD + 1, THIRD - 2]])
    start = (start if base_of(rule).needs_matrix else start.ravel()) * scale
    zeros = start * 0
    fixed = given(rule, numbers, 4)

    def at(step: int) -> dict[sp.Symbol, Any]:
        return {**fixed(step), **{i.now: 0 * THIRD if i.scalar else zeros for i in rule.inputs}}

    for step, states in enumerate(runner.run([zeros] * 3, start, at)):
        for old, new in zip(entries(start), entries(states["theta"]), strict=False):
            if differ(old, new):
                became = "has no value (0/0)" if new is UNDEFINED else f"becomes {in_digits(new)}"
                return f"theta = {old} {became} after {step} zero gradients"
    return None


def decide_zero_gradient(rule: Rule) -> Decision:
    """Updates in exact numbers; then an invariant, for every number of them.

    A basis is not unique where all gradients were zero: there the invariant alone decides.
    """
    has_basis = any(type(f).__name__ in BASES for f in base_of(rule).operators)
    if not has_basis and (found := moved(rule)):
        if moved(rule, scale=0):
            raise Refuted(found)
        with unless(lambda: found):
            show_still(rule, sp.Integer(0))
        return holds_under_conditions(f"from theta_0 = 0 alone: {found}")
    with unless(lambda: moved(rule)):
        show_still(rule)
    return holds("the states keep what leaves theta alone: every step is a multiple of 0")


# ---- the first step --------------------------------------------------------------------------------------


def first_step(rule: Rule, without_decay: bool = False) -> tuple[sp.Expr, dict[sp.Symbol, sp.Expr]]:
    """theta_1 - theta_0 in one dimension, and the lines it refers to, those too long to be put in."""
    values: dict[sp.Symbol, sp.Expr] = {
        s.before: in_one_dimension(sp.sympify(s.initial)) for s in rule.states
    }
    values[t] = sp.Integer(1)
    if without_decay:
        values[weight_decay] = sp.Integer(0)
    named: dict[sp.Symbol, sp.Expr] = {}
    for lhs, rhs in rule.assignments:
        value = substituted(in_one_dimension(rhs), values)
        if lhs != theta.now and value.count_ops() > LARGEST:
            named[lhs] = value
        else:
            values[lhs] = value
    return values[theta.now] - theta.before, named


def first_step_text(rule: Rule) -> str:
    """The first step, and where it stands on longer lines, those; as text."""
    step, named = first_step(rule)
    return "; ".join([str(step), *(f"{lhs} = {value}" for lhs, value in named.items())])


def first_step_tex(rule: Rule) -> str:
    """The same as LaTeX."""
    step, named = first_step(rule)
    lines = [rf"\theta_1 - \theta_0 = {_tex(rule, step)}"]
    lines += [f"{rule.tex(lhs)} = {_tex(rule, value)}" for lhs, value in named.items()]
    return r", \quad ".join(lines)


def _tex(rule: Rule, e: sp.Expr) -> str:
    start = sp.Symbol("theta_0", real=True)
    return rule.tex(e.xreplace({theta.before: start, grad: sp.Symbol("g_1", real=True)}))


def _first_difference(rule: Rule, base: Rule) -> str | None:
    """An exact point at which two rules differ after one update in one dimension, in words."""
    gradients = EXACT.array([THIRD * k for k in (5, -2, 1, -7)])
    start = EXACT.array([THIRD * k for k in (1, -4, 6, 2)])
    numbers = trial(rule)
    at = given(rule, numbers, 4)
    runs = [
        list(Runner(r, EXACT, one_dimensional=True).run([gradients], start, at))[-1]["theta"]
        for r in (rule, base)
    ]
    for g, x, new, stated in zip(entries(gradients), entries(start), *map(entries, runs), strict=False):
        if differ(new, stated):
            return (
                f"theta = {x} becomes {in_digits(new)}, not {in_digits(stated)}, with gradient {g} and"
                f" {in_words(rule, numbers)}"
            )
    return None


def decide_first_step(rule: Rule, pinned: str | None) -> Decision:
    """Compare the formula as text; where that differs, show that it is the registered rule's all the same."""
    if pinned is None:
        raise NotProved(
            f"new: nothing is written down yet for {rule.name!r} (python -m optverify.claims.pin)"
        )
    base = base_of(rule)
    if (stated_now := first_step_text(base)) != pinned:
        raise Refuted(f"theta_1 - theta_0 = {stated_now}; written down is {pinned}")
    if difference := _first_difference(rule, base):
        raise Refuted(difference)
    if (found := first_step_text(rule)) == pinned:
        return holds(f"theta_1 - theta_0 = {pinned}")
    (step, named), (stated, others) = first_step(rule), first_step(base)
    short = not named and not others and step.count_ops() + stated.count_ops() <= LARGEST
    if short and any(form(step - stated) == 0 for form in CHEAP):
        return holds(f"theta_1 - theta_0 = {found}, which is {pinned}")
    raise NotProved(f"not shown that the first step, {found}, is {pinned}")


# ---- its direction ---------------------------------------------------------------------------------------


def _uphill(rule: Rule) -> str | None:
    """Gradients whose first step does not go against them, in words.

    Tried with the usual numbers, and with each hyperparameter in turn at the lower end of its range.
    """
    usual = {**trial(rule), "weight_decay": 0 * THIRD}
    runner = Runner(rule, EXACT, one_dimensional=True)
    ends = [h for h in base_of(rule).hyperparameters if not h.domain.low_open]
    for numbers in (usual, *({**usual, h.name: Fraction(h.domain.low)} for h in ends)):
        if found := _uphill_with(runner, numbers):
            return f"{found}, with {in_words(rule, numbers)}"
    return None


def _uphill_with(runner: Runner, numbers: Mapping[str, Fraction]) -> str | None:
    gradients = EXACT.array([THIRD * k for k in (5, -2, 1, -7, 1, -1)])
    start = EXACT.array([THIRD * k for k in (1, -4, 6, 2, -5, 3)])
    fixed = given(runner.rule, numbers, len(start))

    def at(step: int) -> dict[sp.Symbol, Any]:
        return {**fixed(step), **{i.now: 0 * THIRD if i.scalar else start * 0 for i in runner.rule.inputs}}

    after = list(runner.run([gradients], start, at))[-1]["theta"]
    for g, x, new in zip(entries(gradients), entries(start), entries(after), strict=False):
        step = UNDEFINED if new is UNDEFINED else new - x
        if step is UNDEFINED or sign_of(step) != -sign_of(g):
            where = "has no value" if step is UNDEFINED else f"is {in_digits(step)}"
            return f"the first step {where} for gradient {g} at theta = {x}"
    return None


def _is_downhill(rule: Rule) -> bool:
    """True when minus the step times the gradient is shown to be positive for all numbers."""
    step, named = first_step(rule, without_decay=True)
    if named:
        return False
    step = step.xreplace({i.now: sp.Integer(0) for i in rule.inputs})
    size = sp.Symbol("g", positive=True)
    return all(_positive(-slope * step.xreplace({grad: slope}), rule) for slope in (size, -size))


def _positive(e: sp.Expr, rule: Rule) -> bool:
    """True when e > 0 is seen from the signs of its parts, each share beta written as 1 - q or s/(1 + s)."""
    shares = {h.symbol: sp.Dummy(h.name, positive=True) for h in rule.hyperparameters if h.domain == unit}
    less = e.xreplace({beta: 1 - q for beta, q in shares.items()})
    if less.is_positive or e.count_ops() > SMALL:
        return bool(less.is_positive)
    more = e.xreplace({beta: 1 - 1 / (1 + q) for beta, q in shares.items()})
    return bool(sp.expand(less).is_positive or sp.factor(sp.together(more)).is_positive)


def decide_descent(rule: Rule) -> Decision:
    """Exact first steps, then the sign of the formula for all numbers."""
    if found := _uphill(rule):
        raise Refuted(found)
    if _is_downhill(rule):
        return holds("minus the step times the gradient is positive for all numbers in their ranges")
    return holds(
        "first steps in exact numbers go against their gradients, at the ends of ranges too", "numerical"
    )
