"""SM3: AdaGrad that remembers one number for each row and one for each column."""

from sympy import Min, Piecewise, sqrt

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, column_max, decay, decayed, ema, eps, g, gradient, lr,
    maximize, momentum, nonnegative, positive, row_max, rule, t, theta, unit, weight_decay_form,
)

R = State("R", nonnegative=True, side="rows", meaning="mu of the rows: cover of the sums of squares in each")
C = State("C", nonnegative=True, side="columns", meaning="mu of the columns")
nu, q = Variable("nu", nonnegative=True), Variable("q", nonnegative=True)
m = State("m", meaning="decaying mean of the step")

version = Axis(
    "version",
    "Is the square added before the maximum or after the minimum?",
    {
        "II": "added to the minimum, then the maximum is taken: SM3-II, the tighter bound",
        "I": "the largest square of a row or column is added to its number: SM3-I",
    },
)
buffer = Axis(
    "buffer",
    "Does a momentum buffer carry the step?",
    {"none": "no", "ema": "yes, a decaying mean (optax)"},
)
epsilon = Axis(
    "epsilon",
    "Where does epsilon stand?",
    {
        "none": "nowhere: 0/0 is read as 0",
        "inside": "under the root: sqrt(nu + eps); the step is 0 where nu is 0 (optax)",
    },
)


@rule(
    "sm3",
    title="SM3",
    sources=[
        Source("Anil, Gupta, Koren and Singer", 2019, "Memory-efficient adaptive optimization", "Algorithms"
               " SM3-I and SM3-II, with rows and columns as the cover", "NeurIPS", arxiv="1901.11150"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta", 0.1, positive, "step size"),
        Hyperparameter(momentum, r"\beta", 0.9, unit, "share of the buffer that is kept"),
        Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "keeps the division defined"),
        decay,
    ],
    states=[R, C, m],
    axes=[version, buffer, epsilon, weight_decay_form, maximize],
)
def sm3(d):
    """What a row and a column say together bounds the sum of squares of each entry from above."""
    yield g[t], gradient(d, at=theta[t-1])
    if d.version == "II":
        yield nu[t], Min(R[t-1], C[t-1]) + g[t]**2
        yield R[t], row_max(nu[t])
        yield C[t], column_max(nu[t])
    else:
        yield R[t], R[t-1] + row_max(g[t]**2)
        yield C[t], C[t-1] + column_max(g[t]**2)
        yield nu[t], Min(R[t], C[t])
    under = nu[t] + eps if d.epsilon == "inside" else nu[t]
    yield q[t], Piecewise((sqrt(under), nu[t] > 0), (1, True))  # where nu is 0, g is 0
    step = g[t]/q[t]
    if d.buffer == "ema":
        yield m[t], ema(momentum, m[t-1], step)
        step = m[t]
    yield theta[t], decayed(d, theta[t-1] - lr*step)
