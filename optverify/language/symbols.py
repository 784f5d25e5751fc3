"""The symbols rules are written in: time, parameters, gradient, states, hyperparameters.

All are real. A quantity that changes with time is a Variable: `m[t]` is its value after update t,
`m[t-1]` its value before. The first update is t = 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp

from optverify.language.notation import pretty_name, tex_name

t = sp.Symbol("t", integer=True, positive=True)


class Timed(sp.Symbol):  # type: ignore[misc]
    """A symbol at a time, named like `m_hat_t` or `m_{t-1}`; every SymPy printer shows it so."""

    __slots__ = ()

    def _latex(self, printer: Any) -> str:
        return printer._settings["symbol_names"].get(self) or tex_name(self.name)

    def _pretty(self, printer: Any) -> Any:
        return printer._print(sp.Symbol(pretty_name(self.name)))


class TimedNumber(Timed):
    """A Timed symbol that stands for one number, not an array."""

    __slots__ = ()
    scalar = True


@dataclass(frozen=True)
class Variable:
    """A quantity with one value per update: `m[t]`, `m[t-1]`.

    name: the ASCII name used in generated code (`m_hat`); the printed form follows from it.
    scalar: one number, where others are arrays.
    """

    name: str
    nonnegative: bool = False
    scalar: bool = False

    def __getitem__(self, index: sp.Expr) -> sp.Symbol:
        """Return the symbol at time t or t-1; IndexError for any other time."""
        if index == t:
            return self.now
        if index == t - 1:
            return self.before
        raise IndexError(f"{self.name}[{index}] is not a value a rule can use: write {self.name}[t] or [t-1]")

    def _at(self, when: str) -> sp.Symbol:
        assumption = {"nonnegative": True} if self.nonnegative else {"real": True}
        return (TimedNumber if self.scalar else Timed)(f"{self.name}_{when}", **assumption)

    @property
    def now(self) -> sp.Symbol:
        """The value after this update."""
        return self._at("t")

    @property
    def before(self) -> sp.Symbol:
        """The value before this update."""
        return self._at("{t-1}")


@dataclass(frozen=True)
class State(Variable):
    """A Variable the optimizer remembers.

    initial: its value before the first update: a number, a hyperparameter, or theta[t-1].
    meaning: what it holds, in words.
    side: for a matrix theta (m, n) of which only a side is kept: "rows" (m, 1), "columns" (1, n),
    "left" (m, m) and "right" (n, n), the last two with `initial` on the diagonal; "" for theta's own shape.
    """

    initial: sp.Expr = sp.S.Zero
    meaning: str = ""
    side: str = ""

    @property
    def shape(self) -> str:
        """Its shape, for a theta of m rows and n columns where it is not theta's own."""
        if self.scalar:
            return "number"
        sides = {"": "theta", "rows": "(m, 1)", "columns": "(1, n)", "left": "(m, m)", "right": "(n, n)"}
        return sides[self.side]


@dataclass(frozen=True)
class Input(Variable):
    """What an update is given besides a gradient: a keyword of step(), x[t] in the rule.

    latex: its symbol at time t; meaning: what it holds, in words. An array of theta's shape, or, with
    `scalar`, one number, >= 0 with `nonnegative`.
    """

    latex: str = ""
    meaning: str = ""

    @property
    def domain(self) -> str:
        """The range of a number, "" for an array."""
        return "" if not self.scalar else ">= 0" if self.nonnegative else "> -inf"


theta = State("theta", meaning="parameters")
g = Variable("g")
"""The gradient as the rule uses it (after sign and coupled decay)."""
grad = sp.Symbol("grad", real=True)
"""The gradient of the objective at the rule's gradient point."""


def hyper_symbol(name: str, **assumptions: bool) -> sp.Symbol:
    """Return the symbol of a hyperparameter; non-negative unless said otherwise."""
    return sp.Symbol(name, **(assumptions or {"nonnegative": True}))


lr = hyper_symbol("lr", positive=True)
momentum = hyper_symbol("momentum")
dampening = hyper_symbol("dampening")
beta1 = hyper_symbol("beta1")
beta2 = hyper_symbol("beta2")
rho = hyper_symbol("rho")
eps = hyper_symbol("eps")
weight_decay = hyper_symbol("weight_decay")
initial_accumulator = hyper_symbol("initial_accumulator")
lr_decay = hyper_symbol("lr_decay")
