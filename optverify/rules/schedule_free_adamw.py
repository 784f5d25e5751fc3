"""Schedule-Free AdamW: an average of the points takes the place of both momentum and a falling rate."""

from sympy import sqrt

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, beta1, beta2, corrected, decay, ema, eps, epsilon, g,
    gradient, lr, maximize, nonnegative, positive, rule, t, unit, weight_decay, weight_decay_form,
)
from optverify.rules.schedule_free_sgd import (
    average, largest, open_unit, parameters, point, total, weighting, z,
)

v = State("v", nonnegative=True, meaning="decaying mean of the squared gradient")
y, v_hat, gamma = Variable("y"), Variable("v_hat", nonnegative=True), Variable("gamma", scalar=True)

decay_form = Axis(
    weight_decay_form.name, weight_decay_form.question,
    {"decoupled": "lr * weight_decay * y is taken from z, y being the point of the gradient",
     **weight_decay_form.only("none", "coupled").options},
)


@rule(
    "schedule_free_adamw",
    title="Schedule-Free AdamW",
    sources=[
        Source("Defazio et al.", 2024, "The road less scheduled", "Algorithm 1; theta is their x",
               "NeurIPS", arxiv="2405.15682"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\gamma", 0.0025, positive, "step size; warm-up is a schedule of it"),
        Hyperparameter(beta1, r"\beta_1", 0.9, open_unit, "where between z and the average the gradient is"),
        Hyperparameter(beta2, r"\beta_2", 0.999, unit, "decay rate of the mean square"),
        Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "keeps the division defined"),
        decay,
    ],
    states=[z, v, total, largest],
    axes=[parameters, weighting, epsilon.only("hat", "outside"), decay_form, maximize],
)
def schedule_free_adamw(d):
    """Adam's step without its momentum moves z; the gradient is taken near the average of all z."""
    at = point(d, beta1)
    yield g[t], gradient(d, at=at)
    yield v[t], ema(beta2, v[t-1], g[t]**2)
    size = lr
    if d.epsilon == "hat":
        yield gamma[t], lr*sqrt(1 - beta2**t)
        size, step = gamma[t], gamma[t]*g[t]/(sqrt(v[t]) + eps)
    else:
        yield v_hat[t], corrected(v[t], beta2)
        step = lr*g[t]/(sqrt(v_hat[t]) + eps)
    if d.weight_decay_form == "decoupled":
        yield y[t], at
        step += size*weight_decay*y[t]
    yield z[t], z[t-1] - step
    yield from average(d, beta1, size)
