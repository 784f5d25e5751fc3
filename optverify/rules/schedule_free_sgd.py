"""Schedule-Free SGD: an average of the points takes the place of a learning rate that falls."""

from sympy import Max, Piecewise

from optverify.language import (
    Axis, Domain, Hyperparameter, Source, State, Variable, decay, g, gradient, lr, maximize, momentum,
    positive, rule, t, theta, weight_decay_form,
)

z = State("z", initial=theta[t-1], meaning="the point that takes the steps")
total = State("W", nonnegative=True, scalar=True, meaning="sum of the weights")
largest = State("gamma_max", nonnegative=True, scalar=True, meaning="largest step size so far")
x, c = Variable("x"), Variable("c", scalar=True)

parameters = Axis(
    "parameters",
    "Which of the points is theta?",
    {
        "average": "the average x, which is evaluated; the gradient is taken between it and z",
        "gradient_point": "the point y of the gradient, with x = (y - (1 - beta) z)/beta (the authors' code,"
        " optax, Keras)",
    },
)
weighting = Axis(
    "weighting",
    "What weight does a point get in the average?",
    {
        "step_size": "the square of its step size",
        "largest": "the square of the largest step size so far (the authors' code, optax)",
        "equal": "the same as all others: c = 1/t (Keras)",
    },
)
open_unit = Domain(0, 1, low_open=True)


def point(d, beta):
    """y, between z and the average."""
    return (1 - beta)*z[t-1] + beta*theta[t-1] if d.parameters == "average" else theta[t-1]


def average(d, beta, gamma):
    """The lines that follow z[t]: the weight c of the new point, the average, theta."""
    if d.weighting == "equal":
        yield c[t], 1/t
    else:
        size = gamma
        if d.weighting == "largest":
            yield largest[t], Max(largest[t-1], gamma)
            size = largest[t]
        yield total[t], total[t-1] + size**2
        yield c[t], Piecewise((size**2/total[t], total[t] > 0), (0, True))
    if d.parameters == "average":
        yield theta[t], (1 - c[t])*theta[t-1] + c[t]*z[t]
    else:
        yield x[t], (1 - c[t])*(theta[t-1] - (1 - beta)*z[t-1])/beta + c[t]*z[t]
        yield theta[t], (1 - beta)*z[t] + beta*x[t]


@rule(
    "schedule_free_sgd",
    title="Schedule-Free SGD",
    sources=[
        Source("Defazio et al.", 2024, "The road less scheduled", "the three lines of Schedule-Free SGD, with"
               " the weights of Algorithm 1; theta is their x", "NeurIPS", arxiv="2405.15682"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\gamma", 1.0, positive, "step size; warm-up is a schedule of it"),
        Hyperparameter(momentum, r"\beta", 0.9, open_unit, "where between z and the average the gradient is"),
        decay,
    ],
    states=[z, total, largest],
    axes=[parameters, weighting, weight_decay_form.only("none", "coupled"), maximize],
)
def schedule_free_sgd(d):
    """The gradient is taken near the average, where it is asked for, and moves another point."""
    yield g[t], gradient(d, at=point(d, momentum))
    yield z[t], z[t-1] - lr*g[t]
    yield from average(d, momentum, lr)
