"""SOAP: Adam in the basis that Shampoo's statistics give."""

from math import inf

from sympy import Eq, Max, Mod, Piecewise, sqrt

from optverify.language import (
    Axis, Domain, Exclusion, Hyperparameter, Source, State, Variable, beta1, beta2, bias_correction, decay,
    decayed, eigenvectors, ema, eps, epsilon, g, gradient, hyper_symbol, lr, matmul, maximize, nonnegative,
    orthonormal, positive, rule, t, theta, transpose, unit, weight_decay_form,
)

f = hyper_symbol("precondition_frequency", positive=True)
m = State("m", meaning="decaying mean of the gradient")
v = State("v", nonnegative=True, meaning="decaying mean of the squared gradient, in the rotated space")
L = State("L", side="left", meaning="left statistics: decaying mean of G G^T")
R = State("R", side="right", meaning="right statistics: decaying mean of G^T G")
Q_L = State("Q_L", side="left", initial=1, meaning="left basis, a column an eigenvector of L")
Q_R = State("Q_R", side="right", initial=1, meaning="right basis, a column an eigenvector of R")
g_rotated, m_rotated = Variable("g_prime"), Variable("m_prime")
m_hat, v_hat = Variable("m_hat"), Variable("v_hat", nonnegative=True)
n_rotated, n = Variable("n_prime"), Variable("n")

basis = Axis(
    "basis",
    "How does a basis follow its statistics?",
    {
        "power": "one step of power iteration, made orthonormal by QR",
        "eigh": "the eigenvectors themselves, largest eigenvalue first",
    },
)
sides = Axis(
    "sides",
    "Which sides of the matrix are rotated?",
    {"both": "both", "left": "the left alone: one-sided SOAP", "right": "the right alone: one-sided SOAP"},
)
first = Axis(
    "first",
    "What does the first gradient do?",
    {
        "step": "a step as every other, in the basis of the identity",
        "skipped": "no step: it gives the first statistics and their eigenvectors, as in the authors' code",
    },
)


@rule(
    "soap",
    title="SOAP",
    sources=[
        Source("Vyas, Morwani, Zhao, Kwun, Shapira, Brandfonbrener, Janson and Kakade", 2024, "SOAP:"
               " improving and stabilizing Shampoo using Adam",
               "Algorithm 3, which leaves out bias correction for brevity, and Algorithm 4 (the bases)",
               arxiv="2409.11321"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta", 3e-3, positive, "step size"),
        Hyperparameter(beta1, r"\beta_1", 0.95, unit, "decay rate of the mean"),
        Hyperparameter(beta2, r"\beta_2", 0.95, unit, "decay rate of the mean square and the statistics"),
        Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "keeps the division defined"),
        Hyperparameter(f, "f", 1.0, Domain(1, inf, low_open=False), "updates to a new basis, an integer"),
        decay,
    ],
    states=[m, v, L, R, Q_L, Q_R],
    excluded=[Exclusion({"bias_correction": "none", "epsilon": "hat"}, "nothing is corrected: 'outside'")],
    axes=[basis, sides, first, epsilon.only("outside", "hat"), bias_correction.only("both", "none"),
          weight_decay_form, maximize],
)  # fmt: skip
def soap(d):
    """Shampoo's statistics turn a matrix to where its coordinates hardly interact; Adam steps there."""
    left, right, skips = d.sides != "right", d.sides != "left", d.first == "skipped"
    count = Max(t - 1, 1) if skips else t

    def turned(x, ql, qr):
        x = matmul(ql, x) if left else x
        return matmul(x, qr) if right else x

    def kept(new, old):
        return Piecewise((old, Eq(t, 1)), (new, True)) if skips else new

    def renewed(statistics, q):
        new = matmul(statistics, q)
        new = orthonormal(new) if d.basis == "power" else eigenvectors(statistics)
        start = [(eigenvectors(statistics), Eq(t, 1))] if skips else []
        return Piecewise(*start, (new, Eq(Mod(t - 1 if skips else t, f), 0)), (q, True))

    yield g[t], gradient(d, at=theta[t-1])
    yield g_rotated[t], turned(g[t], transpose(Q_L[t-1]), Q_R[t-1])
    yield m[t], kept(ema(beta1, m[t-1], g[t]), m[t-1])
    yield m_rotated[t], turned(m[t], transpose(Q_L[t-1]), Q_R[t-1])
    yield v[t], kept(ema(beta2, v[t-1], g_rotated[t]**2), v[t-1])
    c1, c2 = 1 - beta1**count, 1 - beta2**count
    if d.bias_correction == "none":
        yield n_rotated[t], m_rotated[t]/(sqrt(v[t]) + eps)
    elif d.epsilon == "hat":
        yield n_rotated[t], sqrt(c2)/c1*m_rotated[t]/(sqrt(v[t]) + eps)
    else:
        yield m_hat[t], m_rotated[t]/c1
        yield v_hat[t], v[t]/c2
        yield n_rotated[t], m_hat[t]/(sqrt(v_hat[t]) + eps)
    yield n[t], turned(n_rotated[t], Q_L[t-1], transpose(Q_R[t-1]))
    yield theta[t], kept(decayed(d, theta[t-1] - lr*n[t]), theta[t-1])
    if left:
        yield L[t], ema(beta2, L[t-1], matmul(g[t], transpose(g[t])))
        yield Q_L[t], renewed(L[t], Q_L[t-1])
    if right:
        yield R[t], ema(beta2, R[t-1], matmul(transpose(g[t]), g[t]))
        yield Q_R[t], renewed(R[t], Q_R[t-1])
