"""An edge of the graph of rules: which rule is another one with its hyperparameters set. Data alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from optverify.claims._claim import Evidence, Subject, Verdict
from optverify.language import Source, grad, momentum, t
from optverify.proof import NotProved

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Edge:
    """`smaller` is `larger` with the substitution `where`.

    name: the last words of the claim's id. title: the sentence as people say it.
    where: hyperparameter, input or named quantity of larger -> its value, an expression in the
    hyperparameters of smaller and t. given: the same for smaller, where only some of its values are meant.
    states: state of larger (theta too) -> its value after t updates, in the states of smaller and t; a state
    of the same name is itself, and one that is left out, or None, may be anything. States stand there as
    symbols without assumptions.
    limit: a hyperparameter of larger and what it tends to. gradient: what larger is handed while smaller is
    handed grad. scalar: dimension 1, where norms are absolute values and matrices numbers.
    nonzero: no gradient is zero. buffer: a state of smaller, momentum*buffer + grad after an update, that is
    never zero. start: the only theta_0 that is meant.
    condition: what must hold besides, in words; the verdict is then "holds under conditions".
    refuted: the sentence is false; instead: the substitution that is right, shown first; ends: without one,
    the two numbers of the counterexample, and on what it rests, evidence; right: the name of another edge,
    which says what is true instead. label: the substitution in a few words, for a figure.
    """

    name: str
    title: str
    smaller: Subject
    larger: Subject
    where: Values
    sources: tuple[Source, ...]
    states: Values = field(default_factory=dict)
    given: Values = field(default_factory=dict)
    limit: tuple[sp.Symbol, Any] | None = None
    gradient: sp.Expr = grad
    scalar: bool = False
    nonzero: bool = False
    start: Any = None
    condition: str = ""
    refuted: bool = False
    instead: Edge | None = None
    ends: tuple[str, str] | None = None
    right: str = ""
    buffer: str = ""
    label: str = ""
    evidence: Evidence = "exact certificate"

    @property
    def id(self) -> str:
        """The id of its claim."""
        return f"inclusion.{self.name}"

    @property
    def corrected_by(self) -> str:
        """The id of the claim that is true instead, if one is known."""
        return self.instead.id if self.instead is not None else self.right and f"inclusion.{self.right}"

    @property
    def expected(self) -> Verdict:
        """The verdict known to be right."""
        if self.refuted:
            return "refuted"
        return "holds under conditions" if self.scope_in_words != ANY else "holds"

    @property
    def scope_in_words(self) -> str:
        """What the edge is about, beyond "every gradient and every t"."""
        said = [self.condition] if self.condition else []
        said += ["dimension 1"] if self.scalar else []
        said += ["gradients other than 0"] if self.nonzero else []
        said += ["a buffer other than 0"] if self.buffer else []
        said += [f"theta_0 = {self.start}"] if self.start is not None else []
        said += [f"{name} = {value}" for name, value in self.given.items()]
        return ", ".join(said) or ANY

    def gradients(self, states: Values) -> tuple[sp.Expr, ...]:
        """What stands for every gradient, in turn: of either sign where zero is left out."""
        size = sp.Symbol("size", positive=True)
        if not self.buffer:
            return (size, -size) if self.nonzero else (grad,)
        if self.buffer not in states:
            raise NotProved(f"there is no {self.buffer} here")
        kept = momentum * states[self.buffer]
        return size - kept, -size - kept  # the new buffer is of either sign

    @property
    def substitution(self) -> str:
        """`momentum = 0, lr = lr*(1 - momentum)`: larger on the left, smaller on the right."""
        parts = [f"{name} = {value}" for name, value in self.where.items() if str(value) != name]
        if self.limit is not None:
            symbol, end = self.limit
            parts.append(f"{symbol} -> {'infinity' if end == sp.oo else end}")
        return ", ".join(parts) or "the same hyperparameters"


ANY = "any start"


# ---- in LaTeX ----------------------------------------------------------------------------------------------


def dialects(edge: Edge) -> str:
    """The options of both rules that are not the default, in words."""
    said = []
    for subject in (edge.smaller, edge.larger):
        chosen = [f"{axis} = {option}" for axis, option in subject.options]
        said += [f"{subject.name} with {', '.join(chosen)}; "] if chosen else []
    return "".join(said)


def statement(edge: Edge) -> str:
    """The edge in LaTeX, with the ASCII names of the hyperparameters: each paper has letters of its own."""
    small, large = _upright(edge.smaller.name), _upright(edge.larger.name)
    seen = edge.states.get("theta", THETA)
    if seen is None:
        seen = next(sp.Symbol(n) for n, e in edge.states.items() if e == THETA)
        left, right = rf"\theta_t^{{\,{small}}}", rf"{_timed(seen)}^{{\,{large}}}"
    else:
        left, right = rf"{_timed(seen)}^{{\,{small}}}", rf"\theta_t^{{\,{large}}}"
    if edge.limit is not None:
        right = rf"\lim_{{{tex(edge.limit[0])} \to {tex(sp.sympify(edge.limit[1]))}}} {right}"
    parts = [
        rf"{_upright(name)} = {tex(sp.sympify(value))}"
        for name, value in edge.where.items() if str(value) != name
    ]  # fmt: skip
    setting = r" \quad \text{with} \quad " + r", \; ".join(parts) if parts else ""
    states = [
        rf"{_timed(sp.Symbol(name))} = {tex(sp.sympify(e))}"
        for name, e in edge.states.items() if e is not None and name != "theta"
    ]  # fmt: skip
    moved = r", \qquad \text{where} \quad " + r", \; ".join(states) if states else ""
    return rf"{left} = {right}{setting}{moved}"


THETA = sp.Symbol("theta")


def _timed(symbol: sp.Symbol) -> str:
    return r"\theta_t" if symbol == THETA else rf"{_upright(symbol.name)}_t"


def tex(e: sp.Expr) -> str:
    """LaTeX in which every hyperparameter and state is its ASCII name; a state, without assumptions, at t."""
    names = {s: _upright(s.name) if len(s.assumptions0) > 1 else _timed(s) for s in e.free_symbols}
    return str(sp.latex(e, symbol_names={**names, t: "t"}))


def _upright(name: str) -> str:
    if name == "theta":
        return r"\theta"
    spaced = name.replace("_", r"\ ")
    return rf"\mathrm{{{spaced}}}"
