"""Two rules that do the same: one step of the one is a step of the other, seen through a change of states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isinf
from typing import Any

import sympy as sp

from optverify.claims._edge import Edge, Values
from optverify.language import Hyperparameter, Rule, grad, t, theta
from optverify.proof import NotProved, domains
from optverify.proof.enclosure import Exact, differ, text
from optverify.proof.evaluation import UNDEFINED, Compiler, Runner, in_one_dimension
from optverify.proof.limits import limit_at
from optverify.proof.points import Domains
from optverify.proof.radicals import vanishes_with_radicals
from optverify.proof.signs import has_sign

Lines = Iterable[tuple[sp.Symbol, sp.Expr]]
GRADIENTS = (1, 2, -1, 3, -4)
"""The gradients of a counterexample."""


# ---- the two rules, made comparable ----------------------------------------------------------------------


@dataclass(frozen=True)
class Side:
    """One rule of an edge: its lines with hyperparameters, inputs and named quantities replaced."""

    rule: Rule
    lines: Lines
    point: sp.Expr
    initial: Mapping[str, sp.Expr]

    def symbol(self, name: str) -> sp.Symbol:
        """The symbol of a state before an update."""
        return self.rule.state(name).before

    def step(self, known: Mapping[sp.Symbol, sp.Expr], domains: Domains) -> dict[str, sp.Expr]:
        """State -> its value after an update in which the symbols in `known` have those values."""
        values = dict(known)
        for lhs, rhs in self.lines:
            values[lhs] = settled(_put(rhs, values), domains)
        return {s.name: values[s.now] for s in (theta, *self.rule.states)}


def _put(e: sp.Expr, values: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    """e with these values. NotProved where it has no value: a comparison with 1/0, say."""
    try:
        return e.xreplace(dict(values))
    except TypeError as failed:
        raise NotProved(f"{e}: {failed}") from None


def settled(e: sp.Expr, domains: Domains) -> sp.Expr:
    """e with 1 for signs of what is positive, x for maxima of 0 and x >= 0 and for sign(x) |x|."""
    if e.has(sp.sign):
        signs = e.atoms(sp.sign)
        e = e.xreplace({x: sp.Integer(1) for x in signs if has_sign(x.args[0], domains, strict=True)})
    if zeros := [x for x in e.atoms(sp.Max) if 0 in x.args]:
        above = {x: sp.Max(*(a for a in x.args if a != 0)) for x in zeros}
        e = e.xreplace({x: rest for x, rest in above.items() if has_sign(rest, domains, strict=False)})
    if e.has(sp.sign) and e.has(sp.Abs):
        e = e.replace(lambda x: x.is_Mul, _signs_joined)
    return e


def _signs_joined(product: sp.Expr) -> sp.Expr:
    """sign(x) |x| is x."""
    for factor in product.args:
        if isinstance(factor, sp.sign) and sp.Abs(factor.args[0]) in product.args:
            return product / (factor * sp.Abs(factor.args[0])) * factor.args[0]
    return product


def side(rule: Rule, where: Values, edge: Edge, names: Mapping[sp.Symbol, sp.Expr]) -> Side:
    """The rule with what `where` replaces. NotProved if it has no such thing."""
    values: dict[sp.Symbol, sp.Expr] = {}
    fixed: dict[str, sp.Expr] = {}
    known = {h.name: h.symbol for h in rule.every_hyperparameter} | {i.name: i.now for i in rule.every_input}
    assigned = {lhs.name for lhs, _ in rule.assignments}
    for name, value in where.items():
        if name in known:
            values[known[name]] = sp.sympify(value).xreplace(names)
        elif f"{name}_t" in assigned:
            fixed[f"{name}_t"] = sp.sympify(value)
        else:
            raise NotProved(f"rule {rule.name!r} has no {name} here")
    if where is edge.where:
        values[grad] = edge.gradient
    shaped = in_one_dimension if edge.scalar else lambda e: e
    lines: Lines = tuple(
        (lhs, fixed.get(lhs.name, _put(shaped(rhs), values))) for lhs, rhs in rule.assignments
    )
    if where is edge.where and edge.limit is not None:
        lines = tuple(limits(lines, *edge.limit))
    initial = {s.name: sp.sympify(s.initial).xreplace(values) for s in rule.states}
    return Side(rule, tuple(lines), rule.gradient_point.xreplace(values), initial)


def limits(lines: Lines, symbol: sp.Symbol, end: Any) -> Iterator[tuple[sp.Symbol, sp.Expr]]:
    """The limit of each line: what is assigned depends continuously on what it reads.

    What tends to infinity may be read by maxima and minima alone.
    """
    infinite: dict[sp.Symbol, sp.Expr] = {}
    for lhs, rhs in lines:
        e = limit_at(rhs.xreplace(infinite), symbol, end)
        if e.has(sp.oo, -sp.oo):
            if e not in (sp.oo, -sp.oo):
                raise NotProved(f"{lhs} has no finite limit")
            infinite[lhs] = e
        yield lhs, e


@dataclass(frozen=True)
class Pair:
    """Both sides, and the change of states.

    change: state of larger -> its value in the states of smaller and t, the number of updates made; a fresh
    symbol where it may be anything. known: those that are given.
    """

    smaller: Side
    larger: Side
    change: Mapping[str, sp.Expr]
    known: tuple[str, ...]
    domains: Domains

    def image(self, name: str, states: Mapping[str, sp.Expr], count: sp.Expr) -> sp.Expr:
        """What a state of larger must be after `count` updates if those of smaller are these."""
        values = {self.smaller.symbol(n): e for n, e in states.items()}
        return self.change[name].xreplace({**values, t: count})


def pair(edge: Edge, smaller: Rule, larger: Rule) -> Pair:
    """Make both sides of an edge."""
    if not edge.scalar and (smaller.needs_matrix or larger.needs_matrix):
        raise NotProved("an edge about numbers says nothing of matrices")
    _show_in_range(edge, smaller, larger)
    names = {sp.Symbol(h.name): h.symbol for h in smaller.hyperparameters}
    one = side(smaller, edge.given, edge, names)
    two = side(larger, edge.where, edge, names)
    ours = {s.name: s.before for s in (theta, *smaller.states)}
    names |= {sp.Symbol(name): symbol for name, symbol in ours.items()}
    theirs = {s.name: s for s in (theta, *larger.states)}
    if missing := set(edge.states) - set(theirs):
        raise NotProved(f"rule {larger.name!r} has no state {', '.join(sorted(missing))} here")
    change, known = {}, []
    for name, state in theirs.items():
        image = edge.states.get(name, ours.get(name))
        if image is None:
            change[name] = sp.Dummy(name, **state.before.assumptions0)
        else:
            change[name] = _resolved(image, names, smaller)
            known.append(name)
    return Pair(one, two, change, tuple(known), domains(smaller))


def _resolved(image: Any, names: Mapping[sp.Symbol, sp.Expr], rule: Rule) -> sp.Expr:
    """A value for a state, with the states and hyperparameters of the rule for their names."""
    value = sp.sympify(image).xreplace(dict(names))
    read = {t, *names.values(), *(h.symbol for h in rule.every_hyperparameter)}
    if strange := value.free_symbols - read:
        raise NotProved(f"rule {rule.name!r} has no {', '.join(sorted(map(str, strange)))} here")
    return value


def _show_in_range(edge: Edge, smaller: Rule, larger: Rule) -> None:
    """The values of the larger rule must lie in their ranges, ends included."""
    numbers = trial(smaller, edge.given)
    for h in larger.hyperparameters:
        if h.name not in edge.where:
            continue
        for k in (1, 2, 3):
            value = sp.sympify(edge.where[h.name]).xreplace(numbers | {t: sp.Integer(k)})
            below = not isinf(h.domain.low) and (value < h.domain.low) == True  # noqa: E712
            above = not isinf(h.domain.high) and (value > h.domain.high) == True  # noqa: E712
            if below or above:
                raise NotProved(f"{h.name} = {value} is out of its range, {h.domain}, at t = {k}")


# ---- the proof ---------------------------------------------------------------------------------------------


def show_inclusion(edge: Edge, both: Pair) -> None:
    """Show that every step of larger is that of smaller, seen through the change of states.

    By induction: the first update from the initial states, and every later one for symbolic t.
    """
    start = theta.before if edge.start is None else sp.sympify(edge.start)
    k = sp.Symbol("k", integer=True, positive=True)
    ours = {"theta": start} | _initial(both.smaller, start)
    theirs = {"theta": start} | _initial(both.larger, start)
    _show_step(edge, both, ours, theirs, sp.Integer(1))
    ours = {s.name: s.before for s in (theta, *both.smaller.rule.states)}
    theirs = {name: both.image(name, ours, k) for name in both.change}
    _show_step(edge, both, ours, theirs, k + 1)


def _initial(side: Side, start: Any) -> dict[str, sp.Expr]:
    return {name: e.xreplace({theta.before: start}) for name, e in side.initial.items()}


def _show_step(edge: Edge, both: Pair, ours: Values, theirs: Values, time: sp.Expr) -> None:
    """Show that an update at this time keeps the states in step, and that both look at the same gradient."""
    factors = _positive_factors(both.smaller.rule)
    ours_too = {h.symbol for h in both.smaller.rule.hyperparameters} | {edge.limit[0] if edge.limit else None}
    positive = {h.symbol: sp.Dummy(h.name, positive=True) for h in both.larger.rule.hyperparameters
                if h.domain.low == 0 and h.domain.low_open and h.symbol not in ours_too}  # fmt: skip
    one = {both.smaller.symbol(n): e for n, e in ours.items()} | {t: time}
    two = {both.larger.symbol(n): e for n, e in theirs.items()} | {t: time}
    points = both.larger.point.xreplace(two), both.smaller.point.xreplace(one)
    _show_same(*points, f"the gradient point of update {time}", factors)
    for gradient in edge.gradients(ours):
        shared = {grad: gradient.xreplace(one), **positive}
        new = both.smaller.step(shared | one, both.domains)
        found = both.larger.step(shared | two, both.domains)
        for name in both.known:
            image = both.image(name, new, time)
            _show_same(found[name], image, f"{name} after update {time}", factors)


def _positive_factors(rule: Rule) -> dict[sp.Symbol, sp.Expr]:
    """Each decay rate b in [0, 1) -> 1 - c with a positive c: then the root of 1 - b can be split off."""
    return {
        h.symbol: 1 - sp.Dummy(f"1-{h.name}", positive=True)
        for h in rule.hyperparameters
        if h.domain.high == 1 and h.domain.high_open
    }


def _show_same(left: sp.Expr, right: sp.Expr, what: str, factors: Mapping[Any, Any]) -> None:
    if left != right and not vanishes_with_radicals(left - right, factors):
        raise NotProved(f"not shown that {what} is the same")


# ---- counterexamples ---------------------------------------------------------------------------------------

EXACT = Exact()
Numbers = dict[sp.Symbol, Fraction]


def trial(rule: Rule, given: Values) -> dict[sp.Symbol, sp.Expr]:
    """Numbers for the hyperparameters, all different and in their ranges; `given` on top."""
    numbers = {h.symbol: _inside(h, k) for k, h in enumerate(rule.hyperparameters, 2)}
    names = {sp.Symbol(h.name): h.symbol for h in rule.hyperparameters}
    fixed = {h.symbol: sp.sympify(given[h.name]) for h in rule.hyperparameters if h.name in given}
    return numbers | {s: e.xreplace(names).xreplace(numbers) for s, e in fixed.items()}


def _inside(h: Hyperparameter, k: int) -> sp.Rational:
    low = sp.Integer(0) if isinf(h.domain.low) else sp.Rational(h.domain.low)
    return low + sp.Rational(1, k) if float(low + sp.Rational(1, k)) in h.domain else low + 1


@dataclass(frozen=True)
class Difference:
    """Where two runs part, after `step` updates: `what` is `small` by the one and `large` by the other.

    rational: both are, so that anyone can check them; else they are enclosed in intervals.
    """

    step: int
    what: str
    small: str
    large: str
    rational: bool

    def __str__(self) -> str:
        return f"{self.what} is {self.small} by the one and {self.large} by the other"


def difference(edge: Edge, both: Pair) -> Difference | None:
    """The first known state, or gradient point, that is not what it should be in an exact run, or None."""
    numbers = _numbers(edge, both)
    start = Fraction(1 if edge.start is None else edge.start)
    gradients = [Fraction(x) for x in GRADIENTS]
    ours, theirs = (_run(side, start, gradients, numbers) for side in (both.smaller, both.larger))
    compiled = Compiler(EXACT)
    images = {name: compiled(both.change[name]) for name in sorted(both.known, key="theta".__ne__)}
    points = compiled(both.smaller.point), compiled(both.larger.point)
    for k, (one, two) in enumerate(zip(ours, theirs, strict=False)):
        seen = {**numbers, **{both.smaller.symbol(n): v for n, v in one.items()}, t: Fraction(k)}
        found = {**numbers, **{both.larger.symbol(n): v for n, v in two.items()}, t: Fraction(k)}
        for name, image in images.items() if k else ():
            if differ(image(seen), two[name]):
                return _difference(k, f"{name}_{k}", image(seen), two[name])
        seen[t] = found[t] = Fraction(k + 1)
        at = points[0](seen), points[1](found)
        if differ(*at):
            return _difference(k, f"the gradient point of update {k + 1}", *at)
    return None


def _difference(step: int, what: str, small: Any, large: Any) -> Difference:
    rational = isinstance(small, Fraction) and isinstance(large, Fraction)
    return Difference(step, what, _text(small), _text(large), rational)


def _numbers(edge: Edge, both: Pair) -> Numbers:
    """A number for every symbol that is neither a state nor time."""
    exact = trial(both.smaller.rule, edge.given)
    sides = (both.smaller, both.larger)
    written = [e for x in sides for e in (*dict(x.lines).values(), *x.initial.values(), x.point)]
    read = {s for e in (*written, *both.change.values()) for s in e.free_symbols}
    for k, symbol in enumerate(sorted(read - exact.keys(), key=str), 11):
        exact.setdefault(symbol, sp.Rational(1, k))
    return {s: Fraction(int(v.p), int(v.q)) for s, v in exact.items() if v.is_Rational}


def _run(side: Side, start: Fraction, gradients: list[Fraction], numbers: Numbers) -> Iterator[Values]:
    states = tuple(replace(s, initial=side.initial.get(s.name, s.initial)) for s in side.rule.every_state)
    rule = replace(side.rule, assignments=tuple(side.lines), gradient_point=side.point, every_state=states)
    runner = Runner(rule, EXACT)
    return runner.run(gradients, start, lambda step: numbers)


def _text(value: Any) -> str:
    return "undefined" if value is UNDEFINED else text(value, 12)
