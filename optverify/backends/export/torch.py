"""PyTorch: a module on tensors, through which derivatives go.

SymPy's printer imports torch where it is installed, so that this file is imported when it is needed.
"""

from __future__ import annotations

import sympy as sp
from sympy.printing.pytorch import TorchPrinter

from optverify.backends.export.arrays import Arrays, traced
from optverify.language import Rule
from optverify.language.notation import is_scalar
from optverify.language.operators import Operator

NOTE = (
    "Derivatives of any order go through it, with respect to hyperparameters too: give them as tensors. The"
    " count of updates is a tensor, so that torch.compile compiles once. Numbers are float64; arrays keep"
    " their type."
)


class Torch(Arrays, TorchPrinter):  # type: ignore[misc]
    """PyTorch. A number is a Python float, or a tensor without dimensions."""

    call = {f: f"torch.{f}" for f in ("sqrt", "abs", "exp", "log", "maximum", "minimum")}
    where = "torch.where"

    def _print_Max(self, e: sp.Max) -> str:
        return self.clamped("maximum", "min", e)

    def _print_Min(self, e: sp.Min) -> str:
        return self.clamped("minimum", "max", e)

    def clamped(self, function: str, bound: str, e: sp.Expr) -> str:
        """maximum() takes tensors alone, clamp() a number as well."""
        numbers = [a for a in e.args if a.is_Number or (is_scalar(a) and not is_scalar(e))]
        arrays = [a for a in e.args if a not in numbers]
        code = self._print(arrays[0])
        for a in arrays[1:]:
            code = self.run(function, code, a)
        for a in numbers:
            code = f"torch.clamp({code}, {bound}={self._print(a)})"
        return str(code)


def torch_source(rule: Rule) -> str:
    """The PyTorch module of a rule."""
    return traced(rule, Torch, "torch.py", NOTE, tensors=needs_tensor(rule))


def needs_tensor(rule: Rule) -> list[str]:
    """The hyperparameters that a function of PyTorch is given, or a comparison: a float will not do there."""
    floats: dict[sp.Symbol, set[str]] = {h.symbol: {h.name} for h in rule.hyperparameters}
    for i in rule.inputs:
        if i.scalar:
            floats[i.now] = {i.name}
    found: set[str] = set()
    for lhs, rhs in rule.assignments:
        for e in sp.preorder_traversal(rhs):
            if _asks_for_tensors(e):
                found |= {n for s in e.free_symbols & floats.keys() for n in floats[s]}
        if rhs.free_symbols and rhs.free_symbols <= floats.keys() and not rhs.atoms(Operator):
            floats[lhs] = set().union(*(floats[s] for s in rhs.free_symbols))
    return [
        n for n in (*(h.name for h in rule.hyperparameters), *(i.name for i in rule.inputs)) if n in found
    ]


def _asks_for_tensors(e: sp.Basic) -> bool:
    if isinstance(e, Operator) or not is_scalar(e):
        return False
    root = e.is_Pow and abs(e.exp) == sp.Rational(1, 2)
    return bool(root or e.is_Function or e.is_Relational or isinstance(e, sp.Max | sp.Min | sp.Piecewise))
