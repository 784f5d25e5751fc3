"""Optimistic gradient descent: the last gradient serves as a guess of the next one."""

from sympy import Eq, Piecewise

from optverify.language import (
    Axis, Hyperparameter, Source, State, decay, decayed, g, gradient, hyper_symbol, lr, maximize,
    nonnegative, positive, rule, t, theta, weight_decay_form,
)

M = State("M", meaning="guess of the next gradient: the last one")
alpha, beta = hyper_symbol("alpha"), hyper_symbol("beta")

weights = Axis(
    "weights",
    "Which weights do the two gradients get?",
    {
        "fixed": "2 and -1",
        "generalized": "alpha + beta and -beta (Mokhtari et al.; optax)",
    },
)
first_guess = Axis(
    "first_guess",
    "What is the guess before the first gradient?",
    {"zero": "zero", "gradient": "the first gradient itself: a plain step (optax)"},
)


@rule(
    "optimistic_gd",
    title="Optimistic gradient descent",
    sources=[
        Source("Daskalakis, Ilyas, Syrgkanis and Zeng", 2018, "Training GANs with optimism", "the update of"
               " optimistic mirror descent for the Euclidean norm, section 2", "ICLR", arxiv="1711.00141"),
        Source("Rakhlin and Sridharan", 2013, "Optimization, learning, and games with predictable sequences",
               "optimistic mirror descent; M is their predictable sequence", "NeurIPS", arxiv="1311.1869"),
        Source("Mokhtari, Ozdaglar and Pattathil", 2020, "A unified analysis of extra-gradient and optimistic"
               " gradient methods for saddle point problems", "generalized OGDA", "AISTATS",
               arxiv="1901.08511"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta", 0.01, positive, "step size"),
        Hyperparameter(alpha, r"\alpha", 1.0, nonnegative, "weight of the gradient"),
        Hyperparameter(beta, r"\beta", 1.0, nonnegative, "weight of the change since the last gradient"),
        decay,
    ],
    states=[M],
    axes=[weights, first_guess, weight_decay_form, maximize],
)
def optimistic_gd(d):
    """A gradient step and a correction of the last guess: in games it stops the players from circling."""
    a, b = (1, 1) if d.weights == "fixed" else (alpha, beta)
    later = decayed(d, theta[t-1] - lr*(a + b)*g[t] + lr*b*M[t-1])
    first = decayed(d, theta[t-1] - lr*a*g[t])
    yield g[t], gradient(d, at=theta[t-1])
    yield theta[t], Piecewise((first, Eq(t, 1)), (later, True)) if d.first_guess == "gradient" else later
    yield M[t], g[t]
