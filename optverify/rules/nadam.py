"""Nadam: Adam whose first moment looks ahead, as Nesterov momentum does."""

from sympy import Rational

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, beta1, beta2, corrected, decay, decayed, ema, eps, epsilon,
    g, gradient, hyper_symbol, lr, maximize, nonnegative, positive, root, rule, t, theta, unit,
    weight_decay_form,
)

m = State("m", meaning="first moment: decaying mean of the gradient")
v = State("v", nonnegative=True, meaning="second moment: decaying mean of the squared gradient")
product = State("mu_product", nonnegative=True, scalar=True, initial=1, meaning="product of all mu so far")
mu, mu_next = (Variable(name, nonnegative=True, scalar=True) for name in ("mu", "mu_next"))
m_hat, v_hat = Variable("m_hat"), Variable("v_hat", nonnegative=True)
momentum_decay = hyper_symbol("momentum_decay")

momentum_schedule = Axis(
    "momentum_schedule",
    "Does the momentum grow?",
    {
        "growing": "mu grows from about beta1/2 to beta1",
        "growing_outside": "it does, but the first moment itself decays by beta1 (PyTorch; Keras with"
        " momentum_decay = 1)",
        "constant": "no, it is beta1 (optax)",
    },
)
first_correction = Axis(
    "first_correction",
    "How is the first moment corrected for its start at zero?",
    {
        "ahead": "by the product of all mu, the next one included",
        "same": "by the product of all mu so far, as the gradient is (a much-copied blog, river)",
    },
)
second_correction = Axis(
    "second_correction",
    "Which second moment divides the step?",
    {"beta2": "beta2 times the corrected one", "adam": "the corrected one (every library)"},
)


@rule(
    "nadam",
    title="Nadam",
    sources=[
        Source("Dozat", 2016, "Incorporating Nesterov momentum into Adam", "Algorithm 2; mu_next is mu at"
               " t + 1", "ICLR workshop", url="https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\alpha", 2e-3, positive, "step size"),
        Hyperparameter(beta1, r"\mu", 0.9, unit, "decay rate of the first moment, reached in the end"),
        Hyperparameter(beta2, r"\nu", 0.999, unit, "decay rate of the second moment"),
        Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "keeps the division defined"),
        Hyperparameter(momentum_decay, r"\psi", 0.004, nonnegative, "how fast the momentum grows"),
        decay,
    ],
    states=[m, v, product],
    axes=[momentum_schedule, first_correction, second_correction, epsilon.only("outside", "inside"),
          weight_decay_form, maximize],
)
def nadam(d):
    """The step uses the momentum of the next update already, so the new gradient acts at once."""
    def grown(time):
        return beta1*(1 - Rational(96, 100)**(time*momentum_decay)/2)

    yield g[t], gradient(d, at=theta[t-1])
    now, later, so_far, ahead = beta1, beta1, beta1**t, beta1**(t + 1)
    if d.momentum_schedule != "constant":
        yield mu[t], grown(t)
        yield mu_next[t], grown(t + 1)
        yield product[t], product[t-1]*mu[t]
        now, later, so_far, ahead = mu[t], mu_next[t], product[t], product[t]*mu_next[t]
    yield m[t], ema(now if d.momentum_schedule == "growing" else beta1, m[t-1], g[t])
    yield v[t], ema(beta2, v[t-1], g[t]**2)
    total = ahead if d.first_correction == "ahead" else so_far
    yield m_hat[t], later*m[t]/(1 - total) + (1 - now)*g[t]/(1 - so_far)
    yield v_hat[t], (beta2 if d.second_correction == "beta2" else 1)*corrected(v[t], beta2)
    yield theta[t], decayed(d, theta[t-1] - lr*m_hat[t]/root(d, v_hat[t]))
