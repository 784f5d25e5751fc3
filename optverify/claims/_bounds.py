"""Which states stay bounded while gradients are: bounds by induction, and states that grow without one.

|g_t| <= G. A state of the form a s + w with 0 <= a < 1 stays within max(|s_0|, W/(1 - a)), one of the form
a s + (1 - a) x within max(|s_0|, X), whatever a in [0, 1] is at each time. Rules with norms and products of
matrices are read in one dimension.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import sympy as sp

from optverify.claims._claim import Decision, holds, refuted
from optverify.claims._trials import EXACT, THIRD, base_of, given, in_words, substituted, trial
from optverify.language import Rule, State, grad, t, theta
from optverify.proof import NotProved, Refuted
from optverify.proof.enclosure import sign_of
from optverify.proof.enclosure import text as in_digits
from optverify.proof.evaluation import UNDEFINED, Runner, entries, in_one_dimension
from optverify.proof.floats import Floats

G = sp.Symbol("G", positive=True)
"""The largest gradient."""
FLOATS, LONG = Floats(), 150
HALF = sp.Rational(1, 2)
Bounds = dict[sp.Symbol, sp.Expr]


@dataclass(frozen=True)
class Growth:
    """What becomes of a state.

    kind: "at most" (limit: the bound), "grows", "fixed", "follows ...", or "seen to ...", if only a run says.
    """

    kind: str
    limit: sp.Expr | None = None

    def __str__(self) -> str:
        return self.kind if self.limit is None else f"{self.kind} {self.limit}"


# ---- sizes of expressions --------------------------------------------------------------------------------


class Sizes:
    """Upper bounds of |e| and lower bounds of e > 0, given those of the states. None: not known.

    Hyperparameters that may be 0 count as positive.
    """

    def __init__(self, rule: Rule, bounds: Bounds) -> None:
        shares = [h for h in rule.every_hyperparameter if h.domain.low >= 0 and h.domain.high <= 1]
        self.unit = {h.symbol for h in shares}
        self.below_one = {h.symbol for h in shares if h.domain.high_open}
        self.fixed = {h.symbol for h in rule.every_hyperparameter}
        self.bounds = bounds

    def _constant(self, e: sp.Expr) -> bool:
        return bool(e.free_symbols <= self.fixed)

    def _decays(self, e: sp.Expr) -> bool:
        """True for beta^t and what is smaller: it is beta at most."""
        return bool(e.is_Pow and e.base in self.unit and (e.exp - t).is_nonnegative)

    def is_share(self, e: sp.Expr) -> bool:
        """True when 0 <= e <= 1 is shown."""
        if e.is_Number:
            return bool(0 <= e <= 1)
        if e.is_Symbol:
            return e in self.unit
        if e.is_Pow:
            base, exponent = e.args
            falling = base == t and (-exponent).is_nonnegative
            return bool(falling or (exponent.is_nonnegative and self.is_share(base)))
        if e.is_Mul:
            return all(map(self.is_share, e.args))
        if isinstance(e, sp.Min):
            return any(map(self.is_share, e.args)) and all(map(self.nonnegative, e.args))
        return bool(e.is_Add and len(e.args) == 2 and e.args[0] == 1 and self.is_share(-e.args[1]))

    def nonnegative(self, e: sp.Expr) -> bool:
        """True when e >= 0 is shown, wherever e has a value."""
        if e.is_nonnegative or isinstance(e, sp.exp) or (e.is_Pow and e.exp in (HALF, -HALF)):
            return True
        if e.is_Mul:
            return all(map(self.nonnegative, e.args))
        if e.is_Pow:
            return self.nonnegative(e.base)
        return self.is_share(e) or self.below(e) is not None

    def above(self, e: sp.Expr) -> sp.Expr | None:  # noqa: PLR0911 -- a kind of expression each
        """B with |e| <= B."""
        if e.is_Number:
            return abs(e)
        if e == grad:
            return G
        if e in self.bounds:
            return self.bounds[e]
        if e.is_Symbol:
            return e if e in self.fixed and e.is_nonnegative else None
        if self._decays(e):
            return e.base
        if e.is_Add and self._constant(e) and self.is_share(e):
            return e
        if e.is_Pow:
            return self._power(e.base, e.exp)
        if isinstance(e, (sp.Max, sp.Min)):
            return self._extremum(e)
        if isinstance(e, sp.sign):
            return sp.Integer(1)
        parts = [v for v, _ in e.args] if e.is_Piecewise else e.args
        sizes = [self.above(a) for a in parts]
        if any(s is None for s in sizes):
            return None
        if e.is_Add or e.is_Mul:
            return e.func(*sizes)
        if e.is_Piecewise:
            return sp.Max(*sizes)
        return sizes[0] if isinstance(e, sp.Abs) else None

    def _power(self, base: sp.Expr, exponent: sp.Expr) -> sp.Expr | None:
        if exponent.is_negative or (-exponent).is_nonnegative:
            low = self.below(base)
            return None if low is None else low**exponent
        high = self.above(base) if exponent.is_nonnegative and self._constant(exponent) else None
        return None if high is None else high**exponent

    def _extremum(self, e: sp.Expr) -> sp.Expr | None:
        inner = next((a for a in e.args if isinstance(a, sp.Min)), None)
        if inner is not None and len(e.args) == len(inner.args) == 2:  # Max(-c, Min(x, c)) is x, shortened
            (limit,) = (a for a in e.args if a != inner)
            rest = [a for a in inner.args if a != -limit]
            return self.above(rest[0]) if len(rest) == 1 and self.nonnegative(-limit) else None
        sizes = [self.above(a) for a in e.args]
        known = [s for s in sizes if s is not None]
        if isinstance(e, sp.Min) and known and all(map(self.nonnegative, e.args)):
            return sp.Min(*known)
        return sp.Max(*known) if len(known) == len(sizes) else None

    def below(self, e: sp.Expr) -> sp.Expr | None:  # noqa: PLR0911
        """B > 0 with e >= B; an epsilon counts as positive."""
        if e.is_Number:
            return e if e > 0 else None
        if e.is_Symbol:
            return sp.Integer(1) if e == t else e if e in self.fixed and e.is_nonnegative else None
        if e.is_Add and e.args[0] == 1 and len(e.args) == 2:
            share = -e.args[1]
            if self._decays(share):
                return 1 - share.base
            if self._constant(share) and self.is_share(share):
                return e
        if e.is_Add:
            lows = [self.below(a) for a in e.args]
            open_terms = [
                a for a, low in zip(e.args, lows, strict=True) if low is None and not self.nonnegative(a)
            ]
            known = [low for low in lows if low is not None]
            return sp.Add(*known) if known and not open_terms else None
        if isinstance(e, sp.Max):
            known = [low for a in e.args if (low := self.below(a)) is not None]
            return known[0] if known else None
        if e.is_Mul:
            lows = [self.below(a) for a in e.args]
            return None if any(low is None for low in lows) else sp.Mul(*lows)
        if e.is_Pow and e.exp.is_positive:
            low = self.below(e.base)
            return None if low is None else low**e.exp
        return None


# ---- states ----------------------------------------------------------------------------------------------


def _after(rule: Rule) -> dict[sp.Symbol, sp.Expr]:
    """Each new state over the old ones, in one dimension."""
    values: dict[sp.Symbol, sp.Expr] = {}
    for lhs, rhs in rule.assignments:
        values[lhs] = substituted(in_one_dimension(rhs), values)
    after = {s.before: values[s.now] for s in rule.states}
    for one, other in combinations(rule.states, 2):
        if after[one.before] == after[other.before] and one.initial == other.initial:  # then they are equal
            alike = {other.before: one.before}
            after[one.before] = after[one.before].xreplace(alike)
            after[other.before] = after[other.before].xreplace({one.before: other.before})
    return after


def _bounded(e: sp.Expr, state: State, sizes: Sizes) -> sp.Expr | None:
    """A bound that an update to e keeps, if there is one."""
    if not e.has(state.before) or isinstance(e, sp.sign):
        return sizes.above(e)
    if not e.is_Piecewise and not isinstance(e, (sp.Max, sp.Min)):
        return _affinely_bounded(e, state, sizes)
    parts = [v for v, _ in e.args] if e.is_Piecewise else list(e.args)
    limits = [_bounded(p, state, sizes) for p in parts if p not in (state.before, -state.before)]
    known = [limit for limit in limits if limit is not None]
    if isinstance(e, sp.Min) and known and all(map(sizes.nonnegative, parts)):
        return sp.Min(*known)
    return sp.Max(*known) if len(known) == len(limits) else None


def _affinely_bounded(e: sp.Expr, state: State, sizes: Sizes) -> sp.Expr | None:
    share = sp.diff(e, state.before)
    if share.has(state.before) or (share.is_Number and share == 1) or not sizes.is_share(share):
        return None
    rest = substituted(e, {state.before: sp.Integer(0)})
    terms = [term / (1 - share) for term in sp.Add.make_args(rest)]
    if not any(term.has(1 - share) for term in terms):
        return sizes.above(sp.Add(*terms))
    size = sizes.above(rest)
    if size is None or not share.free_symbols <= sizes.below_one or share.is_Number:
        return size if size == 0 else None
    return size / (1 - share)


def _grows(e: sp.Expr, state: State, sizes: Sizes) -> bool:
    """True when the state, or its square, gains at least a fixed amount under a constant gradient 1."""
    e = substituted(e, {grad: sp.Integer(1)})
    for gain in (e - state.before, sp.expand(e**2 - state.before**2)):
        steady = gain.is_positive and not gain.has(t)
        if not gain.has(state.before) and (steady or sizes.below(gain) is not None):
            return True
    return False


def growths(rule: Rule) -> dict[str, Growth]:
    """What becomes of each state; bounds of one are used for those of the next."""
    after, found, bounds = _after(rule), dict[str, Growth](), Bounds()
    for _ in rule.states:
        sizes = Sizes(rule, bounds)
        for state in rule.states:
            if state.name not in found and (growth := _growth(after[state.before], state, sizes)):
                found[state.name] = growth
                if growth.limit is not None:
                    bounds[state.before] = growth.limit
    names = {name for name, growth in found.items() if growth.kind == "follows theta"}
    for state in rule.states:
        if state.name not in found and any(after[state.before].has(rule.state(n).before) for n in names):
            found[state.name] = Growth(f"follows {', '.join(sorted(names))}")
    if left := [s.name for s in rule.states if s.name not in found]:
        found |= _seen(rule, left)
    return {s.name: found[s.name] for s in rule.states}


def _seen(rule: Rule, names: list[str]) -> dict[str, Growth]:
    """For what no proof was found: whether they still grow late in a long run."""
    signs = FLOATS.array(
        [[1, (-1) ** k, 1 if k % 7 else -1, 1 if k % 3 == 0 else 0] for k in range(2 * LONG)]
    )
    numbers = {name: float(value) for name, value in trial(rule).items()}
    fixed = {h.symbol: numbers[h.name] for h in rule.every_hyperparameter}
    fixed |= {i.now: 1.0 for i in rule.inputs}
    with np.errstate(all="ignore"):
        history = list(Runner(rule, FLOATS, one_dimensional=True).run(signs, signs[0], lambda step: fixed))
    found = {}
    for name in names:
        sizes = [float(np.max(np.nan_to_num(np.abs(states[name]), nan=np.inf))) for states in history]
        grew = max(sizes[LONG:]) > 1.2 * max(sizes[:LONG])
        found[name] = Growth("seen to grow" if grew else "seen to stay bounded")
    return found


def _growth(e: sp.Expr, state: State, sizes: Sizes) -> Growth | None:
    if e == state.before:
        return Growth("fixed")
    if e.has(theta.before) or state.initial == theta.before:
        return Growth("follows theta")
    if _grows(e, state, sizes):
        return Growth("grows")
    limit = _bounded(e, state, sizes)
    if limit is None:
        return None
    limit = min(limit, sp.expand(limit), key=lambda x: x.count_ops())
    start = sp.sympify(state.initial)
    return Growth("at most", limit if start == 0 else sp.Max(start, limit))


def in_text(rule: Rule) -> str:
    """`m at most G, v at most G**2`."""
    return ", ".join(f"{name} {growth}" for name, growth in growths(rule).items())


# ---- the claim -------------------------------------------------------------------------------------------


def _exceeded(rule: Rule, limits: dict[str, Growth]) -> str | None:
    """A bounded state of the registered rule that this one drives beyond its bound, in words."""
    gradients = [
        EXACT.array([THIRD * k for k in row]) for row in ((3, 3), (3, -3), (3, 3), (3, -3), (3, 3), (3, 0))
    ]
    numbers = trial(rule)
    at = given(rule, numbers, 2)
    exact = {h.symbol: sp.Rational(numbers[h.name].numerator, numbers[h.name].denominator)
             for h in rule.every_hyperparameter} | {G: sp.Integer(1)}  # fmt: skip
    tops: dict[str, Any] = {}
    for name, growth in limits.items():
        if growth.limit is not None:
            value = growth.limit.xreplace(exact)
            tops[name] = EXACT.number(value) if value.is_Rational else None
    runner = Runner(rule, EXACT, one_dimensional=True)
    for step, states in enumerate(runner.run(gradients, gradients[0], at)):
        for name, top in tops.items():
            for x in entries(states[name]) if top is not None else ():
                if x is UNDEFINED or sign_of(x - top) > 0 or sign_of(-1 * x - top) > 0:
                    what = f"{name} is {in_digits(x)} after {step} gradients of size 1, beyond {top}"
                    return f"{what}, with {in_words(rule, numbers)}"
    return None


def _growing(found: dict[str, Growth]) -> list[str]:
    return [name for name, growth in found.items() if growth.kind in ("grows", "seen to grow")]


def decide_bounded(rule: Rule, pinned: str | None) -> Decision:
    """Bounds by induction, growth by a constant gain; a changed rule is run against the stated bounds."""
    found, words = growths(rule), in_text(rule)
    if pinned is not None and words != pinned:
        _show_changed(rule, found, pinned)
    proved = not any(growth.kind.startswith("seen") for growth in found.values())
    if grown := _growing(found):
        gain = "gains a fixed amount" if proved else "keeps growing"
        return refuted(
            f"with gradient 1 at every update {', '.join(grown)} {gain}; {words}",
            "proved" if proved else "numerical",
        )
    return holds(f"{words}, where |g_t| <= G", "proved" if proved else "numerical")


def _show_changed(rule: Rule, found: dict[str, Growth], pinned: str) -> None:
    """Go on only if another state grows than is written down: bounds may differ in form alone."""
    base = base_of(rule)
    if in_text(base) != pinned:
        raise Refuted(f"{in_text(rule)}; written down is {pinned}")
    stated = growths(base)
    if _growing(found) != _growing(stated):
        return
    if (words := _exceeded(rule, stated)) is not None:
        raise Refuted(words)
    raise NotProved(f"not shown that {pinned}: found {in_text(rule)}")
