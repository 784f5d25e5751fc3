"""How mathematics is written here: names, the order of terms and factors, LaTeX.

SymPy prints sums and products in an order of its own (theta last, epsilon first). Papers do not.
`terms` and `factors` give the textbook order; the LaTeX printer below and the code printers of
`backends` share them, so a formula and its code read alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from keyword import iskeyword
from typing import Any

import sympy as sp
from sympy.printing.latex import LatexPrinter
from sympy.printing.precedence import PRECEDENCE, precedence_traditional

GREEK = frozenset(
    ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
     "nu", "xi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Delta"]
)  # fmt: skip
ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde", "prime": "'"}


def _split(name: str) -> tuple[str, str, str, str]:
    """`m_hat_{t-1}` -> base m, accent hat, superscript (none), time t-1."""
    base, _, time = name.rpartition("_")
    base, time = (base, time.strip("{}")) if base and time in ("t", "{t-1}") else (name, "")
    stem, _, tail = base.partition("_")
    if tail in ACCENTS:
        return stem, tail, "", time
    return stem, "", tail, time


def tex_name(name: str) -> str:
    r"""LaTeX of a timed name: m_hat_t -> \hat{m}_t, v_max_{t-1} -> v^{\max}_{t-1}, Q_L_t -> Q_{L,t}."""
    stem, accent, tail, time = _split(name)
    letter = stem.rstrip("0123456789")
    index = stem[len(letter) :]
    tex = f"\\{letter}" if letter in GREEK else letter
    if accent:
        tex = f"{tex}'" if accent == "prime" else f"{ACCENTS[accent]}{{{tex}}}"
    if tail == "inf":
        return rf"{tex}_\infty"
    if _is_side(tail):
        index, tail = index + tail, ""
    if tail:
        word = f"({tail})" if tail.isdigit() else rf"\mathrm{{{tail}}}"
        tex += r"^{\max}" if tail == "max" else f"^{{{word}}}"
    time = ",".join(part for part in (index, time) if part)
    return tex + (f"_{{{time}}}" if len(time) > 1 else f"_{time}" if time else "")


def _is_side(tail: str) -> bool:
    """True for the L of Q_L: one capital letter, which papers write below."""
    return len(tail) == 1 and tail.isupper()


def pretty_name(name: str) -> str:
    """The name SymPy's Unicode printer understands: m_hat_t -> mhat_t, theta_{t-1} -> theta_t-1.

    A word, as an input has, stays as it is in code.
    """
    stem, accent, tail, time = _split(name)
    letter = stem.rstrip("0123456789")
    if len(letter) > 1 and letter not in GREEK:
        return code_name(name)
    if _is_side(tail):
        stem, tail = stem + tail, ""
    return f"{stem}{accent}" + (f"__{tail}" if tail else "") + (f"_{time}" if time else "")


def code_name(name: str) -> str:
    """The name in generated code: the time index goes, m_hat_t -> m_hat."""
    stem, accent, tail, _ = _split(name)
    code = "_".join(part for part in (stem, accent, tail) if part)
    return f"{code}_" if iskeyword(code) else code


# ---- textbook order ------------------------------------------------------------------------------------


def _names(e: sp.Expr) -> set[str]:
    return {s.name for s in e.free_symbols}


def is_scalar(e: sp.Expr) -> bool:
    """True when e is one number: hyperparameters, t, norms and the like, and what is made of them."""
    if getattr(e, "scalar", False):  # an operator whose value is a number, or a symbol that stands for one
        return True
    if e.is_Symbol:
        return not (e.name == "grad" or e.name.endswith(("_t", "_{t-1}")))
    return all(map(is_scalar, e.args))


def _term_key(e: sp.Expr) -> tuple[Any, ...]:
    names = _names(e)
    negative = e.could_extract_minus_sign()
    parts = {p.name for p in sp.Mul.make_args(e) if p.is_Symbol}
    if e.is_Number:
        rank = 0
    elif "weight_decay" in parts and "lr" not in parts:
        rank = 5  # grad + lambda theta
    elif "eps" in parts:
        rank = 9
    elif "theta_{t-1}" in names:
        rank = 1
    elif "grad" in names:
        rank = 2
    elif any(n.endswith("_{t-1}") for n in names):
        rank = 3
    elif names and all(n.startswith("eps") for n in names):
        rank = 9
    else:
        rank = 4
    return negative, rank, len(sp.Mul.make_args(e)), sp.default_sort_key(e)


def terms(e: sp.Add) -> list[sp.Expr]:
    """The terms of a sum: positive before negative, old state before new, epsilon last."""
    return sorted(e.args, key=_term_key)


def _factor_key(e: sp.Expr) -> tuple[Any, ...]:
    if e.is_Number:
        rank = 0
    elif e.is_Symbol and e.name == "lr":
        rank = 1
    elif e.is_Symbol and is_scalar(e):
        rank = 2
    elif is_scalar(e):
        rank = 3
    elif e.is_Symbol:
        rank = 4
    else:
        rank = 6 if e.is_Add else 5
    return rank, sp.default_sort_key(e)


def factors(e: sp.Mul) -> tuple[int, list[sp.Expr], list[sp.Expr]]:
    """Sign, numerator factors and denominator factors of a product, in textbook order."""
    sign, above, below = 1, [], []
    for f in e.args:
        if f.is_Rational:
            sign = -sign if f < 0 else sign
            above += [sp.Integer(abs(f.p))] if abs(f.p) != 1 else []
            below += [sp.Integer(f.q)] if f.q != 1 else []
        elif f.is_Pow and f.exp.could_extract_minus_sign():
            below.append(sp.Pow(f.base, -f.exp))
        else:
            above.append(f)
    return sign, sorted(above, key=_factor_key), sorted(below, key=_factor_key)


def _around(above: list[sp.Expr], below: list[sp.Expr]) -> tuple[list[sp.Expr], list[sp.Expr], list[sp.Expr]]:
    """What of a numerator stands before the fraction, on it, and after it.

    The papers write alpha before m/(sqrt(v) + eps), and 1/2 before a sum.
    """
    one = [sp.S.One]
    if not below:
        return [], above, []
    if all(f.is_Number for f in below) and any(f.is_Add for f in above):
        return [], one, above
    if not all(map(is_scalar, below)):
        scalars = [f for f in above if is_scalar(f)]
        arrays = [f for f in above if f not in scalars]
        return (scalars, arrays, []) if arrays else ([], above or one, [])
    rates = [f for f in above if f.is_Symbol and f.name.startswith("lr")]
    rest = [f for f in above if f not in rates]
    return (rates, rest, []) if any(not f.is_Symbol for f in rest) else ([], above, [])


# ---- LaTeX ---------------------------------------------------------------------------------------------


class TextbookLatex(LatexPrinter):  # type: ignore[misc]
    r"""SymPy's LaTeX printer in textbook order, without `\operatorname` (GitHub refuses it)."""

    def __init__(self, names: Mapping[sp.Symbol, str] | None = None) -> None:
        super().__init__({"symbol_names": dict(names or {}), "fold_short_frac": False})

    def _print_Add(self, e: sp.Add, order: Any = None) -> str:
        tex = ""
        for i, term in enumerate(terms(e)):
            negative = term.could_extract_minus_sign()
            body = self.parenthesize(-term if negative else term, PRECEDENCE["Add"], strict=False)
            tex += ((" - " if i else "- ") if negative else (" + " if i else "")) + body
        return tex

    def _print_Mul(self, e: sp.Mul) -> str:
        sign, above, below = factors(e)
        front, above, back = _around(above, below)
        tex = self._row(above)
        if below:
            tex = rf"\frac{{{self._row(above, alone=True)}}}{{{self._row(below, alone=True)}}}"
            tex = (self._row(front) + r"\," if front else "") + tex + (" " + self._row(back) if back else "")
        return ("- " if sign < 0 else "") + tex

    def _print_Symbol(self, e: sp.Symbol, style: str = "plain") -> str:
        stem, _, word = e.name.partition("_")
        if e not in self._settings["symbol_names"] and len(word) > 1 and word.isalpha():
            return rf"{stem}_{{\mathrm{{{word}}}}}"
        return str(super()._print_Symbol(e))

    def _row(self, parts: list[sp.Expr], alone: bool = False) -> str:
        if alone and len(parts) == 1:
            return str(self._print(parts[0]))
        out = ""
        for p in parts:
            body = self.parenthesize(p, PRECEDENCE["Mul"], strict=False)
            out += (r" \cdot " if out and body[:1].isdigit() else " " if out else "") + body
        return out or "1"

    def parenthesize(self, item: sp.Expr, level: int, is_neg: bool = False, strict: bool = False) -> str:
        """Brackets round sums and negative products; stretched only round what is tall."""
        body = self._print(item)
        low = precedence_traditional(item) <= level if not strict else precedence_traditional(item) < level
        if item.is_Piecewise or (low and (item.is_Add or (item.is_Mul and item.could_extract_minus_sign()))):
            tall = r"\frac" in body or r"\begin" in body
            return rf"\left({body}\right)" if tall else f"({body})"
        return str(body)

    def _print_Pow(self, e: sp.Pow) -> str:
        if e.exp == sp.Rational(1, 2):
            return rf"\sqrt{{{self._print(e.base)}}}"
        if e.exp == sp.Rational(1, 3):
            return rf"\sqrt[3]{{{self._print(e.base)}}}"
        if e.exp.could_extract_minus_sign():
            return rf"\frac{{1}}{{{self._print(sp.Pow(e.base, -e.exp))}}}"
        base, power = self._print(e.base), self._print(e.exp)
        if not e.base.is_Symbol and not base.startswith(r"\lVert") and not base.replace(".", "").isdigit():
            base = f"({base})" if r"\frac" not in base else rf"\left({base}\right)"
        elif r"^{" in base or "'" in base or base.startswith(r"\nabla"):
            base = rf"\left({base}\right)"
        return f"{base}^{power}" if len(power) == 1 else f"{base}^{{{power}}}"

    def _print_Rational(self, e: sp.Rational) -> str:
        return f"{float(e):g}" if e.q > 10 and 100 % e.q == 0 else str(super()._print_Rational(e))

    def _print_log(self, e: sp.Expr, exp: Any = None) -> str:
        return rf"\ln({self._print(e.args[0])})"

    def _print_exp(self, e: sp.Expr, exp: Any = None) -> str:
        inside = self._print(e.args[0])
        return rf"\exp\left({inside}\right)" if r"\frac" in inside else rf"e^{{{inside}}}"

    def _print_sign(self, e: sp.Expr, exp: Any = None) -> str:
        return rf"\mathrm{{sign}}({self._print(e.args[0])})"

    def _print_Abs(self, e: sp.Expr, exp: Any = None) -> str:
        tex = rf"\lvert {self._print(e.args[0])} \rvert"
        return tex if exp is None else f"{tex}^{{{exp}}}"

    def _print_Max(self, e: sp.Expr, exp: Any = None) -> str:
        return self._extremum("max", e)

    def _print_Min(self, e: sp.Expr, exp: Any = None) -> str:
        return self._extremum("min", e)

    def _extremum(self, name: str, e: sp.Expr) -> str:
        inside = ", ".join(self._print(a) for a in sorted(e.args, key=_term_key))
        tall = r"\frac" in inside
        return rf"\{name}\left({inside}\right)" if tall else rf"\{name}({inside})"

    def _print_Piecewise(self, e: sp.Piecewise) -> str:
        rows = []
        for value, condition in e.args:
            when = r"\text{otherwise}" if condition == True else rf"\text{{if }} {self._print(condition)}"  # noqa: E712
            rows.append(f"{self._print(value)} & {when}")
        return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"

    def _print_Float(self, e: sp.Float) -> str:
        return tex_number(float(e))


def tex_number(value: float) -> str:
    """A default value as a reader writes it: 0.001, 10^{-8}, 5 times 10^{-5}."""
    text = f"{value:.12g}"
    if "e" not in text and (value == 0 or abs(value) >= 1e-4):
        return text
    mantissa, exponent = f"{value:.12e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    power = f"10^{{{int(exponent)}}}"
    return power if mantissa == "1" else rf"{mantissa} \cdot {power}"
