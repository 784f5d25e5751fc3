"""RAdam: Adam whose step is rectified for the variance of its young second moment."""

from sympy import Piecewise, sqrt

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, beta1, beta2, corrected, decay, decayed, ema, eps, epsilon,
    g, gradient, lr, maximize, nonnegative, positive, rule, t, theta, unit, weight_decay_form,
)

m = State("m", meaning="first moment: decaying mean of the gradient")
v = State("v", nonnegative=True, meaning="second moment: decaying mean of the squared gradient")
m_hat, v_hat, ell = Variable("m_hat"), Variable("v_hat", nonnegative=True), Variable("l")
rho_inf, rho_t, r = (Variable(name, scalar=True) for name in ("rho_inf", "rho", "r"))

threshold = Axis(
    "threshold",
    "From which length of memory on is the step adaptive?",
    {
        "above_4": "rho_t > 4, where the variance exists",
        "above_5": "rho_t > 5 (PyTorch)",
        "from_5": "rho_t >= 5 (the authors' code, optax)",
    },
)
before = Axis(
    "before",
    "What happens until the step is adaptive?",
    {
        "momentum": "a step along the mean gradient",
        "nothing": "theta stays as it is, weight decay included (the authors' code by default)",
    },
)


@rule(
    "radam",
    title="RAdam",
    sources=[
        Source("Liu et al.", 2020, "On the variance of the adaptive learning rate and beyond", "Algorithm 2,"
               " which has no epsilon", "ICLR", arxiv="1908.03265"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\alpha", 1e-3, positive, "step size"),
        Hyperparameter(beta1, r"\beta_1", 0.9, unit, "decay rate of the first moment"),
        Hyperparameter(beta2, r"\beta_2", 0.999, unit, "decay rate of the second moment"),
        Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "keeps the division defined"),
        decay,
    ],
    states=[m, v],
    axes=[threshold, epsilon.only("hat", "outside"), before, weight_decay_form, maximize],
)
def radam(d):
    """A warm-up derived instead of tuned: Adam's first steps are small because v knows little as yet."""
    yield g[t], gradient(d, at=theta[t-1])
    yield m[t], ema(beta1, m[t-1], g[t])
    yield v[t], ema(beta2, v[t-1], g[t]**2)
    yield m_hat[t], corrected(m[t], beta1)
    yield rho_inf[t], 2/(1 - beta2) - 1
    yield rho_t[t], rho_inf[t] - 2*t*beta2**t/(1 - beta2**t)
    rho, longest = rho_t[t], rho_inf[t]
    adaptive = {"above_4": rho > 4, "above_5": rho > 5, "from_5": rho >= 5}[d.threshold]
    rectification = sqrt((rho - 4)*(rho - 2)*longest/((longest - 4)*(longest - 2)*rho))
    yield r[t], Piecewise((rectification, adaptive), (1, True))
    if d.epsilon == "hat":
        yield ell[t], sqrt(1 - beta2**t)/(sqrt(v[t]) + eps)
        step = r[t]*m_hat[t]*ell[t]
    else:
        yield v_hat[t], corrected(v[t], beta2)
        step = r[t]*m_hat[t]/(sqrt(v_hat[t]) + eps)
    adapted = decayed(d, theta[t-1] - lr*step)
    plain = decayed(d, theta[t-1] - lr*m_hat[t]) if d.before == "momentum" else theta[t-1]
    yield theta[t], Piecewise((adapted, adaptive), (plain, True))
