"""A rule: ordered assignments over time-indexed symbols, and the choices it leaves open."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import sympy as sp

from optverify.formulas import notebook
from optverify.language.axis import Axis, Option
from optverify.language.hyperparameter import Hyperparameter
from optverify.language.messages import unknown
from optverify.language.notation import TextbookLatex, is_scalar
from optverify.language.operators import Operator
from optverify.language.source import Source
from optverify.language.symbols import Input, State, g, grad, t, theta

Assignment = tuple[sp.Symbol, sp.Expr]


class Dialect:
    """What a rule file is handed: `d.epsilon` is the option chosen on the axis `epsilon`."""

    def __init__(self, options: Mapping[str, Option]) -> None:
        self.options = options
        self.gradient_point: sp.Expr = theta.before
        self.initial_values: dict[str, sp.Expr] = {}

    def set_initial(self, state: State, value: sp.Expr) -> None:
        """Let a state start from this value; a rule that does so says it in every dialect."""
        self.initial_values[state.name] = value

    def __getattr__(self, axis: str) -> Option:
        if axis.startswith("__") or axis not in self.options:
            raise AttributeError(f"this rule has no axis {axis!r}; it has {', '.join(self.options)}")
        return self.options[axis]


@dataclass(frozen=True)
class Exclusion:
    """Options that make no sense together, and why."""

    options: Mapping[str, Option]
    reason: str

    def applies(self, chosen: Mapping[str, Option]) -> bool:
        """True when every one of its options is chosen."""
        return all(chosen.get(axis) == option for axis, option in self.options.items())


@dataclass(frozen=True)
class Rule:
    r"""One update rule in one dialect.

    name, title, summary: its name here, its usual name, one sentence. sources: papers.
    axes: the choices it leaves open; options: the one made on each (a dialect).
    assignments: (symbol, expression) in the paper's order; the last ones give theta[t] and the states.
    gradient_point: where `grad` is taken, theta[t-1] or a look-ahead.
    hyperparameters, states, inputs: those that this dialect uses.
    """

    name: str
    title: str
    summary: str
    sources: tuple[Source, ...]
    axes: tuple[Axis, ...]
    write: Callable[[Any], Iterable[Assignment]] = field(repr=False, compare=False)
    every_hyperparameter: tuple[Hyperparameter, ...] = field(repr=False)
    every_state: tuple[State, ...] = field(repr=False)
    excluded: tuple[Exclusion, ...] = field(default=(), repr=False)
    every_input: tuple[Input, ...] = field(default=(), repr=False)
    options: Mapping[str, Option] = field(default_factory=dict)
    assignments: tuple[Assignment, ...] = field(default=(), repr=False)
    gradient_point: sp.Expr = field(default=theta.before, repr=False)

    def __hash__(self) -> int:
        return hash((self.name, tuple(self.options.items()), self.assignments))

    # ---- dialects --------------------------------------------------------------------------------------

    def dialect(self, **options: Any) -> Rule:
        """Return the rule with these options, the others at their default.

        Raises ValueError for an unknown axis or option, or options that exclude each other.
        """
        axes = {axis.name: axis for axis in self.axes}
        for name in options:
            if name not in axes:
                raise ValueError(f"rule {self.name!r}: {unknown('axis', name, axes)}")
        chosen = {n: axis.check(options.get(n, axis.default)) for n, axis in axes.items()}
        for exclusion in self.excluded:
            if exclusion.applies(chosen):
                given = ", ".join(f"{a}={chosen[a]!r}" for a in exclusion.options)
                raise ValueError(f"rule {self.name!r} has no dialect with {given}: {exclusion.reason}")
        d = Dialect(chosen)
        assignments = tuple((lhs, sp.sympify(rhs)) for lhs, rhs in self.write(d))
        states = tuple(replace(s, initial=d.initial_values.get(s.name, s.initial)) for s in self.every_state)
        return replace(
            self, options=chosen, assignments=assignments, gradient_point=d.gradient_point, every_state=states
        )

    def dialects(self, changed: int | None = None) -> Iterator[Rule]:
        """Every dialect, the default first; or those that leave the default on at most `changed` axes."""
        for choice in itertools.product(*(axis.options for axis in self.axes)):
            options = {axis.name: option for axis, option in zip(self.axes, choice, strict=True)}
            away = sum(o != axis.default for axis, o in zip(self.axes, choice, strict=True))
            if changed is not None and away > changed:
                continue
            if not any(exclusion.applies(options) for exclusion in self.excluded):
                yield self.dialect(**options)

    def named(
        self,
        name: str,
        *,
        title: str,
        summary: str,
        sources: Iterable[Source],
        defaults: Mapping[str, float] | None = None,
        **options: Any,
    ) -> Rule:
        """A dialect as a rule of its own: these options are its defaults, and `defaults` its numbers."""
        axes = tuple(a.starting(a.check(options[a.name])) if a.name in options else a for a in self.axes)
        family = replace(self, name=name, title=title, summary=summary, sources=tuple(sources), axes=axes)
        return family.with_defaults(defaults or {}).dialect()

    def with_defaults(self, numbers: Mapping[str, float | None]) -> Rule:
        """The same rule with other default values; None where the user must give one."""
        hyperparameters = tuple(
            replace(h, default=numbers.get(h.name, h.default)) for h in self.every_hyperparameter
        )
        return replace(self, every_hyperparameter=hyperparameters)

    @property
    def needs_matrix(self) -> bool:
        """True if theta must be a matrix."""
        return any(s.side for s in self.states) or any(f.matrix for f in self.operators)

    @property
    def operators(self) -> set[Operator]:
        """The named operators it applies: norms, means, products."""
        return {f for _, rhs in self.assignments for f in rhs.atoms(Operator)}

    @property
    def demands(self) -> str:
        """What it needs besides a gradient of any shape, in words; empty if nothing.

        A rule with demands is left out where many rules are run alike.
        """
        needed = ["a matrix"] if self.needs_matrix else []
        needed += [i.name for i in self.inputs]
        needed += [h.name for h in self.hyperparameters if h.default is None]
        return " and ".join(needed)

    @property
    def elementwise(self) -> bool:
        """True if every coordinate goes its own way with its gradient alone: nothing shared, no inputs."""
        cases = {p for _, rhs in self.assignments for p in rhs.atoms(sp.Piecewise)}
        return (
            not any(s.side or s.scalar for s in self.states)
            and not self.inputs
            and not self.operators
            and all(is_scalar(condition) for p in cases for _, condition in p.args)
        )

    @property
    def changed_options(self) -> dict[str, Option]:
        """The options that differ from the default dialect."""
        return {a.name: self.options[a.name] for a in self.axes if self.options[a.name] != a.default}

    # ---- what the recurrence is made of ------------------------------------------------------------------

    @cached_property
    def states(self) -> tuple[State, ...]:
        """The states this dialect keeps, theta not among them."""
        assigned = {lhs for lhs, _ in self.assignments}
        return tuple(s for s in self.every_state if s.now in assigned)

    @cached_property
    def inputs(self) -> tuple[Input, ...]:
        """What this dialect must be given with each gradient, in the order of the rule file."""
        read = {s for _, rhs in self.assignments for s in rhs.free_symbols}
        return tuple(i for i in self.every_input if i.now in read)

    @cached_property
    def hyperparameters(self) -> tuple[Hyperparameter, ...]:
        """The hyperparameters this dialect reads, in the order of the rule file."""
        read = set(self.gradient_point.free_symbols)
        for _, rhs in self.assignments:
            read |= rhs.free_symbols
        for state in self.states:
            read |= sp.sympify(state.initial).free_symbols
        return tuple(h for h in self.every_hyperparameter if h.symbol in read)

    def hyperparameter(self, name: str) -> Hyperparameter:
        """The hyperparameter of that name; ValueError with the known ones otherwise."""
        for h in self.hyperparameters:
            if h.name == name:
                return h
        message = unknown("hyperparameter", name, [h.name for h in self.hyperparameters])
        raise ValueError(f"rule {self.name!r}: {message}")

    def state(self, name: str) -> State:
        """The state of that name (theta among them); ValueError with the known ones otherwise."""
        for s in (theta, *self.states):
            if s.name == name:
                return s
        message = unknown("state", name, ["theta", *(s.name for s in self.states)])
        raise ValueError(f"rule {self.name!r}: {message}")

    def check(self, values: Mapping[str, Any]) -> dict[str, float]:
        """Return all hyperparameters as floats, defaults filled in; errors as in Hyperparameter.check."""
        for name in values:
            self.hyperparameter(name)
        missing = [h.name for h in self.hyperparameters if h.default is None and h.name not in values]
        if missing:
            raise ValueError(f"rule {self.name!r} has no default for {', '.join(missing)}: give a value")
        return {h.name: h.check(values.get(h.name, h.default)) for h in self.hyperparameters}

    # ---- for readers -----------------------------------------------------------------------------------

    @property
    def equations(self) -> tuple[sp.Eq, ...]:
        """The assignments as SymPy equations, in order."""
        return tuple(sp.Eq(lhs, rhs, evaluate=False) for lhs, rhs in self.assignments)

    @property
    def tex_names(self) -> dict[sp.Symbol, str]:
        """How the paper writes each hyperparameter, and the gradient at its point."""
        names = {h.symbol: h.latex for h in self.every_hyperparameter}
        point = TextbookLatex(names).doprint(self.gradient_point)
        names |= {i.now: i.latex for i in self.every_input}
        return {**names, grad: rf"\nabla f_t({point})"}

    def tex(self, e: sp.Expr) -> str:
        """LaTeX of an expression over this rule's symbols, in the paper's notation and textbook order."""
        return str(TextbookLatex(self.tex_names).doprint(e))

    def latex(self) -> str:
        r"""The recurrence as a LaTeX `aligned` block, a line an assignment."""
        lines = [rf"{self.tex(lhs)} &= {self.tex(rhs)}" for lhs, rhs in self.assignments]
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex()}$"

    def _repr_html_(self) -> str:
        numbers = [
            (notebook.inline(h.latex), h.name, "" if h.default is None else f"{h.default:g}", h.meaning)
            for h in self.hyperparameters
        ]
        chosen = ", ".join(f"{axis} = {option}" for axis, option in self.changed_options.items())
        return notebook.block(
            f"{self.title} ({chosen})" if chosen else self.title,
            self.summary,
            notebook.formula(self.latex()),
            notebook.table(("symbol", "argument", "default", "meaning"), numbers) if numbers else "",
        )

    def __str__(self) -> str:
        lines = [f"{self.title}" + (f" {dict(self.changed_options)}" if self.changed_options else "")]
        lines += [f"  {lhs} = {rhs}" for lhs, rhs in self.assignments]
        return "\n".join(lines)


def rule(
    name: str,
    *,
    title: str,
    sources: Iterable[Source],
    hyperparameters: Iterable[Hyperparameter],
    states: Iterable[State] = (),
    axes: Iterable[Axis] = (),
    excluded: Iterable[Exclusion] = (),
    inputs: Iterable[Input] = (),
) -> Callable[[Callable[[Any], Iterable[Assignment]]], Rule]:
    """Make a Rule of the function below, which yields (symbol, expression) for the dialect it is handed.

    Raises ValueError, at import, for a rule that assigns or reads what it does not declare.
    """

    def make(write: Callable[[Any], Iterable[Assignment]]) -> Rule:
        summary = (write.__doc__ or "").strip()
        family = Rule(
            name, title, summary, tuple(sources), tuple(axes), write,
            tuple(hyperparameters), tuple(states), tuple(excluded), tuple(inputs),
        )  # fmt: skip
        default = family.dialect()
        validate(default)
        return default

    return make


def validate(rule: Rule) -> None:
    """ValueError if an assignment reads a symbol that nothing declares or that is assigned only later."""
    if not rule.sources or not rule.summary:
        raise ValueError(f"rule {rule.name!r} needs a source and a docstring that sums it up")
    known = {t, grad, theta.before, *(h.symbol for h in rule.every_hyperparameter)}
    known |= {s.before for s in rule.states} | {i.now for i in rule.every_input}
    for lhs, rhs in rule.assignments:
        if stray := rhs.free_symbols - known:
            names = ", ".join(sorted(map(str, stray)))
            raise ValueError(f"rule {rule.name!r}: {lhs} reads {names}, which nothing before it defines")
        known.add(lhs)
    if theta.now not in known:
        raise ValueError(f"rule {rule.name!r} never assigns theta[t]")
    if rule.assignments[0][0] != g.now:
        raise ValueError(f"rule {rule.name!r} must begin with g[t] = gradient(d, at=...)")
