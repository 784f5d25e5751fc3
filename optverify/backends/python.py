"""The assignments of a rule as Python source: a line an assignment, in the names of the paper."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy as sp
from sympy.printing.codeprinter import CodePrinter
from sympy.printing.precedence import PRECEDENCE

from optverify.backends.textbook import Textbook
from optverify.language import Rule, grad, theta
from optverify.language.notation import code_name, is_scalar

FUNCTIONS = {"Max": "maximum", "Min": "minimum", "Abs": "abs", "sign": "sign", "exp": "exp", "log": "log"}
BUILT_IN = {"math.maximum": "max", "math.minimum": "min", "math.abs": "abs"}
IEEE = {"math.maximum": "larger", "math.minimum": "smaller"}
"""In their place where a number may be NaN, which Python's `max` may drop."""


class PythonSource(Textbook, CodePrinter):  # type: ignore[misc]
    """Python in textbook order; functions are NumPy's names, a Piecewise on scalars is a conditional.

    SymPy's own NumPy printer orders sums and products alphabetically and hides conditions in `select`,
    which evaluates every branch.
    """

    language = "Python"
    printmethod = "_pythoncode"

    def __init__(self, names: dict[sp.Symbol, str], ieee: bool = False) -> None:
        super().__init__()
        self.names, self.ieee = names, ieee

    def _format_code(self, lines: list[str]) -> list[str]:
        return lines

    def _print_Pow(self, e: sp.Pow) -> str:
        if e.exp == sp.Rational(1, 2):
            return f"{_module(e)}sqrt({self._print(e.base)})"
        if e.exp.could_extract_minus_sign():
            return f"1/{self.parenthesize(sp.Pow(e.base, -e.exp), PRECEDENCE['Mul'])}"
        if self.ieee and e.exp == 2 and is_scalar(e):
            return f"square({self._print(e.base)})"
        return (
            f"{self.parenthesize(e.base, PRECEDENCE['Pow'])}**{self.parenthesize(e.exp, PRECEDENCE['Pow'])}"
        )

    def _print_Integer(self, e: sp.Integer) -> str:
        return str(int(e))

    def _print_Rational(self, e: sp.Rational) -> str:
        return repr(float(e))  # a Python float is weak: it keeps float32

    _print_Float = _print_Rational

    def _print_NumberSymbol(self, e: sp.NumberSymbol) -> str:
        return repr(float(e))

    def _print_Function(self, e: sp.Function) -> str:
        name = f"{_module(e)}{FUNCTIONS[e.func.__name__]}"
        name = {**BUILT_IN, **(IEEE if self.ieee else {})}.get(name, name)
        code = self._print(e.args[0])
        for argument in e.args[1:]:
            code = f"{name}({code}, {self._print(argument)})"
        return code if len(e.args) > 1 else f"{name}({code})"

    _print_Max = _print_Min = _print_Abs = _print_sign = _print_Function

    def _print_Piecewise(self, e: sp.Piecewise) -> str:
        *cases, (last, _) = e.args
        code = self._print(last)
        for value, condition in reversed(cases):
            if is_scalar(condition):
                code = f"({self._print(value)} if {self._print(condition)} else {code})"
            else:
                code = f"where({self._print(condition)}, {self._print(value)}, {code})"
        return str(code)

    def _print_Mod(self, e: sp.Mod) -> str:
        return " % ".join(self.parenthesize(a, PRECEDENCE["Mul"]) for a in e.args)

    def _print_And(self, e: sp.And) -> str:
        return " & ".join(f"({self._print(a)})" for a in sorted(e.args, key=sp.default_sort_key))

    def _print_Or(self, e: sp.Or) -> str:
        return " | ".join(f"({self._print(a)})" for a in sorted(e.args, key=sp.default_sort_key))


def _module(e: sp.Expr) -> str:
    """Scalars stay Python floats: NumPy's sqrt would make a float64 that promotes float32 arrays."""
    return "math." if is_scalar(e) else ""


@dataclass(frozen=True)
class Recurrence:
    """A rule as Python text.

    gradient: the name of the incoming gradient (`g`, or `grad` where the rule changes it first);
    states: names in order, theta first; hyperparameters: names an update reads; lines: (name, right side);
    gradient_point: the expression at which the gradient is taken; initial: expression per state.
    """

    gradient: str
    states: tuple[str, ...]
    hyperparameters: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    gradient_point: str
    initial: tuple[str, ...]


def recurrence(rule: Rule, ieee: bool = False) -> Recurrence:
    """Print the assignments of a rule; a value that is read after it was replaced is kept as `x_before`.

    ieee: code to run, in which NaN and overflow take their course among the numbers of a rule that computes
    some from arrays. An elementwise rule has only hyperparameters and t, which are finite.
    """
    ieee = ieee and not rule.elementwise
    names = naming(rule)
    untouched = grad in names
    lines = [(kept, code_name(symbol.name)) for symbol, kept in names.items() if symbol != grad]
    for lhs, rhs in rule.assignments[1:] if untouched else rule.assignments:
        code = _printed(rhs, frozenset(names.items()), ieee)
        lines.append(
            (code_name(lhs.name), code[1:-1] if code[0] == "(" and isinstance(rhs, sp.Piecewise) else code)
        )
    plain = frozenset[Any]()
    read = rule.gradient_point.free_symbols.union(*(rhs.free_symbols for _, rhs in rule.assignments))
    return Recurrence(
        gradient="g" if untouched else "grad",
        states=("theta", *(s.name for s in rule.states)),
        hyperparameters=tuple(h.name for h in rule.hyperparameters if h.symbol in read),
        lines=tuple(lines),
        gradient_point=_printed(rule.gradient_point, plain),
        initial=tuple(_printed(sp.sympify(s.initial), plain) for s in rule.states),
    )


@lru_cache(maxsize=65536)
def _printed(e: sp.Expr, names: frozenset[tuple[sp.Symbol, str]], ieee: bool = False) -> str:
    """The code of an expression, kept: the dialects of a rule have most of their lines in common."""
    return str(PythonSource(dict(names), ieee).doprint(e))


def naming(rule: Rule) -> dict[sp.Symbol, str]:
    """Symbols that code does not write by their name.

    A value read after it was replaced is `x_before`; a gradient that is used as it comes is `g`.
    """
    late = {s.before for s in (theta, *rule.states) if _read_late(rule, s)}
    names = {symbol: f"{code_name(symbol.name)}_before" for symbol in sorted(late, key=str)}
    return {grad: "g", **names} if rule.assignments[0][1] == grad else names


def _read_late(rule: Rule, state: Any) -> bool:
    """True if state[t-1] is read after state[t] was assigned."""
    assigned = False
    for lhs, rhs in rule.assignments:
        if assigned and state.before in rhs.free_symbols:
            return True
        assigned = assigned or lhs == state.now
    return False
