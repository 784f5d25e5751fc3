"""What claims about adaptive rules share: their papers, steps read off a rule, and exact runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from itertools import pairwise
from typing import Any

import sympy as sp

from optverify.claims import _claim
from optverify.claims._claim import Claim, Decision, Subject, in_scope, trial_values
from optverify.language import Domain, Rule, Source, eps, grad, initial_accumulator, t, theta
from optverify.proof import NotProved, domains, show_by_induction, show_equal
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


def claim(id: str, title: str, **keywords: Any) -> Callable[[Callable[..., Decision]], Claim]:
    """As `_claim.claim`; a check is handed rules of the family of its subjects alone.

    Another rule (not a dialect of the subject, nor one like it) is NotProved: its states mean other things.
    """
    make = _claim.claim(id, title, **keywords)
    subjects = {name: s for name, s in keywords.items() if isinstance(s, Subject)}

    def guarded(check: Callable[..., Decision]) -> Claim:
        @wraps(check)
        def decide(**handed: Rule) -> Decision:
            for name, subject in subjects.items():
                _show_family(handed[name], subject.load())
            return check(**handed)

        return make(decide)

    return guarded


def _show_family(rule: Rule, base: Any) -> None:
    """Raise NotProved unless the rule has the states of the base, its axes and its hyperparameters."""
    if rule.name == base.name:
        return
    states, known = ({s.name for s in r.states} for r in (rule, base))
    lacking = {axis.name for axis in base.axes} - {axis.name for axis in rule.axes}
    lacking |= {h.name for h in base.every_hyperparameter} - {h.name for h in rule.every_hyperparameter}
    if states != known or lacking:
        raise NotProved(f"the statement is about {base.name}, and {rule.name} is no rule of that family")


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


def exact_run(rule: Rule, gradients: Iterable[Any], start: Any = 0, **given: Any) -> list[dict[str, sp.Expr]]:
    """An exact run with the trial values but the given ones; a division by zero in it is NotProved."""
    try:
        history = run(rule, gradients, start=start, values=exact_values(rule, **given))
    except ValueError as failed:  # a maximum of 1/0 and a number
        raise NotProved(f"a run divides by zero: {failed}") from None
    if any(e.has(sp.nan, sp.zoo) for state in history for e in state.values()):
        raise NotProved(f"a run divides by zero: it ends in {history[-1]}")
    return history


def changes(rule: Rule, gradients: Iterable[Any], start: Any = 0, **given: Any) -> list[sp.Expr]:
    """The change of theta in each update of an exact run."""
    history = exact_run(rule, gradients, start, **given)
    return [after["theta"] - before["theta"] for before, after in pairwise(history)]


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


def other_step(rule: Rule, gradients: Any, stated: Any, **given: Any) -> str | None:
    """Look for a step other than stated(values, gradient, k); in words."""
    values = exact_values(rule, **given)
    steps = changes(rule, gradients, start=1, **given)
    for k, (step, gradient) in enumerate(zip(steps, gradients, strict=True), 1):
        expected = stated(values, sp.sympify(gradient), k)
        if step.is_number and sp.expand(step - expected).is_zero is False:
            return (
                f"gradients {words(gradients)} from theta_0 = 1 with {told(**values)}: step {k} is {step},"
                f" not {expected}"
            )
    return None


def settled(e: sp.Expr) -> sp.Expr:
    """e with every radicand cancelled, so that the root of a square is seen."""
    return e.replace(
        lambda x: x.is_Pow and x.exp == sp.Rational(1, 2),
        lambda x: sp.sqrt(sp.factor(sp.cancel(x.base))),
    )


def show_constant(rule: Rule, closed: Mapping[str, Any], stated: Any) -> None:
    """Show every state under the constant gradient g, by induction, and the change of theta that follows.

    closed: state -> its value after k updates, a function of k. stated: the change of theta at t, a function
    of the gradient and its size.
    """
    form, at = closed_form(rule), {}
    for state in rule.states:
        if state.name not in closed:
            raise NotProved(f"nothing is stated of the state {state.name}")
        at[state.before] = closed[state.name](t - 1)
    for state in rule.states:
        old = {s.before: closed[s.name](t - 1) for s in rule.states if s is not state}
        update = form[state.name].subs(old, simultaneous=True)

        def step(y: sp.Expr, k: sp.Expr, state: Any = state, update: sp.Expr = update) -> sp.Expr:
            return update.subs({state.before: y, t: k}, simultaneous=True)

        show_by_induction(
            step, sp.sympify(state.initial), closed[state.name], f"{state.name}_t", domains(rule)
        )
    moved = change(rule).subs(at, simultaneous=True)
    for gradient in (positive_size, -positive_size):
        size = stated(gradient, positive_size)
        letters = {base**t: sp.Symbol(f"{base}^t", positive=True) for base in _bases(moved) | _bases(size)}
        walked = sp.cancel(settled(moved.subs(grad, gradient).subs(letters)))
        shown = f"the step for a gradient {gradient}"
        show_equal(walked, size.subs(letters), shown, dict.fromkeys(letters.values(), inside))


def _bases(e: sp.Expr) -> set[sp.Expr]:
    """The bases of the powers b^(t + ...) in e."""
    return {p.base for p in e.atoms(sp.Pow) if p.exp.has(t)}


def symbols_of(rule: Rule) -> dict[str, sp.Symbol]:
    """Name -> symbol of every hyperparameter, used in this dialect or not."""
    return {h.name: h.symbol for h in rule.every_hyperparameter}
