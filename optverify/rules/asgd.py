"""Averaged SGD: gradient descent whose result is the mean of the points it went through."""

from sympy import Eq, Max, Piecewise

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, decay, decayed, g, gradient, hyper_symbol, lr, maximize,
    nonnegative, positive, rule, t, theta, weight_decay_form,
)

average = State("theta_bar", meaning="mean of the points after average_start, the result")
eta_next = State("eta_next", scalar=True, meaning="step size of the next update")
eta, mu = Variable("eta", scalar=True), Variable("mu", scalar=True)
lambd, power, average_start = (hyper_symbol(name) for name in ("lambd", "power", "average_start"))

step_size = Axis(
    "step_size",
    "Does the step size fall by itself?",
    {
        "constant": "no",
        "falling": "lr / (1 + lambd * lr * (t - 1))^power, and theta shrinks by that times lambd (Bottou)",
        "falling_late": "it does, but a change of lr acts one update later (PyTorch)",
    },
)


@rule(
    "asgd",
    title="Averaged SGD",
    sources=[
        Source("Polyak and Juditsky", 1992, "Acceleration of stochastic approximation by averaging",
               "the averaged iteration of section 2", "SIAM Journal on Control and Optimization 30",
               url="https://doi.org/10.1137/0330046"),
        Source("Bottou", 2010, "Large-scale machine learning with stochastic gradient descent",
               "averaged SGD and the step sizes of its experiments", "COMPSTAT"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\gamma", 0.01, positive, "step size of the first update"),
        Hyperparameter(lambd, r"\lambda_0", 1e-4, nonnegative,
                       "strength of an L2 penalty; sets the fall, too"),
        Hyperparameter(power, "a", 0.75, nonnegative, "how fast the step size falls"),
        Hyperparameter(average_start, "t_0", 0.0, nonnegative,
                       "updates before the mean begins (PyTorch: its t0 + 1)"),
        decay,
    ],
    states=[average, eta_next],
    axes=[step_size, weight_decay_form, maximize],
)
def asgd(d):
    """The points jump about the minimum; their mean comes to it as fast as any method can."""
    yield g[t], gradient(d, at=theta[t-1])
    stepped = theta[t-1] - lr*g[t]
    if d.step_size != "constant":
        if d.step_size == "falling":
            yield eta[t], lr/(1 + lambd*lr*(t - 1))**power
        else:
            yield eta[t], Piecewise((lr, Eq(t, 1)), (eta_next[t-1], True))
            yield eta_next[t], lr/(1 + lambd*lr*t)**power
        stepped = (1 - lambd*eta[t])*theta[t-1] - eta[t]*g[t]
    yield mu[t], 1/Max(1, t - average_start)
    yield theta[t], decayed(d, stepped)
    yield average[t], average[t-1] + mu[t]*(theta[t] - average[t-1])
