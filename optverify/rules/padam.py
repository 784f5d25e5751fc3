"""Padam: AMSGrad whose second moment is raised to a small power, between momentum and Adam."""

from sympy import Max, sqrt

from optverify.language import (
    Axis, Domain, Hyperparameter, Source, State, beta1, beta2, bias_correction, decay, decayed, ema, eps,
    epsilon, g, gradient, hyper_symbol, lr, maximize, nonnegative, positive, rule, t, theta, unit,
    weight_decay_form,
)

m = State("m", meaning="first moment: decaying mean of the gradient")
v = State("v", nonnegative=True, meaning="second moment: decaying mean of the squared gradient")
v_max = State("v_max", nonnegative=True, meaning="largest second moment so far (AMSGrad)")
partial = hyper_symbol("partial")
half = Domain(0, 0.5, low_open=False, high_open=False)

amsgrad = Axis(
    "amsgrad",
    "Is the largest second moment so far taken?",
    {True: "yes", False: "no (pytorch_optimizer)"},
)


@rule(
    "padam",
    title="Padam",
    sources=[
        Source("Chen, Zhou, Tang, Yang, Cao and Gu", 2020, "Closing the generalization gap of adaptive"
               " gradient methods in training deep neural networks", "Algorithm 1; epsilon is that of"
               " the authors' code", "IJCAI", arxiv="1806.06763"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\alpha", 0.1, positive, "step size"),
        Hyperparameter(beta1, r"\beta_1", 0.9, unit, "decay rate of the first moment"),
        Hyperparameter(beta2, r"\beta_2", 0.999, unit, "decay rate of the second moment"),
        Hyperparameter(partial, "p", 0.125, half, "power of the second moment; 0 is momentum, 1/2 AMSGrad"),
        Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "keeps the division defined"),
        decay,
    ],
    states=[m, v, v_max],
    axes=[epsilon.only("outside", "inside"), bias_correction.only("none", "both"), amsgrad, weight_decay_form,
          maximize],
)
def padam(d):
    """The smaller the power, the nearer to momentum, and the larger the step size may be."""
    rate = lr*sqrt(1 - beta2**t)/(1 - beta1**t) if d.bias_correction == "both" else lr
    yield g[t], gradient(d, at=theta[t-1])
    yield m[t], ema(beta1, m[t-1], g[t])
    yield v[t], ema(beta2, v[t-1], g[t]**2)
    second = v[t]
    if d.amsgrad:
        yield v_max[t], Max(v_max[t-1], v[t])
        second = v_max[t]
    divisor = (second + eps)**partial if d.epsilon == "inside" else (sqrt(second) + eps)**(2*partial)
    yield theta[t], decayed(d, theta[t-1] - rate*m[t]/divisor)
