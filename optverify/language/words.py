"""Words that many rules share: axes defined once, and what each option writes into a recurrence."""

from __future__ import annotations

from typing import Any

import sympy as sp

from optverify.language.axis import Axis
from optverify.language.hyperparameter import Hyperparameter, nonnegative
from optverify.language.symbols import eps, grad, lr, t, theta, weight_decay

# ---- the gradient: direction and coupled decay -------------------------------------------------------------

maximize = Axis(
    "maximize",
    "Is the objective minimized or maximized?",
    {False: "minimize: step against the gradient", True: "maximize: the sign of the gradient is flipped"},
)

weight_decay_form = Axis(
    "weight_decay_form",
    "Where does weight decay enter?",
    {
        "none": "no weight decay",
        "coupled": "L2: weight_decay * theta is added to the gradient, and passes through the rule",
        "decoupled": "theta shrinks by lr * weight_decay, outside the rule (AdamW as libraries have it)",
        "decoupled_without_lr": "theta shrinks by weight_decay alone (AdamW as the paper has it, schedule 1)",
        "after_step": "the stepped theta shrinks by lr * weight_decay",
    },
)

decay = Hyperparameter(weight_decay, r"\lambda", 0.01, nonnegative, "weight decay")


def gradient(d: Any, at: sp.Expr) -> sp.Expr:
    """The gradient at a point, sign and coupled decay applied: +-grad + weight_decay*point."""
    d.gradient_point = at
    g = -grad if d.maximize else grad
    return g + weight_decay * at if d.weight_decay_form == "coupled" else g


def decayed(d: Any, stepped: sp.Expr) -> sp.Expr:
    """theta[t] = decayed(d, theta[t-1] - step): shrink theta where the dialect says so."""
    match d.weight_decay_form:
        case "decoupled":
            return (1 - lr * weight_decay) * theta[t - 1] + (stepped - theta[t - 1])
        case "decoupled_without_lr":
            return (1 - weight_decay) * theta[t - 1] + (stepped - theta[t - 1])
        case "after_step":
            return (1 - lr * weight_decay) * stepped
        case "proximal":
            return stepped / (1 + lr * weight_decay)
    return stepped


layerwise_decay = Axis(
    "weight_decay_form",
    weight_decay_form.question,
    {
        "in_direction": "weight_decay * theta is added to the direction, before its length is set",
        **weight_decay_form.options,
        "before_step": "theta shrinks by lr * weight_decay before the rule looks at it (Keras)",
    },
)
"""Of rules that look at the length of theta, or add the decay to a direction of their own."""


def looked_at(d: Any) -> sp.Expr:
    """theta as a rule with `layerwise_decay` sees it: shrunk already where the dialect says so."""
    return (1 - lr * weight_decay) * theta[t - 1] if d.weight_decay_form == "before_step" else theta[t - 1]


def direction(d: Any, step: sp.Expr) -> sp.Expr:
    """A step, and weight_decay * theta where the dialect adds it there."""
    return step + weight_decay * theta[t - 1] if d.weight_decay_form == "in_direction" else step


def trust_ratio(of: sp.Expr, to: sp.Expr, scale: Any = 1, more: Any = 0) -> sp.Expr:
    """scale * of/(to + more) of two norms; 1 if one of them is 0, so that no layer is frozen."""
    return sp.Piecewise((scale * of / (to + more), sp.And(of > 0, to > 0)), (1, True))


# ---- means over time ---------------------------------------------------------------------------------------


def ema(beta: sp.Expr, before: sp.Expr, new: sp.Expr) -> sp.Expr:
    """The decaying mean (exponential moving average): beta*before + (1 - beta)*new."""
    return beta * before + (1 - beta) * new


def corrected(mean: sp.Expr, beta: sp.Expr) -> sp.Expr:
    """A decaying mean corrected for its start at zero: mean/(1 - beta^t)."""
    return mean / (1 - beta**t)


bias_correction = Axis(
    "bias_correction",
    "Which moments are corrected for their start at zero?",
    {
        "both": "both moments are divided by 1 - beta^t",
        "none": "neither is (the Adam of BERT)",
        "first": "the first moment only",
        "second": "the second moment only",
    },
)

# ---- epsilon ----------------------------------------------------------------------------------------------

epsilon = Axis(
    "epsilon",
    "Where does epsilon stand?",
    {
        "outside": "added to the root: sqrt(v) + eps",
        "inside": "added under the root: sqrt(v + eps)",
        "hat": "added to the root before bias correction: the epsilon-hat form",
    },
)


def root(d: Any, v: sp.Expr) -> sp.Expr:
    """The denominator: sqrt(v) + eps, or sqrt(v + eps)."""
    return sp.sqrt(v + eps) if d.epsilon == "inside" else sp.sqrt(v) + eps


# ---- momentum buffers ----------------------------------------------------------------------------------

lr_placement = Axis(
    "lr_placement",
    "Is the learning rate inside the buffer?",
    {
        "inside": "the buffer holds steps: a change of lr acts on new gradients only",
        "outside": "the buffer holds gradients: a change of lr rescales the whole buffer",
    },
)
