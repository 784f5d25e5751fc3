"""DoG: the step size is the distance gone over the root of the sum of squared gradient norms."""

from sympy import Max, sqrt

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, decay, decayed, eps, g, gradient, hyper_symbol, lr,
    maximize, nonnegative, norm, positive, rule, t, theta, weight_decay_form,
)

r_eps = hyper_symbol("r_eps", positive=True)
theta_0 = State("theta_0", initial=theta[t-1], meaning="parameters at the start")
r_bar = State("r_bar", nonnegative=True, scalar=True, meaning="largest distance from the start so far")
G = State("G", nonnegative=True, scalar=True, meaning="sum of the squared gradient norms")
eta = Variable("eta", scalar=True)

first_distance = Axis(
    "first_distance",
    "Which distance counts at least?",
    {
        "relative": "r_eps * (1 + |theta_0|): the paper's choice",
        "absolute": "r_eps itself",
    },
)


@rule(
    "dog",
    title="DoG",
    sources=[
        Source("Ivgi, Hinder and Carmon", 2023, "DoG is SGD's best friend: a parameter-free dynamic step"
               " size schedule", "equation (DoG); epsilon stands in the authors' code", "ICML",
               arxiv="2302.12022"),
    ],
    hyperparameters=[
        Hyperparameter(lr, "c", 1.0, positive, "factor on the step size; 1 is the paper's"),
        Hyperparameter(r_eps, r"r_\epsilon", 1e-6, positive, "distance that the first step goes"),
        Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "keeps the division defined"),
        decay,
    ],
    states=[theta_0, r_bar, G],
    axes=[first_distance, weight_decay_form, maximize],
)
def dog(d):
    """Distance over gradients: no step size to tune. Norms are those of one array; the paper's, of all."""
    least = r_eps*(1 + norm(theta_0[t])) if d.first_distance == "relative" else r_eps
    yield g[t], gradient(d, at=theta[t-1])
    yield theta_0[t], theta_0[t-1]
    yield r_bar[t], Max(r_bar[t-1], norm(theta[t-1] - theta_0[t]), least)
    yield G[t], G[t-1] + norm(g[t])**2
    yield eta[t], lr*r_bar[t]/sqrt(G[t] + eps)
    yield theta[t], decayed(d, theta[t-1] - eta[t]*g[t])
