"""A rule on its own, in the language that somebody needs: code of the backends, or a page for readers."""

from __future__ import annotations

from typing import Any

import sympy as sp

from optverify.backends.export import CODE, export_rule
from optverify.language import Hyperparameter, Rule
from optverify.language.messages import unknown
from optverify.language.notation import tex_number
from optverify.rules import rule

PAGES = {"latex": "rule.tex.j2", "markdown": "rule.md.j2"}
TARGETS = (*CODE, *PAGES)


def export(name: str, to: str, *, like: str | None = None, **dialect: Any) -> str:
    """The text of a file that holds a rule alone, in any dialect, and needs nothing of this package.

    to: "numpy", "numba", "torch", "jax", "c", "javascript", "julia", "rust", "latex" or "markdown". like and
    the axis options choose the dialect, as for `rule`. Raises ValueError for an unknown rule, axis, option,
    library or target.
    """
    if to not in TARGETS:
        raise ValueError(unknown("target", to, TARGETS))
    chosen = rule(name, like=like, **dialect)
    return page(chosen, to) if to in PAGES else export_rule(chosen, to)


def page(chosen: Rule, to: str) -> str:
    """The equations of a rule with tables of its hyperparameters, inputs and states, and its sources."""
    from optverify.report.markup import render  # brings the claims with it

    point = chosen.tex(chosen.gradient_point)
    return render(
        PAGES[to],
        rule=chosen,
        options=chosen.options,
        point=point,
        numbers=[(h.latex, h, _default(h)) for h in chosen.hyperparameters],
        inputs=chosen.inputs,
        states=[(chosen.tex(s.now), s, chosen.tex(sp.sympify(s.initial))) for s in chosen.states],
    )


def _default(h: Hyperparameter) -> str:
    return "" if h.default is None else tex_number(h.default)
