"""Statements over the reals decided by an SMT solver (z3, the extra `prove`).

A SymPy expression is translated: a root becomes a fresh s >= 0 with s^n = radicand, Abs, Max, Min, sign and
Piecewise become cases. A statement is about points where it is defined: radicands are given to be nonnegative
and denominators nonzero (left to itself, z3 divides by zero as it pleases), those of a piece where it counts.
What z3 proves is trusted; a model it finds is put into the statement again, exactly, before anything is
refuted.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from math import isinf
from operator import add, mul
from typing import Any

import sympy as sp

from optverify.language import Domain
from optverify.proof.outcome import Missing, NotProved, Refuted
from optverify.proof.points import Domains, in_words, value_at

SECONDS = 20
"""Time limit of one question; past it nothing is decided."""


def solver_library() -> Any:
    """The module z3. Raises Missing if it is not installed."""
    try:
        import z3
    except ImportError:
        raise Missing("z3", "prove") from None
    return z3


class _Translation:
    """SymPy to z3, with what must be added about roots and denominators in `facts`."""

    def __init__(self, z3: Any) -> None:
        self.z3 = z3
        self.facts: list[Any] = []
        self.symbols: dict[sp.Symbol, Any] = {}
        self.roots: dict[tuple[sp.Expr, int], Any] = {}

    def relation(self, statement: Any) -> Any:
        """A relational or a combination of relationals."""
        z3 = self.z3
        if statement in (True, False, sp.true, sp.false):
            return z3.BoolVal(bool(statement))
        if isinstance(statement, (sp.And, sp.Or)):
            parts = [self.relation(a) for a in statement.args]
            return (z3.And if isinstance(statement, sp.And) else z3.Or)(*parts)
        if isinstance(statement, sp.Not):
            return z3.Not(self.relation(statement.args[0]))
        left, right = (self.number(a) for a in statement.args)
        signs = {sp.Eq: "__eq__", sp.Ne: "__ne__", sp.Lt: "__lt__", sp.Le: "__le__", sp.Gt: "__gt__"}
        for kind, method in signs.items():
            if isinstance(statement, kind):
                return getattr(left, method)(right)
        if isinstance(statement, sp.Ge):
            return left >= right
        raise NotProved(f"no translation for the solver: {statement}")

    def number(self, e: sp.Expr) -> Any:
        """A real expression."""
        if e.is_Rational:
            return self.z3.RatVal(e.p, e.q)
        if e.is_Symbol:
            return self.symbols.setdefault(e, self.z3.Real(f"{e.name}_{len(self.symbols)}"))
        if e.is_Add or e.is_Mul:
            return reduce(add if e.is_Add else mul, map(self.number, e.args))
        if e.is_Pow and e.exp.is_Rational:
            return self._power(e.base, e.exp)
        return self._cases(e)

    def _cases(self, e: sp.Expr) -> Any:
        """Max, Min, Abs, sign and Piecewise, as nested cases."""
        If = self.z3.If
        if isinstance(e, sp.Piecewise) and e.args[-1][1] == sp.true:
            return self._pieces(e)
        if not isinstance(e, (sp.Max, sp.Min, sp.Abs, sp.sign)):
            raise NotProved(f"no translation for the solver: {e}")
        x, *others = map(self.number, e.args)
        if isinstance(e, sp.Max):
            return reduce(lambda a, b: If(a >= b, a, b), others, x)
        if isinstance(e, sp.Min):
            return reduce(lambda a, b: If(a <= b, a, b), others, x)
        return If(x >= 0, x, -x) if isinstance(e, sp.Abs) else If(x > 0, 1.0, If(x < 0, -1.0, 0.0))

    def _pieces(self, e: sp.Piecewise) -> Any:
        """Nested cases; that a piece is defined is given only where its condition holds."""
        z3 = self.z3
        others: list[Any] = []
        pieces: list[Any] = []
        for piece, condition in e.args:
            here = self.relation(condition)
            outside, self.facts = self.facts, []
            value = self.number(piece)
            guard = z3.And(here, *map(z3.Not, others))
            self.facts = outside + [z3.Implies(guard, fact) for fact in self.facts]
            pieces.append((here, value))
            others.append(here)
        value = pieces[-1][1]
        for here, piece in reversed(pieces[:-1]):
            value = z3.If(here, piece, value)
        return value

    def _power(self, base: sp.Expr, exponent: sp.Rational) -> Any:
        x = self.number(base) if exponent.q == 1 else self._root(base, exponent.q)
        whole = reduce(mul, [x] * abs(exponent.p))
        if exponent.p > 0:
            return whole
        self.facts.append(x != 0)
        return 1 / whole

    def _root(self, base: sp.Expr, degree: int) -> Any:
        if (base, degree) not in self.roots:
            self.roots[base, degree] = self.z3.Real(f"root_{len(self.roots)}")
        root = self.roots[base, degree]  # its facts again: those in a piece count there alone
        self.facts += [root >= 0, reduce(mul, [root] * degree) == self.number(base)]
        return root


def show_by_smt(
    statement: Any, given: Iterable[Any], what: str, domains: Domains | None = None, seconds: float = SECONDS
) -> None:
    """Show that the statement follows from what is given, for all real values of the symbols.

    statement, given: SymPy relationals or And, Or, Not of them. domains: ranges of symbols, taken for granted
    too, as are the symbols' own assumptions of sign. Raises Refuted with an exact point, NotProved where the
    solver does not know or takes longer than `seconds`, and Missing where z3 is not installed.
    """
    z3 = solver_library()
    translation = _Translation(z3)
    given = list(given)
    premises = [translation.relation(p) for p in given]
    goal = translation.relation(statement)
    for symbol in list(translation.symbols):
        premises += [translation.relation(c) for c in _assumed(symbol, (domains or {}).get(symbol))]
    solver = z3.Solver()
    solver.set("timeout", int(seconds * 1000))
    solver.set("random_seed", 0)
    solver.add(*premises, *translation.facts, z3.Not(goal))
    answer = solver.check()
    if answer == z3.unsat:
        return
    if answer == z3.sat:
        point = _rational_point(solver.model(), translation)
        if point is not None and _at(statement, point) is False and all(_at(p, point) for p in given):
            raise Refuted(f"{what} is false at {in_words(point)}")
        raise NotProved(f"the solver has a counterexample to {what} that was not confirmed exactly")
    raise NotProved(f"the solver does not know whether {what}: {solver.reason_unknown()}")


def _assumed(symbol: sp.Symbol, domain: Domain | None) -> list[Any]:
    if domain is not None:
        found = []
        if not isinf(domain.low):  # SymPy takes a float inf for 0
            low = sp.Rational(domain.low)
            found.append((sp.Gt if domain.low_open else sp.Ge)(symbol, low, evaluate=False))
        if not isinf(domain.high):
            end = sp.Lt if domain.high_open else sp.Le
            found.append(end(symbol, sp.Rational(domain.high), evaluate=False))
        return found
    if symbol.is_positive:
        return [sp.Gt(symbol, 0, evaluate=False)]
    if symbol.is_nonnegative:
        return [sp.Ge(symbol, 0, evaluate=False)]
    if symbol.is_nonzero:
        return [sp.Ne(symbol, 0, evaluate=False)]
    return []


def _rational_point(model: Any, translation: _Translation) -> dict[sp.Symbol, sp.Rational] | None:
    point = {}
    for symbol, variable in translation.symbols.items():
        value = model.eval(variable, model_completion=True)
        if not hasattr(value, "numerator_as_long"):
            return None  # an algebraic number
        point[symbol] = sp.Rational(value.numerator_as_long(), value.denominator_as_long())
        if symbol.is_integer and not point[symbol].is_integer:
            return None
    return point


def _at(statement: Any, point: dict[sp.Symbol, sp.Rational]) -> bool | None:
    return {sp.true: True, sp.false: False}.get(value_at(sp.sympify(statement), point))
