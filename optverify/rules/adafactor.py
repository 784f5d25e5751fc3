"""Adafactor: Adam's second moment from its row and column means alone, without a first moment."""

from sympy import Max, Min, sqrt

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, column_mean, decay, decayed, ema, g, gradient,
    hyper_symbol, layerwise_decay, looked_at, lr, maximize, mean, momentum, nonnegative, positive, rms,
    row_mean, rule, t, theta, unit,
)

eps1, eps2 = hyper_symbol("eps1"), hyper_symbol("eps2")
clip = hyper_symbol("clip_threshold", positive=True)
rate = hyper_symbol("decay_rate", positive=True)
R = State("R", nonnegative=True, side="rows", meaning="decaying mean of the row means of squares")
C = State("C", nonnegative=True, side="columns", meaning="decaying mean of its column means")
V = State("V", nonnegative=True, meaning="second moment, where it is not factored")
m = State("m", meaning="decaying mean of the step")
V_hat, U, U_hat = Variable("V_hat", nonnegative=True), Variable("U"), Variable("U_hat")
rho, alpha = Variable("rho", nonnegative=True, scalar=True), Variable("alpha", nonnegative=True, scalar=True)
beta = Variable("beta_hat", scalar=True)

factored = Axis(
    "factored",
    "Is the second moment kept as a row times a column?",
    {True: "yes, for matrices (Algorithm 4)", False: "no, as for vectors (Algorithm 5)"},
)
relative_step = Axis(
    "relative_step",
    "Does the step size fall like 1/sqrt(t)?",
    {True: "yes, from lr on: min(lr, 1/sqrt(t))", False: "no: lr is used as it is (optax)"},
)
parameter_scale = Axis(
    "parameter_scale",
    "Is the step in proportion to the parameters?",
    {True: "yes, to their root mean square, eps2 at least", False: "no"},
)
clipping = Axis(
    "clipping",
    "Is the root mean square of the update held below clip_threshold?",
    {True: "yes", False: "no"},
)
epsilon = Axis(
    "epsilon",
    "Where does eps1 stand?",
    {
        "added": "added to the squared gradient",
        "floor": "smallest mean row, and its square the smallest second moment (PyTorch)",
    },
)
buffer = Axis(
    "buffer",
    "Does a momentum buffer carry the step?",
    {"none": "no", "ema": "yes, a decaying mean of scaled steps, lr inside (optax, fairseq)"},
)


@rule(
    "adafactor",
    title="Adafactor",
    sources=[
        Source("Shazeer and Stern", 2018, "Adafactor: adaptive learning rates with sublinear memory cost",
               "Algorithms 4 and 5, with the numbers of Algorithm 6; R and C hold means where the paper has"
               " sums, which cancels in V-hat", "ICML", arxiv="1804.04235"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\rho", 0.01, positive, "largest relative step size"),
        Hyperparameter(eps1, r"\epsilon_1", 1e-30, nonnegative, "keeps the division defined"),
        Hyperparameter(eps2, r"\epsilon_2", 1e-3, nonnegative, "smallest scale of the parameters"),
        Hyperparameter(clip, "d", 1.0, positive, "largest root mean square of the update"),
        Hyperparameter(rate, "c", 0.8, positive, "the mean's decay rate is 1 - t^-decay_rate"),
        Hyperparameter(momentum, r"\beta_1", 0.9, unit, "share of the buffer that is kept"),
        decay,
    ],
    states=[R, C, V, m],
    axes=[
        factored, relative_step, parameter_scale, clipping, epsilon, buffer,
        layerwise_decay.only(
            "none", "coupled", "decoupled", "decoupled_without_lr", "after_step", "before_step"
        ),
        maximize,
    ],
)
def adafactor(d):
    """The memory of a matrix's second moment falls from m*n to m + n; steps are relative to the weights."""
    floor = d.epsilon == "floor"
    square = g[t]**2 if floor else g[t]**2 + eps1
    yield g[t], gradient(d, at=theta[t-1])
    yield rho[t], Min(lr, 1/sqrt(t)) if d.relative_step else lr
    yield alpha[t], Max(eps2, rms(looked_at(d)))*rho[t] if d.parameter_scale else rho[t]
    yield beta[t], 1 - t**(-rate)
    if d.factored:
        yield R[t], ema(beta[t], R[t-1], row_mean(square))
        yield C[t], ema(beta[t], C[t-1], column_mean(square))
        yield V_hat[t], R[t]*C[t]/(Max(mean(R[t]), eps1) if floor else mean(R[t]))
        second = V_hat[t]
    else:
        yield V[t], ema(beta[t], V[t-1], square)
        second = V[t]
    yield U[t], g[t]/sqrt(Max(second, eps1**2) if floor else second)
    step = U[t]
    if d.clipping:
        yield U_hat[t], U[t]/Max(1, rms(U[t])/clip)
        step = U_hat[t]
    if d.buffer == "ema":
        yield m[t], ema(momentum, m[t-1], alpha[t]*step)
        yield theta[t], decayed(d, looked_at(d) - m[t])
    else:
        yield theta[t], decayed(d, looked_at(d) - alpha[t]*step)
