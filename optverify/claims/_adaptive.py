"""What claims about adaptive rules share: their papers, steps read off a rule, and exact runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import sympy as sp

from optverify.claims._claim import in_scope, trial_values
from optverify.language import Domain, Rule, Source, eps, grad, initial_accumulator, theta
from optverify.proof import NotProved, domains, show_equal
from optverify.views.closed import closed_form
from optverify.views.open import open_form
from optverify.views.run import run

duchi = Source(
    "Duchi, Hazan and Singer",
    2011,
    "Adaptive subgradient methods for online learning and stochastic optimization",
    "Figure 1, diagonal case",
    "JMLR 12",
    url="https://jmlr.org/papers/v12/duchi11a.html",
)
tieleman = Source(
    "Tieleman and Hinton",
    2012,
    "Neural networks for machine learning",
    "lecture 6e, slide 29",
    "Coursera",
    url="https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf",
)


def kingma_ba(where: str) -> Source:
    """The paper on Adam, at a place."""
    title = "Adam: a method for stochastic optimization"
    return Source("Kingma and Ba", 2015, title, where, "ICLR", arxiv="1412.6980")


def loshchilov_hutter(where: str) -> Source:
    """The paper on decoupled weight decay, at a place."""
    title = "Decoupled weight decay regularization"
    return Source("Loshchilov and Hutter", 2019, title, where, "ICLR", arxiv="1711.05101")


def reddi(where: str) -> Source:
    """The paper on the convergence of Adam, at a place."""
    title = "On the convergence of Adam and beyond"
    return Source("Reddi, Kale and Kumar", 2018, title, where, "ICLR", arxiv="1904.09237")


below_one = Domain(0, 1, low_open=False)
inside = Domain(0, 1, low_open=True)
positive_size = sp.Symbol("g", positive=True)
"""The size of a gradient that is not 0."""


def plain(rule: Rule, **options: Any) -> None:
    """Raise NotProved for weight decay, for ascent, and for other options than these."""
    common = {"weight_decay_form": "none", "maximize": False}
    in_scope(rule, **{axis: o for axis, o in (common | options).items() if axis in rule.options})


def change(rule: Rule) -> sp.Expr:
    """theta_t - theta_{t-1} in the old states, grad, t and the hyperparameters."""
    return closed_form(rule)["theta"] - theta.before


def open_change(rule: Rule) -> sp.Expr:
    """theta_t - theta_{t-1} through the new states."""
    return open_form(rule)[theta.now] - theta.before


def initial(rule: Rule) -> dict[sp.Symbol, sp.Expr]:
    """Old state -> its value before the first update."""
    return {s.before: sp.sympify(s.initial) for s in rule.states}


def exact_values(rule: Rule, **given: Any) -> dict[str, Any]:
    """The trial values of its hyperparameters, but the given ones, as exact numbers."""
    return trial_values(rule) | {name: sp.sympify(value) for name, value in given.items()}


def changes(rule: Rule, gradients: Iterable[Any], start: Any = 0, **given: Any) -> list[sp.Expr]:
    """The change of theta in each update of an exact run; 0/0 in it is NotProved."""
    history = run(rule, gradients, start=start, values=exact_values(rule, **given))
    found = [after["theta"] - before["theta"] for before, after in pairwise(history)]
    if any(e.has(sp.nan, sp.zoo) for e in found):
        raise NotProved(f"a run divides by zero: its changes of theta are {found}")
    return found


def exceeds(left: sp.Expr, right: Any) -> bool:
    """True when left > right is known of two exact numbers, by 40 digits of their difference."""
    gap = sp.sympify(left - right).evalf(40)
    return bool(gap.is_real and gap > sp.Rational(1, 10**30))


def show_scaling(rule: Rule, factor: sp.Expr, powers: Mapping[str, int], step: Any) -> None:
    """Show that gradients times `factor` give states times factor^power and a change of theta times `step`.

    For eps = 0, accumulators that start at 0, and every t: one update, and the start.
    """
    form, moved, new = closed_form(rule), {grad: factor * grad}, {}
    unknown = [s.name for s in rule.states if s.name not in powers]
    if unknown:
        raise NotProved(f"no power of the factor is given for the states {words(unknown)}")
    for state in rule.states:
        moved[state.before] = factor ** powers[state.name] * state.before
        new[state.now] = factor ** powers[state.name] * state.now
    for state in rule.states:
        start = sp.sympify(state.initial).subs(initial_accumulator, 0)
        show_equal(start, factor ** powers[state.name] * start, f"{state.name}_0")
        scaled = form[state.name].subs(moved, simultaneous=True)
        show_equal(scaled, factor ** powers[state.name] * form[state.name], f"{state.name}_t", domains(rule))
    walked = open_change(rule).subs(eps, 0)
    scaled = walked.subs({**moved, **new}, simultaneous=True)
    show_equal(scaled, step * walked, "the step", domains(rule))


def told(**given: Any) -> str:
    """`lr = 1, beta1 = 1/2`, for messages."""
    return ", ".join(f"{name} = {value}" for name, value in given.items())


def words(values: Iterable[Any]) -> str:
    """`1, 2, 4`, for messages."""
    return ", ".join(map(str, values))
