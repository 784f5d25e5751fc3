"""AdaGrad: every coordinate is divided by the root of the sum of its squared gradients."""

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, decay, decayed, eps, epsilon, g, gradient,
    initial_accumulator, lr, lr_decay, maximize, nonnegative, positive, root, rule, t, theta,
    weight_decay_form,
)

G = State("G", nonnegative=True, initial=initial_accumulator, meaning="sum of the squared gradients")
eta = Variable("eta", nonnegative=True)

lr_schedule = Axis(
    "lr_schedule",
    "Does the learning rate fall by itself?",
    {
        "constant": "no",
        "inverse_time": "lr / (1 + (t - 1) * lr_decay) (PyTorch's lr_decay)",
    },
)


@rule(
    "adagrad",
    title="AdaGrad",
    sources=[
        Source("Duchi, Hazan and Singer", 2011, "Adaptive subgradient methods for online learning and"
               " stochastic optimization", "Figure 1, diagonal case; epsilon is their delta", "JMLR 12",
               url="https://jmlr.org/papers/v12/duchi11a.html"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta", 0.01, positive, "step size"),
        Hyperparameter(eps, r"\delta", 1e-10, nonnegative, "keeps the division defined"),
        Hyperparameter(initial_accumulator, "G_0", 0.0, nonnegative, "value the sum starts from"),
        Hyperparameter(lr_decay, r"\gamma", 0.0, nonnegative, "speed at which the learning rate falls"),
        decay,
    ],
    states=[G],
    axes=[epsilon.only("outside", "inside"), lr_schedule, weight_decay_form, maximize],
)
def adagrad(d):
    """Coordinates with rare or small gradients keep a large step; no step size ever grows."""
    rate = lr
    yield g[t], gradient(d, at=theta[t-1])
    yield G[t], G[t-1] + g[t]**2
    if d.lr_schedule == "inverse_time":
        yield eta[t], lr/(1 + (t - 1)*lr_decay)
        rate = eta[t]
    yield theta[t], decayed(d, theta[t-1] - rate*g[t]/root(d, G[t]))
