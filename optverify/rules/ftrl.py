"""FTRL-Proximal: follow the leader among all points so far, held back by distance and by their size."""

from sympy import Abs, Max, sign, sqrt

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, decay, decayed, g, gradient, hyper_symbol,
    initial_accumulator, lr, maximize, nonnegative, positive, rule, t, theta, weight_decay, weight_decay_form,
)

z = State("z", meaning="sum of the gradients, less what distances to earlier points cost")
n = State("n", nonnegative=True, initial=initial_accumulator, meaning="sum of the squared gradients")
sigma = Variable("sigma", nonnegative=True)
lambda1, lambda2, beta = hyper_symbol("lambda1"), hyper_symbol("lambda2"), hyper_symbol("beta")
lr_power, shrinkage = hyper_symbol("lr_power", positive=True), hyper_symbol("shrinkage")

rate = Axis(
    "rate",
    "How does the step size of a coordinate fall?",
    {"root": "with the root of the sum of squares", "power": "with its power lr_power (TensorFlow, Keras)"},
)
l2_shrinkage = Axis(
    "l2_shrinkage",
    "Does a penalty enter the gradient, but not the sum of squares?",
    {False: "no", True: "yes: shrinkage * theta (TensorFlow, Keras: twice their l2 shrinkage)"},
)
decay_form = Axis(
    weight_decay_form.name, weight_decay_form.question,
    {**weight_decay_form.only("none", "coupled", "after_step").options,
     "before_step": "theta shrinks by lr * weight_decay before z reads it (Keras)"},
)


@rule(
    "ftrl",
    title="FTRL-Proximal",
    sources=[
        Source("McMahan et al.", 2013, "Ad click prediction: a view from the trenches", "Algorithm 1, theta"
               " being their w; the case of small z is written as a maximum", "KDD",
               url="https://doi.org/10.1145/2487575.2488200"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\alpha", 0.1, positive, "step size"),
        Hyperparameter(beta, r"\beta", 1.0, nonnegative, "smooths the step size of the first updates"),
        Hyperparameter(lambda1, r"\lambda_1", 0.0, nonnegative, "L1 penalty: coordinates become zero"),
        Hyperparameter(lambda2, r"\lambda_2", 0.0, nonnegative, "L2 penalty"),
        Hyperparameter(initial_accumulator, "n_0", 0.0, nonnegative, "value the sum of squares starts from"),
        Hyperparameter(lr_power, "p", 0.5, positive, "how fast the step size falls"),
        Hyperparameter(shrinkage, r"\rho", 0.0, nonnegative, "penalty on the gradient alone"),
        decay,
    ],
    states=[n, z],
    axes=[rate, l2_shrinkage, decay_form, maximize],
)
def ftrl(d):
    """Like AdaGrad, but theta is rebuilt from sums, so that an L1 penalty leaves exact zeros."""
    def size(total):
        return total**lr_power if d.rate == "power" else sqrt(total)

    yield g[t], gradient(d, at=theta[t-1])
    point = (1 - lr*weight_decay)*theta[t-1] if d.weight_decay_form == "before_step" else theta[t-1]
    slope = g[t] + shrinkage*point if d.l2_shrinkage else g[t]
    yield n[t], n[t-1] + g[t]**2
    yield sigma[t], (size(n[t]) - size(n[t-1]))/lr
    yield z[t], z[t-1] + slope - sigma[t]*point
    yield theta[t], decayed(d, -sign(z[t])*Max(Abs(z[t]) - lambda1, 0)/((beta + size(n[t]))/lr + lambda2))
