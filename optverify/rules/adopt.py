"""ADOPT: the gradient is divided by the root mean square of the gradients before it, then averaged."""

from sympy import Eq, Max, Min, Piecewise, Rational, sqrt

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, beta1, beta2, decay, decayed, ema, eps, g, gradient, lr,
    maximize, positive, rule, t, theta, unit, weight_decay_form,
)

m = State("m", meaning="decaying mean of the divided gradient")
v = State("v", nonnegative=True, meaning="decaying mean of the squared gradient")
u, s, c = Variable("u"), Variable("s"), Variable("c", nonnegative=True, scalar=True)

clipping = Axis(
    "clipping",
    "Is the divided gradient clipped?",
    {"fourth_root": "coordinate by coordinate, to (t - 1)^(1/4) in size", "none": "no"},
)
first_mean = Axis(
    "first_mean",
    "What is the mean after the second update, the first that moves theta?",
    {
        "zero": "it starts at zero, and the divided gradient gets its usual weight (optax)",
        "gradient": "the divided gradient with weight 1 (the first version of the paper)",
    },
)
nesterov = Axis(
    "nesterov_step",
    "Does the step look ahead?",
    {False: "no: the step is the mean", True: "yes: the mean is averaged with the new one again (optax)"},
)


@rule(
    "adopt",
    title="ADOPT",
    sources=[
        Source("Taniguchi et al.", 2024, "ADOPT: modified Adam can converge with any beta2 with the optimal"
               " rate", "the algorithm box with clipping; their t is t - 1 here, since the first gradient"
               " only gives v_0", "NeurIPS", arxiv="2411.02853"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\alpha", 1e-3, positive, "step size"),
        Hyperparameter(beta1, r"\beta_1", 0.9, unit, "decay rate of the mean step"),
        Hyperparameter(beta2, r"\beta_2", 0.9999, unit, "decay rate of the mean square"),
        Hyperparameter(eps, r"\epsilon", 1e-6, positive, "least divisor"),
        decay,
    ],
    states=[m, v],
    axes=[clipping, first_mean, nesterov, weight_decay_form, maximize],
)
def adopt(d):
    """What a gradient is divided by does not depend on it, so that any beta2 converges."""
    yield g[t], gradient(d, at=theta[t-1])
    yield u[t], g[t]/Max(sqrt(v[t-1]), eps)
    divided = u[t]
    if d.clipping == "fourth_root":
        yield c[t], (t - 1)**Rational(1, 4)
        divided = Max(-c[t], Min(u[t], c[t]))
    cases = [(m[t-1], Eq(t, 1)), (ema(beta1, m[t-1], divided), True)]
    if d.first_mean == "gradient":
        cases.insert(1, (divided, Eq(t, 2)))
    yield m[t], Piecewise(*cases)
    yield v[t], Piecewise((g[t]**2, Eq(t, 1)), (ema(beta2, v[t-1], g[t]**2), True))
    step = m[t]
    if d.nesterov_step:
        yield s[t], Piecewise((m[t], Eq(t, 1)), (ema(beta1, m[t], divided), True))
        step = s[t]
    yield theta[t], decayed(d, theta[t-1] - lr*step)
