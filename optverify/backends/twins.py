"""Twins of the NumPy steps: the same assignments through SymPy's own `lambdify`.

For mpmath (any precision) and autograd.numpy (differentiable). They share nothing with the NumPy backend's
printer, so that each checks the other.
"""

from __future__ import annotations

from collections import namedtuple
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from optverify.language import Rule, State, grad, t, theta
from optverify.language.notation import is_scalar


class Twin:
    """The steps of a rule on another number type.

    rule: the dialect. backend: "mpmath" or "autograd". Shapes: under mpmath theta is a number or an object
    array of numbers; under autograd an array. Errors: as Rule.check for hyperparameters; ValueError for a
    rule with named operators.
    """

    def __init__(self, rule: Rule, backend: str) -> None:
        if names := sorted({type(f).__name__ for f in rule.operators}):
            raise ValueError(
                f"rule {rule.name!r} has no {backend} twin, because it uses {', '.join(names)} of whole"
                ' arrays: use backend="numpy"'
            )
        if rule.inputs:
            raise ValueError(
                f"rule {rule.name!r} has no {backend} twin, because it is given"
                f' {", ".join(i.name for i in rule.inputs)} with each gradient: use backend="numpy"'
            )
        self.rule, self.backend = rule, backend
        self.State: Any = namedtuple("State", ["t", *(s.name for s in rule.states)])  # type: ignore[misc]

    @cached_property
    def modules(self) -> Any:
        """Where the functions come from, as lambdify wants it."""
        if self.backend == "mpmath":
            return "mpmath"
        import autograd.numpy

        return [autograd.numpy, "numpy"]  # a bare module object would fall back to scalar Python code

    def _compile(self, e: sp.Expr) -> tuple[Any, list[sp.Symbol]]:
        symbols = sorted(e.free_symbols, key=str)
        return sp.lambdify(symbols, e, self.modules), symbols

    @cached_property
    def _lines(self) -> list[tuple[sp.Symbol, list[tuple[sp.Basic, Any]]]]:
        """Per assignment: (condition, function) for each of its cases; `select` would evaluate all."""
        return [
            (lhs, [(c, self._compile(e)) for e, c in (rhs.args if self._chosen(rhs) else [(rhs, sp.true)])])
            for lhs, rhs in self.rule.assignments
        ]

    def _chosen(self, rhs: sp.Expr) -> bool:
        """True if one of its cases holds for the whole array: mpmath goes number by number anyway."""
        return isinstance(rhs, sp.Piecewise) and (
            self.backend == "mpmath" or all(is_scalar(c) for _, c in rhs.args)
        )

    @property
    def source(self) -> str:
        """What lambdify made of each assignment."""
        import inspect

        return "\n".join(
            f"# {lhs}\n{inspect.getsource(function)}"
            for lhs, cases in self._lines
            for _, (function, _) in cases
        )

    def _values(self, hyperparameters: dict[str, Any]) -> dict[sp.Symbol, Any]:
        self.rule.check({k: float(v) for k, v in hyperparameters.items() if not _traced(v)})
        values = {h.symbol: hyperparameters.get(h.name, h.default) for h in self.rule.hyperparameters}
        if self.backend == "mpmath":
            import mpmath

            values = {s: mpmath.mpf(v) for s, v in values.items()}
        return values

    def init(self, theta_0: Any, **hyperparameters: Any) -> Any:
        """The state before the first update."""
        values = self._values(hyperparameters)
        zero = (np.asarray(theta_0) if isinstance(theta_0, list | tuple) else theta_0) * 0
        known = {**values, theta.before: theta_0}

        def first(state: State) -> Any:
            number = known[state.initial] if state.initial in known else int(state.initial)
            return number if state.scalar else zero + number

        return self.State(0, *map(first, self.rule.states))

    def step(self, theta_0: Any, gradient: Any, state: Any, **hyperparameters: Any) -> tuple[Any, Any]:
        """One update, pure: (theta, state). lr may be a schedule, as in the NumPy steps."""
        lr = hyperparameters.get("lr")
        if callable(lr):
            hyperparameters = {**hyperparameters, "lr": lr(state.t) or 5e-324}
        values = self._values(hyperparameters)
        if self.backend == "mpmath" and np.ndim(theta_0):
            return self._elementwise(theta_0, gradient, state, values)
        return self._update(theta_0, gradient, state, values)

    def _update(
        self, theta_0: Any, gradient: Any, state: Any, values: dict[sp.Symbol, Any]
    ) -> tuple[Any, Any]:
        step = state.t + 1
        env = {**values, t: step, grad: gradient, theta.before: theta_0}
        env |= {s.before: getattr(state, s.name) for s in self.rule.states}
        for lhs, cases in self._lines:
            function, symbols = next(f for c, f in cases if _holds(c, env))
            env[lhs] = function(*(env[s] for s in symbols))
        return env[theta.now], self.State(step, *(env[s.now] for s in self.rule.states))

    def _elementwise(
        self, theta_0: Any, gradient: Any, state: Any, values: dict[sp.Symbol, Any]
    ) -> tuple[Any, Any]:
        """mpmath knows numbers, not arrays: one number after the other."""
        rows = np.broadcast(*(np.asarray(x, object) for x in (theta_0, gradient, *state[1:])))
        out = [self._update(x, d, self.State(state.t, *s), values) for x, d, *s in rows]
        columns = [[x for x, _ in out], *([s[i] for _, s in out] for i in range(1, len(state)))]
        arrays: list[Any] = []
        kinds = [False, *(s.scalar for s in self.rule.states)]
        for scalar, column in zip(kinds, columns, strict=True):
            if scalar:
                arrays.append(column[0])  # every number of theta has made it anew, alike
                continue
            array = np.empty(len(column), object)
            array[:] = column
            arrays.append(array.reshape(rows.shape))
        return arrays[0], self.State(state.t + 1, *arrays[1:])


def _holds(condition: sp.Basic, env: dict[sp.Symbol, Any]) -> bool:
    """True if a condition on numbers does."""
    return bool(condition.xreplace({s: sp.sympify(env[s]) for s in condition.free_symbols}) == sp.true)


def _traced(value: Any) -> bool:
    """True for a value under differentiation, whose range cannot be asked."""
    return hasattr(value, "_value") and hasattr(value, "_node")
