"""Languages that have arrays: an assignment is a line, as in the paper. And the first of them, NumPy."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from typing import Any

import sympy as sp
from sympy.printing.precedence import PRECEDENCE

from optverify.backends.export.context import start
from optverify.backends.export.header import header, render, runtime
from optverify.backends.export.printers import Elements
from optverify.backends.numpy import NUMPY, OPERATORS, called
from optverify.backends.python import naming, recurrence
from optverify.language import Rule, grad, t, theta
from optverify.language.notation import code_name


class Arrays(Elements):
    """Of arrays, an assignment at a time; named operators are functions of the runtime."""

    where = ""

    def _print_Pow(self, e: sp.Pow) -> str:
        if e.exp.could_extract_minus_sign() or e.exp == sp.Rational(1, 2):
            return super()._print_Pow(e)
        return "**".join(self.parenthesize(a, PRECEDENCE["Pow"]) for a in e.args)

    def _print_Function(self, e: sp.Function) -> str:
        return self.run(e.func.__name__, *e.args)

    def _print_Guard(self, e: Guard) -> str:
        base, condition = e.args
        return f"{self.where}({self._print(condition)}, {self._print(base)}, 1)"

    def joined(self, kind: str, e: sp.Basic) -> str:
        """Conditions on arrays."""
        word = {"And": " & ", "Or": " | "}[kind]
        return word.join(f"({self._print(a)})" for a in sorted(e.args, key=sp.default_sort_key))

    def _print_Piecewise(self, e: sp.Piecewise) -> str:
        *cases, (last, _) = e.args
        seen = sp.false
        for _, condition in cases:
            seen = sp.Or(seen, condition)
        code = self._print(guarded(last, sp.Not(seen)))
        for value, condition in reversed(cases):
            code = f"{self.where}({self._print(condition)}, {self._print(guarded(value, condition))}, {code})"
        return str(code)

    def line(self, name: str, e: sp.Expr) -> str:
        """The right side of name = e."""
        return str(self.doprint(e))  # type: ignore[attr-defined]


def guarded(e: sp.Expr, condition: sp.Basic) -> sp.Expr:
    """The expression with 1 in the place of divisors, and of what has a root, where the condition fails.

    Both branches of a `where` are differentiated; an infinite derivative in the branch that is not chosen,
    times 0, would be NaN.
    """
    risky = {p: sp.Pow(Guard(p.base, condition), p.exp) for p in e.atoms(sp.Pow) if _risky(p, condition)}
    return e.xreplace(risky)


def _risky(power: sp.Pow, condition: sp.Basic) -> bool:
    """True for roots and divisors that have to do with the condition."""
    related = bool(power.base.free_symbols & condition.free_symbols)
    return related and power.exp.is_Rational and (power.exp < 0 or not power.exp.is_Integer)


class Guard(sp.Function):  # type: ignore[misc]
    """The first argument where the second, a condition, holds; else 1. SymPy would fold a Piecewise."""

    nargs = 2


def numpy_standalone(rule: Rule) -> str:
    """The NumPy module of a rule: its readable lines as they are."""
    printed = recurrence(rule, ieee=True)
    words = called(printed)
    text = "\n".join(code for _, code in printed.lines)
    return render(
        "numpy.py.j2",
        lines=printed.lines,
        gradient=printed.gradient,
        point=printed.gradient_point,
        imports=sorted(words & NUMPY),
        math="math." in text,
        runtime=_numpy_operators(words & OPERATORS),
        initial=dict(zip((s.name for s in rule.states), printed.initial, strict=True)),
        **_facts(rule),
    )


@lru_cache(maxsize=64)
def _operator_source(name: str) -> str:
    """A function of the steps, which stand above and are found by name."""
    function = getattr(import_module("optverify.steps._operators"), name)
    return inspect.getsource(function).replace("Array", "np.ndarray").rstrip()


def _numpy_operators(wanted: Iterable[str]) -> list[str]:
    wanted = set(wanted)
    wanted |= {"norm"} if "rms" in wanted else set()
    return [_operator_source(name) for name in sorted(wanted)]


def traced(rule: Rule, kind: type[Arrays], file: str, note: str, **more: Any) -> str:
    """The module of a rule: a language's printer, and the template and runtime that its file names."""
    names = naming(rule)
    printer = kind(names, {})
    lines = [(kept, code_name(symbol.name)) for symbol, kept in names.items() if symbol != grad]
    for lhs, rhs in rule.assignments[1:] if grad in names else rule.assignments:
        lines.append((code_name(lhs.name), printer.line("", rhs)))
    plain = kind({}, {})
    return render(
        f"{file}.j2",
        lines=lines,
        gradient=names.get(grad, "grad"),
        point=plain.line("", rule.gradient_point),
        initial={s.name: plain.line("", sp.sympify(s.initial)) for s in rule.states},
        runtime=runtime(f"{file}.in", printer.used),
        **_facts(rule, note),
        **more,
    )


def _facts(rule: Rule, *notes: str) -> dict[str, Any]:
    read = set().union(*(rhs.free_symbols for _, rhs in rule.assignments))
    started = set().union(*(sp.sympify(s.initial).free_symbols for s in rule.states))
    seen = rule.gradient_point.free_symbols
    return {
        "rule": rule,
        "header": header(rule, *notes),
        "matrix": rule.needs_matrix,
        "numbers": [h for h in rule.hyperparameters if h.symbol in read],
        "started": [h for h in rule.hyperparameters if h.symbol in started],
        "looked": [h for h in rule.hyperparameters if h.symbol in seen],
        "looks": rule.gradient_point != theta.before,
        "look_states": [s.name for s in rule.states if s.before in seen],
        "inputs": rule.inputs,
        "t": t in read,
        "states": rule.states,
        "how": {s.name: start(s) for s in rule.states},
        "alike": not any(s.side or s.scalar for s in rule.states),
    }
