"""Momentum: the velocity keeps a decaying sum of past gradients."""

from sympy import Eq, Piecewise

from optverify.language import (
    Axis, Hyperparameter, Source, State, dampening, decay, decayed, g, gradient, lr, lr_placement, maximize,
    momentum, positive, rule, t, theta, unit, weight_decay_form,
)

v = State("v", meaning="velocity")

form = Axis(
    "form",
    "What weight does a new gradient get?",
    {
        "heavy_ball": "weight 1: terminal velocity is lr * gradient / (1 - momentum)",
        "ema": "weight 1 - momentum: the buffer is a decaying mean",
        "dampened": "weight 1 - dampening",
    },
)
first_buffer = Axis(
    "first_buffer",
    "What is the buffer after the first update?",
    {
        "zero": "it starts at zero and the first gradient gets its usual weight",
        "gradient": "the first gradient with weight 1, whatever the form (PyTorch)",
    },
)


@rule(
    "momentum",
    title="Momentum",
    sources=[
        Source("Polyak", 1964, "Some methods of speeding up the convergence of iteration methods",
               "the two-step method with a momentum term",
               "USSR Computational Mathematics and Mathematical Physics 4",
               url="https://doi.org/10.1016/0041-5553(64)90137-5"),
        Source("Sutskever, Martens, Dahl and Hinton", 2013, "On the importance of initialization and momentum"
               " in deep learning", "equations (1) and (2)", "ICML",
               url="https://proceedings.mlr.press/v28/sutskever13.html"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\varepsilon", 0.01, positive, "step size"),
        Hyperparameter(momentum, r"\mu", 0.9, unit, "share of the velocity that is kept"),
        Hyperparameter(dampening, r"\tau", 0.0, unit, "share of a new gradient that is dropped"),
        decay,
    ],
    states=[v],
    axes=[form, lr_placement, first_buffer, weight_decay_form, maximize],
)
def rule_momentum(d):
    """The parameters move with a velocity; gradients accelerate it and friction slows it."""
    inside = d.lr_placement == "inside"
    weight = {"heavy_ball": 1, "ema": 1 - momentum, "dampened": 1 - dampening}[d.form]
    first = -lr*g[t] if inside else g[t]
    later = momentum*v[t-1] + weight*first
    yield g[t], gradient(d, at=theta[t-1])
    yield v[t], Piecewise((first, Eq(t, 1)), (later, True)) if d.first_buffer == "gradient" else later
    yield theta[t], decayed(d, theta[t-1] + v[t] if inside else theta[t-1] - lr*v[t])
