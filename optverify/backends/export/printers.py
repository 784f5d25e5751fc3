"""Printers of expressions on numbers: SymPy's printer of each language, in textbook order.

A square is one multiplication, x*x, in every language: `pow` may round it otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp
from sympy.printing.c import C99CodePrinter
from sympy.printing.codeprinter import CodePrinter
from sympy.printing.jscode import JavascriptCodePrinter
from sympy.printing.julia import JuliaCodePrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.pycode import PythonCodePrinter
from sympy.printing.rust import RustCodePrinter

from optverify.backends.textbook import Textbook


class Elements(Textbook):
    """Of the elements of arrays, one at a time.

    names: symbols that are not written by their own name. replaced: expressions that a variable holds.
    prefix: of the functions of the runtime.
    """

    call: Mapping[str, str] = {}
    operators = {"And": " && ", "Or": " || "}
    _default_settings: dict[str, Any]

    def __init__(
        self, names: Mapping[sp.Symbol, str], replaced: Mapping[sp.Expr, str], prefix: str = ""
    ) -> None:
        super().__init__()
        self.names = dict(names)
        self.replaced = replaced
        self.prefix = prefix
        self.assigned = ""
        self.used: set[str] = set()

    def line(self, name: str, e: sp.Expr) -> str:
        """The right side of name = e."""
        self.assigned = name
        code = str(self.doprint(e))  # type: ignore[attr-defined]
        self.assigned = ""
        return code[1:-1] if isinstance(e, sp.Piecewise) and code[0] == "(" else code

    def held(self, e: Any) -> str | None:
        """The variable that holds this expression, unless it is being computed."""
        name = self.replaced.get(e) if isinstance(e, sp.Basic) else None
        return None if name == self.assigned else name

    def _print(self, e: Any, **settings: Any) -> str:
        return self.held(e) or str(super()._print(e, **settings))

    def parenthesize(self, item: Any, level: int, strict: bool = False) -> str:
        """Brackets, unless a variable holds it."""
        return self.held(item) or str(super().parenthesize(item, level, strict))

    def _format_code(self, lines: list[str]) -> list[str]:
        return lines

    def run(self, function: str, *arguments: sp.Expr | str) -> str:
        """A call of the runtime, or of the function that the language has for it."""
        name = self.call.get(function)
        if name is None:
            self.used.add(function)
            name = f"{self.prefix}{function}"
        return f"{name}({', '.join(a if isinstance(a, str) else self._print(a) for a in arguments)})"

    def _print_Pow(self, e: sp.Pow) -> str:
        if e.exp.could_extract_minus_sign():
            under = self.parenthesize(sp.Pow(e.base, -e.exp), PRECEDENCE["Mul"])
            return f"{self._print(sp.S.One)}/{under}"
        if e.exp == sp.Rational(1, 2):
            return self.run("sqrt", e.base)
        return self.run("square", e.base) if e.exp == 2 else self.run("pow", *e.args)

    def _print_Max(self, e: sp.Max) -> str:
        return self.folded("maximum", e)

    def _print_Min(self, e: sp.Min) -> str:
        return self.folded("minimum", e)

    def folded(self, function: str, e: sp.Expr) -> str:
        """f(f(a, b), c)."""
        code = self._print(e.args[0])
        for a in e.args[1:]:
            code = self.run(function, code, a)
        return str(code)

    def _print_sign(self, e: sp.sign) -> str:
        return self.run("sign", e.args[0])

    def _print_Abs(self, e: sp.Abs) -> str:
        return self.run("abs", e.args[0])

    def _print_exp(self, e: sp.exp) -> str:
        return self.run("exp", e.args[0])

    def _print_log(self, e: sp.log) -> str:
        return self.run("log", e.args[0])

    def _print_Mod(self, e: sp.Mod) -> str:
        return " % ".join(self.parenthesize(a, PRECEDENCE["Mul"]) for a in e.args)

    def _print_Rational(self, e: sp.Rational) -> str:
        return repr(float(e))

    _print_Float = _print_NumberSymbol = _print_Rational

    def _print_And(self, e: sp.And) -> str:
        return self.joined("And", e)

    def _print_Or(self, e: sp.Or) -> str:
        return self.joined("Or", e)

    def joined(self, kind: str, e: sp.Basic) -> str:
        """Conditions with a word between them."""
        return self.operators[kind].join(f"{self._print(a)}" for a in sorted(e.args, key=sp.default_sort_key))

    def _print_Piecewise(self, e: sp.Piecewise) -> str:
        *cases, (last, _) = e.args
        code = self._print(last)
        for value, condition in reversed(cases):
            code = self.chosen(self._print(condition), self._print(value), code)
        return str(code)

    def chosen(self, condition: str, value: str, other: str) -> str:
        """The value if the condition holds, else the other."""
        return f"({condition} ? {value} : {other})"


class C(Elements, C99CodePrinter):  # type: ignore[misc]
    """C99, all in double."""

    call = {"sqrt": "sqrt", "pow": "pow", "abs": "fabs", "exp": "exp", "log": "log"}

    def _print_Mod(self, e: sp.Mod) -> str:
        return f"fmod({', '.join(map(self._print, e.args))})"


class JavaScript(Elements, JavascriptCodePrinter):  # type: ignore[misc]
    """ECMAScript, whose numbers are doubles."""

    call = {
        "sqrt": "Math.sqrt", "pow": "Math.pow", "abs": "Math.abs", "exp": "Math.exp", "log": "Math.log",
        "maximum": "Math.max", "minimum": "Math.min",
    }  # fmt: skip

    def _print_Relational(self, e: sp.Rel) -> str:
        operator = "===" if isinstance(e, sp.Eq) else e.rel_op
        return f"{self._print(e.lhs)} {operator} {self._print(e.rhs)}"


class Rust(Elements, RustCodePrinter):  # type: ignore[misc]
    """Rust on f64; what C has as functions are methods."""

    methods = {"sqrt": "sqrt", "abs": "abs", "exp": "exp", "log": "ln", "pow": "powf"}

    def run(self, function: str, *arguments: sp.Expr | str) -> str:
        """A call of the runtime, or a method of the first argument."""
        if function == "square":
            return f"{self.receiver(arguments[0])}.powi(2)"
        if function not in self.methods:
            return super().run(function, *arguments)
        rest = ", ".join(self._print(a) for a in arguments[1:])
        return f"{self.receiver(arguments[0])}.{self.methods[function]}({rest})"

    def receiver(self, e: sp.Expr | str) -> str:
        """What a method is called of."""
        code = e if isinstance(e, str) else self._print(e)
        return code if code.isidentifier() or (code.endswith(")") and _one_call(code)) else f"({code})"

    def _print_Integer(self, e: sp.Integer, _type: bool = False) -> str:
        return f"{int(e)}.0"

    def _print_Rational(self, e: sp.Rational) -> str:
        return f"{float(e)!r}_f64"

    _print_Float = _print_NumberSymbol = _print_Rational

    def chosen(self, condition: str, value: str, other: str) -> str:
        """An `if` is an expression."""
        value, other = (x[1:-1] if x.startswith("(if ") and x.endswith("})") else x for x in (value, other))
        return f"(if {condition} {{ {value} }} else {{ {other} }})"


def _one_call(code: str) -> bool:
    """True for f(...) with no operator outside of its brackets."""
    depth = 0
    for i, character in enumerate(code):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0 and not (character.isalnum() or character in "_.)"):
            return False
        if i == 0 and character == "(":
            return False
    return True


class Julia(Elements, JuliaCodePrinter):  # type: ignore[misc]
    """Julia on numbers of one type."""

    call = {"sqrt": "sqrt", "abs": "abs", "exp": "exp", "log": "log", "maximum": "max", "minimum": "min",
            "sign": "sign"}  # fmt: skip

    def run(self, function: str, *arguments: sp.Expr | str) -> str:
        """A square is x^2, which Julia computes as x*x."""
        if function in ("square", "pow"):
            base, power = (*arguments, sp.Integer(2))[:2]
            return "^".join(self.parenthesize(a, PRECEDENCE["Pow"]) for a in (base, power))
        return super().run(function, *arguments)


class Numba(Elements, PythonCodePrinter):  # type: ignore[misc]
    """Python on numbers, as Numba compiles it; a square is x*x there."""

    call = {"sqrt": "math.sqrt", "abs": "abs", "exp": "math.exp", "log": "math.log"}
    operators = {"And": " and ", "Or": " or "}
    _print_rows = _print_columns = CodePrinter._print_not_supported

    def run(self, function: str, *arguments: sp.Expr | str) -> str:
        """A power is x**y."""
        if function in ("square", "pow"):
            base, power = (*arguments, sp.Integer(2))[:2]
            return "**".join(self.parenthesize(a, PRECEDENCE["Pow"]) for a in (base, power))
        return super().run(function, *arguments)

    def chosen(self, condition: str, value: str, other: str) -> str:
        """A conditional expression."""
        return f"({value} if {condition} else {other})"
