"""Lion: a step of the same size in every coordinate, along the sign of a mean gradient."""

from sympy import sign

from optverify.language import (
    Hyperparameter, Source, State, Variable, beta1, beta2, decay, decayed, ema, g, gradient, lr, maximize,
    positive, rule, t, theta, unit, weight_decay_form,
)

m = State("m", meaning="decaying mean of the gradient")
c = Variable("c")


@rule(
    "lion",
    title="Lion",
    sources=[
        Source("Chen et al.", 2023, "Symbolic discovery of optimization algorithms", "Algorithm 2", "NeurIPS",
               arxiv="2302.06675"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta", 1e-4, positive, "step size"),
        Hyperparameter(beta1, r"\beta_1", 0.9, unit, "weight of the memory in the step"),
        Hyperparameter(beta2, r"\beta_2", 0.99, unit, "decay rate of the memory"),
        decay,
    ],
    states=[m],
    axes=[weight_decay_form.starting("decoupled"), maximize],
)
def lion(d):
    """The step weighs the new gradient more than the memory does, as Nesterov momentum would."""
    yield g[t], gradient(d, at=theta[t-1])
    yield c[t], ema(beta1, m[t-1], g[t])
    yield m[t], ema(beta2, m[t-1], g[t])
    yield theta[t], decayed(d, theta[t-1] - lr*sign(c[t]))
