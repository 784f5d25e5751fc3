"""Yogi: Adam whose second moment moves by a bounded amount, up or down, towards the squared gradient."""

from sympy import S, sign

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, beta1, beta2, bias_correction, corrected, decay, decayed,
    ema, eps, epsilon, g, gradient, initial_accumulator, lr, maximize, nonnegative, positive, root, rule, t,
    theta, unit, weight_decay_form,
)

m = State("m", meaning="first moment: decaying mean of the gradient")
v = State("v", nonnegative=True, initial=initial_accumulator, meaning="second moment of the gradient")
m_hat, v_hat = Variable("m_hat"), Variable("v_hat", nonnegative=True)

first_moment = Axis(
    "first_moment",
    "What does the first moment start from?",
    {"zero": "zero", "accumulator": "the same number as the second (optax, pytorch_optimizer)"},
)


@rule(
    "yogi",
    title="Yogi",
    sources=[
        Source("Zaheer, Reddi, Sachan, Kale and Kumar", 2018, "Adaptive methods for nonconvex optimization",
               "Algorithm 2: no bias correction; the numbers are those of its experiments", "NeurIPS",
               url="https://papers.nips.cc/paper/8186-adaptive-methods-for-nonconvex-optimization"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta", 0.01, positive, "step size"),
        Hyperparameter(beta1, r"\beta_1", 0.9, unit, "decay rate of the first moment"),
        Hyperparameter(beta2, r"\beta_2", 0.999, unit, "1 - beta2 bounds a move of the second moment"),
        Hyperparameter(eps, r"\epsilon", 1e-3, nonnegative, "keeps the division defined"),
        Hyperparameter(initial_accumulator, "v_0", 1e-6, nonnegative, "value the second moment starts from"),
        decay,
    ],
    states=[m, v],
    axes=[epsilon.only("outside", "inside"), bias_correction.only("none", "both"), first_moment,
          weight_decay_form, maximize],
)
def yogi(d):
    """The step size grows slowly after a large gradient has passed, where Adam's leaps."""
    d.set_initial(m, initial_accumulator if d.first_moment == "accumulator" else S.Zero)
    yield g[t], gradient(d, at=theta[t-1])
    yield m[t], ema(beta1, m[t-1], g[t])
    yield v[t], v[t-1] - (1 - beta2)*sign(v[t-1] - g[t]**2)*g[t]**2
    mean, second = m[t], v[t]
    if d.bias_correction == "both":
        yield m_hat[t], corrected(m[t], beta1)
        yield v_hat[t], corrected(v[t], beta2)
        mean, second = m_hat[t], v_hat[t]
    yield theta[t], decayed(d, theta[t-1] - lr*mean/root(d, second))
