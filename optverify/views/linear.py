"""A rule on a quadratic: the matrix of one step."""

from __future__ import annotations

from typing import Any

import sympy as sp

from optverify.language import Rule, grad, theta
from optverify.views.closed import closed_form


def step_matrix(rule: Rule, curvature: Any) -> sp.Matrix:
    """The matrix of one step on f(theta) = curvature theta^2 / 2, over (theta, *states).

    On f = theta^T H theta / 2 a linear rule does this along each eigenvector of H, with its eigenvalue.
    Raises ValueError if the step is not linear in theta and the states.
    """
    before = [s.before for s in (theta, *rule.states)]
    gradient = sp.sympify(curvature) * rule.gradient_point
    step = sp.Matrix([e.xreplace({grad: gradient}) for e in closed_form(rule).values()])
    matrix = step.jacobian(before).applyfunc(sp.expand)
    if matrix.has(*before) or any(step.subs(dict.fromkeys(before, 0)).applyfunc(sp.expand)):
        raise ValueError(f"rule {rule.name!r} is not linear on a quadratic, so it has no step matrix")
    return matrix
