"""AdaDelta: steps in the units of theta, the mean size of past steps over that of past gradients."""

from sympy import sqrt

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, decay, decayed, ema, eps, g, gradient, lr, maximize,
    nonnegative, positive, rho, rule, t, theta, unit, weight_decay_form,
)

v = State("v", nonnegative=True, meaning="decaying mean of the squared gradient")
u = State("u", nonnegative=True, meaning="decaying mean of the squared step")
Delta = Variable("Delta")

accumulated = Axis(
    "accumulated",
    "Which step enters the mean of squared steps?",
    {
        "before_lr": "the one that lr is still to multiply (PyTorch, Keras, optax); the same where lr = 1",
        "after_lr": "the one that theta takes",
    },
)


@rule(
    "adadelta",
    title="AdaDelta",
    sources=[
        Source("Zeiler", 2012, "ADADELTA: an adaptive learning rate method", "Algorithm 1, with v for E[g^2]"
               " and u for E[Delta x^2]; it has no learning rate: lr = 1", arxiv="1212.5701"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta", 1.0, positive, "factor of the step"),
        Hyperparameter(rho, r"\rho", 0.95, unit, "decay rate of the means"),
        Hyperparameter(eps, r"\epsilon", 1e-6, nonnegative, "sets the first step, guards the division"),
        decay,
    ],
    states=[v, u],
    axes=[accumulated, weight_decay_form, maximize],
)
def adadelta(d):
    """No step size to choose: the steps of the past set the scale of the next."""
    after = d.accumulated == "after_lr"
    step = -sqrt(u[t-1] + eps)/sqrt(v[t] + eps)*g[t]
    yield g[t], gradient(d, at=theta[t-1])
    yield v[t], ema(rho, v[t-1], g[t]**2)
    yield Delta[t], lr*step if after else step
    yield u[t], ema(rho, u[t-1], Delta[t]**2)
    yield theta[t], decayed(d, theta[t-1] + (Delta[t] if after else lr*Delta[t]))
