"""What every rule can be asked: ten sentences about each, made by themselves for a new one.

What cannot be known beforehand (the numbers of a run, which states are bounded) is written down in
`pinned/NAME.json` by `python -m optverify.claims.pin`, and read as text: nothing in it is ever evaluated.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from optverify.claims._agreement import decide_agreement, decide_float_types
from optverify.claims._bounds import decide_bounded
from optverify.claims._claim import Claim, Decision, about
from optverify.claims._first_update import decide_descent, decide_first_step, decide_zero_gradient, first_step
from optverify.claims._influence import decide_influence, exceptions
from optverify.claims._responses import decide_response
from optverify.claims._stability import decide_stability
from optverify.language import Rule
from optverify.rules import names, rule

FOLDER = Path(__file__).with_name("pinned")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class Property(NamedTuple):
    """One sentence about any rule.

    title: with {rule} for its name and {but} for what is excepted. decide: from the rule and what is written
    down of it, None if nothing is. needs_pin: whether it cannot be decided of a rule of which nothing is.
    applies: False for a rule of which the sentence would be empty.
    """

    family: str
    title: str
    statement: str
    scope: str
    decide: Callable[[Rule, Any], Decision]
    needs_pin: bool = False
    applies: Callable[[Rule], bool] = lambda rule: True


TRIED = (
    "one run, exact: rational hyperparameters in their ranges, lr another one at each update; numbers that"
    " are not rational by 30 digits"
)

PROPERTIES = (
    Property(
        "step_response",
        "{rule} answers a constant gradient with the steps written down.",
        r"g_1 = g_2 = \dots = g_6 \;\Longrightarrow\; \theta_1, \dots, \theta_6 \text{ as pinned}",
        TRIED,
        lambda rule, pinned: decide_response(rule, "step_response", pinned),
        needs_pin=True,
    ),
    Property(
        "impulse_response",
        "{rule} answers a single gradient with the steps written down.",
        r"g_2 = \dots = g_6 = 0 \;\Longrightarrow\; \theta_1, \dots, \theta_6 \text{ as pinned}",
        TRIED,
        lambda rule, pinned: decide_response(rule, "impulse_response", pinned),
        needs_pin=True,
    ),
    Property(
        "mixed_response",
        "{rule} answers large, small, zero and turning gradients with the steps written down.",
        r"g_1, \dots, g_6 \text{ given} \;\Longrightarrow\; \theta_1, \dots, \theta_6 \text{ as pinned}",
        TRIED.replace(
            "one run", "two or three runs, one of them with gradients taken where the rule takes them"
        ),
        lambda rule, pinned: decide_response(rule, "mixed_response", pinned),
        needs_pin=True,
    ),
    Property(
        "first_step",
        "The first step of {rule} is a formula of the first gradient.",
        r"\theta_1 - \theta_0 \text{ as a formula of } g_1",
        "each coordinate of an elementwise rule, otherwise one dimension; any gradient and hyperparameters"
        " for which it is defined, the states at their start",
        lambda rule, pinned: decide_first_step(rule, pinned and pinned["text"]),
        needs_pin=True,
    ),
    Property(
        "descent",
        "The first step of {rule} goes against the gradient.",
        r"g_1 \, (\theta_1 - \theta_0) < 0 \quad \text{for } g_1 \ne 0",
        "one dimension, no weight decay; hyperparameters anywhere in their ranges if proved, else rational"
        " numbers and the ends of their ranges; further gradients the rule is given are 0",
        lambda rule, pinned: decide_descent(rule),
        applies=lambda rule: first_step(rule)[0] != 0,
    ),
    Property(
        "zero_gradient",
        "{rule} leaves the parameters alone while every gradient is zero.",
        r"g_1 = \dots = g_t = 0 \;\Longrightarrow\; \theta_t = \theta_0",
        "no weight decay, the states at their start, every t, arrays of any shape; epsilon > 0, unless it is"
        " 0 by default",
        lambda rule, pinned: decide_zero_gradient(rule),
    ),
    Property(
        "bounded",
        "No state of {rule} grows without bound while the gradients are bounded.",
        r"\lvert g_t \rvert \le G \text{ for all } t \;\Longrightarrow\; \sup_t \lvert s_t \rvert < \infty"
        r" \text{ for every state } s \text{ that does not follow } \theta",
        "each coordinate, or one dimension for rules with norms and products; constant hyperparameters other"
        " than 0; states that follow the parameters are as bounded as these",
        decide_bounded,
        applies=lambda rule: bool(rule.states),
    ),
    Property(
        "influence",
        "Every hyperparameter of {rule}{but} changes the parameters within a few updates.",
        r"h \ne h' \;\Longrightarrow\; \theta_t(h) \ne \theta_t(h') \text{ from a pinned } t \text{ on}",
        "two values of each hyperparameter, the others fixed, along three courses of up to six gradients",
        decide_influence,
        applies=lambda rule: bool(rule.hyperparameters),
    ),
    Property(
        "stability",
        "On a quadratic {rule} is stable up to the step size written down.",
        r"f(\theta) = \frac{\lambda}{2} \theta^2, \quad s = \lambda \cdot \mathrm{lr}",
        "one dimension, default hyperparameters, full gradients; a linear rule by Schur's conditions, another"
        " by 200 updates from theta = 1, which leave if they end beyond 1000",
        decide_stability,
        needs_pin=True,
    ),
    Property(
        "agreement",
        "The page, the step function and the closed form of {rule} are one recurrence.",
        r"\text{page} = \text{recurrence} = \text{closed form}, \quad \lvert \text{step} - \text{recurrence}"
        r" \rvert \le 10^{-12} \, \max \lvert \text{recurrence} \rvert",
        "the LaTeX of every line read back and worked out at one exact point, in one dimension; the committed"
        " float64 step and the closed form along two exact courses",
        lambda rule, pinned: decide_agreement(rule),
    ),
    Property(
        "float_types",
        "{rule} in float32 follows its recurrence within the rounding of its operations.",
        r"\lvert \theta_t^{32} - \theta_t \rvert \le E_t, \quad E_t \text{ by running error analysis}",
        "the committed step under a constant gradient, six updates, two for rules on whole arrays; each"
        " operation counted with twice the unit roundoff 2^-24",
        lambda rule, pinned: decide_float_types(rule),
    ),
)


# ---- what is written down --------------------------------------------------------------------------------


@cache
def pinned(name: str) -> dict[str, Any]:
    """What is written down of a rule; empty for a new one."""
    path = FOLDER / f"{name}.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _id(family: str, name: str) -> str:
    return f"property.{family}." + "".join(f"_{DIGITS[int(c)]}" if c.isdigit() else c for c in name)


def _but(stated: str | None) -> str:
    return f" but {' and '.join(left)}" if (left := exceptions(stated)) else ""


def claim_of(subject: Rule, p: Property, written: dict[str, Any]) -> Claim:
    """One property of one rule, with the verdict written down; without one it is expected to hold."""
    usual = "not decided, none" if p.needs_pin else "holds, proved"
    expected, evidence = written.get("verdicts", {}).get(p.family, usual).split(", ")
    stated = written.get(p.family)
    return Claim(
        id=_id(p.family, subject.name),
        title=p.title.format(rule=subject.title, but=_but(stated) if p.family == "influence" else ""),
        statement=stated["latex"] if p.family == "first_step" and stated else p.statement,
        scope=p.scope,
        sources=subject.sources,
        topic="properties",
        subjects=(("rule", about(subject.name)),),
        expected=expected,
        evidence=evidence,
        check=lambda rule: p.decide(rule, stated),
        family=f"property.{p.family}",
    )


def property_claims(name: str) -> list[Claim]:
    """All properties of the rule of that name, those first that are quick to find a slip."""
    subject = rule(name)
    return [claim_of(subject, p, pinned(name)) for p in PROPERTIES if p.applies(subject)]


CLAIMS: tuple[Claim, ...] = tuple(claim for name in names() for claim in property_claims(name))
