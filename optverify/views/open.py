"""The open form of a rule: theta through the new states, as papers speak of it."""

from __future__ import annotations

import sympy as sp

from optverify.language import Rule


def open_form(rule: Rule) -> dict[sp.Symbol, sp.Expr]:
    """Assigned symbol -> its value over the new states, the old ones, grad, t and the hyperparameters.

    Where the closed form puts a new state in terms of the old ones, this keeps it, so that AdaGrad's rate
    reads lr/(sqrt(G_t) + eps); helper variables (g_t, m_hat_t) are replaced.
    """
    states = {s.now for s in rule.states}
    values: dict[sp.Symbol, sp.Expr] = {}
    for lhs, rhs in rule.assignments:
        values[lhs] = rhs.xreplace({s: e for s, e in values.items() if s not in states})
    return values
