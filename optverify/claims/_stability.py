"""For which curvatures a rule is stable on f(theta) = lambda theta^2/2, in one dimension, at its defaults."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from optverify.claims._claim import Decision, holds
from optverify.claims._trials import EXACT, base_of, trial
from optverify.language import Hyperparameter, Rule, lr, t, theta
from optverify.proof import NotProved, Refuted, is_schur, schur_conditions
from optverify.proof.enclosure import differ
from optverify.proof.evaluation import UNDEFINED, Runner, entries
from optverify.proof.floats import Floats
from optverify.proof.stability import z
from optverify.views.linear import step_matrix

s = sp.Symbol("s", positive=True)
"""lr times the curvature."""
UPDATES, FAR = 200, 1000.0
FLOATS = Floats()
COARSE = 2.0 ** (np.arange(-8, 25) / 4)
"""1/4 to 64, in steps of a fourth of an octave."""


def _default(rule: Rule, h: Hyperparameter) -> Fraction:
    return trial(rule)[h.name] if h.default is None else Fraction(str(h.default))


# ---- linear rules: the roots of the step's polynomial ----------------------------------------------------


def _looks_linear(rule: Rule) -> bool:
    """False for a rule whose step is not additive at an exact point, or changes with time: cheap to know."""
    numbers = {h.symbol: _default(rule, h) for h in rule.every_hyperparameter}
    states = [s.before for s in (theta, *rule.states)]
    points = [(Fraction(k + 1, 3), Fraction(-2, k + 2)) for k in range(len(states))]
    now = {x: EXACT.array([a, b, a + b, 0 * a]) for x, (a, b) in zip(states, points, strict=True)}
    runner = Runner(rule, EXACT, one_dimensional=True)
    try:
        first, later = (runner.update(now, numbers, step, lambda x: x) for step in (2, 5))
    except (NotProved, KeyError):  # an open sign; an input besides the gradient
        return False
    for x in states:
        a, b, both, none = entries(first[x]) if isinstance(first[x], np.ndarray) else (first[x],) * 4
        if UNDEFINED in (a, b, both, none) or differ(a + b, both) or differ(none, Fraction(0)):
            return False
        if any(differ(p, q) for p, q in zip(entries(first[x]), entries(later[x]), strict=True)):
            return False
    return True


def polynomial(rule: Rule) -> sp.Poly | None:
    """The characteristic polynomial of a step in z, over s; None for a rule that is not linear."""
    if not _looks_linear(rule):
        return None
    numbers = {h.symbol: sp.Rational(str(_default(rule, h))) for h in rule.every_hyperparameter}
    try:
        matrix = step_matrix(rule, s / numbers[lr] if lr in numbers else s)
    except ValueError:
        return None
    if matrix.has(t):
        return None
    return matrix.xreplace(numbers).charpoly(z)


def region(p: sp.Poly) -> str:
    """The Schur conditions that are not always true, as text; `s < 2` where each is linear."""
    ends, others = [], []
    for condition in schur_conditions(p):
        above, below = sp.fraction(sp.together(condition))
        for factor, _ in (f for e in (above, below) for f in sp.factor_list(e)[1]):
            q = sp.Poly(factor, s)
            signs = {sp.sign(c) for c in q.coeffs()}
            if len(signs) == 1:  # no root s > 0
                continue
            if q.degree() == 1:
                ends.append(-q.nth(0) / q.nth(1))
            else:
                others.append(str(factor))
    end = f"s < {min(ends)}" if ends else ""
    return " and ".join(filter(None, [end, *sorted(set(others))])) or "always"


def _decide_linear(p: sp.Poly, rule: Rule, pinned: str) -> Decision:
    found = f"stable iff {region(p)}"
    if found == pinned:
        return holds(f"{found}, where s is lr times the curvature and the rest are the defaults")
    stated = polynomial(base_of(rule))
    if stated is None or f"stable iff {region(stated)}" != pinned:
        raise Refuted(f"{found}; written down is: {pinned}")
    for k in range(1, 48):
        at = {s: sp.Rational(k, 6)}
        here, there = (is_schur(sp.Poly(q.as_expr().xreplace(at), z)) for q in (p, stated))
        if here != there:
            fact = "stable" if here else "not stable"
            raise Refuted(f"{fact} at lr lambda = {k}/6, against what is written down: {pinned}")
    raise NotProved(f"not shown that the region is the one written down: {found}")


# ---- other rules: long runs --------------------------------------------------------------------------------


def final_sizes(rule: Rule, curvatures: Any) -> Any:
    """|theta| after many updates from 1, for each lr * lambda; inf where it has no value."""
    rate = float(_default(rule, next(h for h in rule.every_hyperparameter if h.name == "lr")))
    slope = curvatures / rate
    numbers = {h.symbol: float(_default(rule, h)) for h in rule.every_hyperparameter}
    losses = [h.symbol for h in rule.every_hyperparameter if h.default is None and h.domain.low < 0]
    copies = [state for state in rule.states if state.initial == theta.before]
    runner = Runner(rule, FLOATS, one_dimensional=True)
    now = runner.start(np.ones_like(slope), numbers)
    for step in range(1, UPDATES + 1):
        point = now[theta.before]
        held = now[copies[0].before] if copies else point
        given = {**numbers, **dict.fromkeys(losses, slope * point**2 / 2)}
        given |= {i.now: slope * held for i in rule.every_input}
        now = runner.update(now, given, step, lambda x: slope * x)
    sizes = np.abs(np.broadcast_to(now[theta.before], slope.shape))
    return np.where(np.isfinite(sizes), sizes, np.inf)


def threshold(rule: Rule) -> str:
    """Where the runs begin to diverge, in words."""
    with np.errstate(all="ignore"):
        far = final_sizes(rule, COARSE) > FAR
        if not far.any():
            return f"no run leaves for lr lambda <= {COARSE[-1]:g}"
        first = int(np.argmax(far))
        if first == 0:
            return f"runs leave from lr lambda = {COARSE[0]:g} on, or before"
        fine = np.linspace(COARSE[first - 1], COARSE[first], 9)
        later = final_sizes(rule, fine) > FAR
        return f"runs leave from lr lambda = {fine[int(np.argmax(later))]:.3g} on"


def in_text(rule: Rule) -> str:
    """The region of a linear rule, or the threshold of another."""
    p = polynomial(rule)
    return threshold(rule) if p is None else f"stable iff {region(p)}"


def decide_stability(rule: Rule, pinned: str | None) -> Decision:
    """Schur's conditions for a linear rule, runs in floats for another."""
    if pinned is None:
        raise NotProved(
            f"new: nothing is written down yet for {rule.name!r} (python -m optverify.claims.pin)"
        )
    p = polynomial(rule)
    if p is not None:
        return _decide_linear(p, rule, pinned)
    if (found := threshold(rule)) == pinned:
        return holds(f"from theta = 1, {UPDATES} updates at the defaults: {found}", "numerical")
    raise Refuted(f"{found}; written down is: {pinned}")
