"""From the assignments of a rule to statements, one after the other."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from optverify.backends.export.statements import (
    NUMBER,
    SIDES,
    Call,
    Choice,
    Loop,
    Number,
    Shape,
    Statement,
    broadcast,
    shape_of,
)
from optverify.backends.python import naming
from optverify.language import Rule, columns, grad, rows, theta
from optverify.language.notation import code_name
from optverify.language.operators import Operator


class Lowering:
    """Makes statements of a rule. wanted: what has a name somewhere, and has it wherever it stands."""

    def __init__(self, rule: Rule, wanted: frozenset[sp.Expr] = frozenset()) -> None:
        self.rule = rule
        self.wanted = wanted
        self.names = naming(rule)
        self.gradient = "g" if grad in self.names else "grad"
        self.replaced: dict[sp.Expr, str] = {}
        self.available: set[sp.Expr] = set()  # of those, what this branch has computed already
        self.full: Shape = ("rows", "columns") if rule.needs_matrix else ("size",)
        self.given = (self.gradient, *(i.name for i in rule.inputs if not i.scalar))
        self.shapes: dict[str, Shape] = dict.fromkeys(("theta", *self.given), self.full)
        for s in rule.states:
            self.shapes[s.name] = NUMBER if s.scalar else SIDES.get(s.side, self.full)
        numbers = [h.name for h in rule.hyperparameters] + [i.name for i in rule.inputs if i.scalar]
        self.shapes |= dict.fromkeys(numbers, NUMBER)
        self.shapes["t"] = NUMBER
        for side in (rows(theta.before), columns(theta.before)):
            self.name(side, side.func.__name__)
            self.shapes[side.func.__name__] = NUMBER
        self.out: list[Statement] = []

    def run(self) -> list[Statement]:
        """The statements of the rule, every line of arrays a loop of its own."""
        for symbol, kept in self.names.items():
            if symbol != grad:
                plain = sp.Symbol(code_name(symbol.name))
                self.line(kept, plain)
        untouched = grad in self.names
        for lhs, rhs in self.rule.assignments[1:] if untouched else self.rule.assignments:
            name = code_name(lhs.name)
            if not (rhs.is_Symbol and self.name_of(rhs) == name):  # x_0 = x_0 says that it stays
                self.line(name, rhs)
        return self.out

    def name_of(self, symbol: sp.Symbol) -> str:
        """The name of a symbol in code."""
        return self.names.get(symbol) or code_name(symbol.name)

    def name(self, e: sp.Expr, name: str) -> None:
        """Say that an expression is computed, under this name."""
        self.replaced[e] = name
        self.available.add(e)

    def shape(self, e: sp.Basic) -> Shape:
        """The shape of an expression, of what its arguments have."""
        if e.is_Symbol:
            return self.shapes[self.name_of(e)]
        parts = [self.shape(a) for a in e.args]
        return shape_of(e, parts) if isinstance(e, Operator) else broadcast(parts)

    def line(self, name: str, e: sp.Expr) -> None:
        """Emit name = e."""
        shape = self.shape(e)
        if isinstance(e, sp.Piecewise) and self.is_choice(e):
            self.shapes[name] = shape
            self.choice(name, e)
        elif isinstance(e, Operator) and e not in self.available:
            self.shapes[name] = shape
            self.call(name, e)
        else:
            self.extract(e)
            self.hoist(e, all_of_them=bool(shape))
            self.shapes[name] = shape
            self.out.append(Loop(shape, ((name, e),)) if shape else Number(name, e))
            if not shape and e in self.wanted and e.args:
                self.name(e, name)

    def is_choice(self, e: sp.Piecewise) -> bool:
        """True if a branch works on whole arrays: then only the one that is chosen shall be computed."""
        heavy = any(self.shape(f) for v, _ in e.args for f in v.atoms(Operator))
        return heavy and all(self.shape(c) == NUMBER for _, c in e.args)

    def choice(self, name: str, e: sp.Piecewise) -> None:
        """Emit name = e, with a branch computed only when it is chosen."""
        outer = self.out
        tail = None
        for value, condition in reversed(e.args):
            before = set(self.available)
            self.out = []
            if not (value.is_Symbol and self.name_of(value) == name):
                self.line(name, value)
            self.available = before
            made = tuple(self.out)
            tail = made if tail is None else (Choice(condition, made, tail),)
        self.out = outer
        for c in (c for _, c in e.args):
            self.extract(c)
        self.out += tail or ()

    def extract(self, e: sp.Basic) -> None:
        """Emit the calls an expression needs first."""
        for f in sorted(e.atoms(Operator), key=lambda f: (sum(1 for _ in sp.preorder_traversal(f)), str(f))):
            if f not in self.available:
                self.call("", f)

    def word(self, e: sp.Basic) -> str:
        """The name under which an array or a number can be read, "" for an expression."""
        if e.is_Symbol:
            return self.name_of(e)
        return self.replaced[e] if e in self.available else ""

    def call(self, name: str, f: Operator) -> None:
        """Emit name = f; without a name it gets one."""
        arguments = [self.argument(a) for a in f.args]
        name = name or self.replaced.get(f) or self.fresh(_word_for_call(f.func.__name__, arguments))
        self.shapes[name] = self.shape(f)
        shapes = tuple(self.shape(a) for a in f.args)
        self.out.append(Call(name, f.func.__name__, tuple(arguments), self.shapes[name], shapes))
        self.name(f, name)

    def argument(self, e: sp.Expr) -> str | sp.Expr:
        """What stands in a call: a number as it is, an array by its name."""
        if not self.shape(e):
            return e
        self.extract(e)
        if not self.word(e):
            within = self.replaced.get(e) or self.fresh("inside")
            self.line(within, e)
            self.name(e, within)
        return self.word(e)

    def hoist(self, e: sp.Basic, all_of_them: bool) -> None:
        """Name each function of numbers in a line of arrays: it is computed once, not for every element."""
        for f in list(self.costly(e)):
            if f not in self.available and f != e and (all_of_them or f in self.wanted):
                name = self.replaced.get(f) or self.fresh(_word_for(f))
                self.shapes[name] = NUMBER
                self.out.append(Number(name, f))
                self.name(f, name)

    def costly(self, e: sp.Basic) -> Iterator[sp.Expr]:
        """The functions of numbers in an expression, inner ones first where they have a name."""
        if e in self.available or not e.args:
            return
        if e.is_Pow and e.exp.could_extract_minus_sign():
            yield from self.costly(sp.Pow(e.base, -e.exp))
        elif self.shape(e) == NUMBER and (e.is_Function or (e.is_Pow and not e.exp.is_Integer)):
            if not all(a.is_Symbol or a.is_Number for a in e.args):
                for a in e.args:
                    yield from (f for f in self.costly(a) if f in self.wanted)
            yield e
        else:
            for a in e.args:
                yield from self.costly(a)

    def fresh(self, wish: str) -> str:
        """A name that nothing has."""
        taken = {*self.shapes, *(code_name(s.name) for s in self.symbols())}
        name, i = wish, 1
        while name in taken:
            i += 1
            name = f"{wish}_{i}"
        return name

    def symbols(self) -> Iterator[sp.Symbol]:
        """Every symbol of the rule."""
        for lhs, rhs in self.rule.assignments:
            yield lhs
            yield from rhs.free_symbols


def _word_for(f: sp.Expr) -> str:
    """beta1**t is beta1_t, sqrt(t) is sqrt_t; else a letter."""
    names = [code_name(a.name) if a.is_Symbol else "" for a in f.args]
    if isinstance(f, sp.Mod):
        return "phase"
    if f.is_Pow and all(names):
        return "_".join(names)
    if f.is_Pow and f.exp == sp.Rational(1, 2) and names[0]:
        return f"sqrt_{names[0]}"
    return "k"


def _word_for_call(operator: str, arguments: list[str | sp.Expr]) -> str:
    """The transpose of g is g_T, the product of L and g is L_g, a norm is norm_g."""
    names = [a for a in arguments if isinstance(a, str)]
    if operator == "transpose":
        return f"{names[0]}_T"
    return "_".join(names if operator == "matmul" else [operator, names[0]])
