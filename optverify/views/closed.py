"""The closed form of a rule: each new state as one expression in the old ones."""

from __future__ import annotations

import sympy as sp

from optverify.language import Rule, theta


def closed_form(rule: Rule) -> dict[str, sp.Expr]:
    """State name -> its value after one update, in the old states, grad, t and the hyperparameters.

    >>> closed_form(gd)["theta"]
    theta_{t-1} - lr*grad
    """
    values: dict[sp.Symbol, sp.Expr] = {}
    for lhs, rhs in rule.assignments:
        values[lhs] = rhs.xreplace(values)
    return {s.name: values[s.now] for s in (theta, *rule.states)}
