"""AdaGrad-Norm: one step size for all coordinates, divided by the root of the sum of squared norms."""

from sympy import sqrt

from optverify.language import (
    Hyperparameter, Source, State, decay, decayed, g, gradient, hyper_symbol, lr, maximize, norm, positive,
    rule, t, theta, weight_decay_form,
)

b0 = hyper_symbol("b0", positive=True)
b = State("b", nonnegative=True, scalar=True, initial=b0, meaning="root of b0^2 + sum of squared norms")


@rule(
    "adagrad_norm",
    title="AdaGrad-Norm",
    sources=[
        Source("Ward, Wu and Bottou", 2019, "AdaGrad stepsizes: sharp convergence over nonconvex landscapes",
               "Algorithm 1", "ICML", arxiv="1806.01811"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta", 1.0, positive, "step size"),
        Hyperparameter(b0, "b_0", 0.1, positive, "value the root starts from; the paper leaves it open"),
        decay,
    ],
    states=[b],
    axes=[weight_decay_form, maximize],
)
def adagrad_norm(d):
    """AdaGrad that keeps the direction of the gradient; it converges for every step size."""
    yield g[t], gradient(d, at=theta[t-1])
    yield b[t], sqrt(b[t-1]**2 + norm(g[t])**2)
    yield theta[t], decayed(d, theta[t-1] - lr/b[t]*g[t])
