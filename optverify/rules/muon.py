"""Muon: momentum whose matrix is made nearly orthogonal before each step."""

from sympy import Max, sqrt

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, columns, corrected, decay, decayed, eps, g, gradient,
    hyper_symbol, lr, matmul, maximize, momentum, nonnegative, norm, positive, real, rows, rule, t, theta,
    transpose, unit, weight_decay_form,
)

a, b, c = (hyper_symbol(f"ns_{x}", real=True) for x in "abc")
rate = hyper_symbol("rms_rate", positive=True)
B = State("B", meaning="momentum buffer")
M = Variable("M")
X, A = [Variable(f"X_{k}") for k in range(6)], [Variable(f"A_{k}") for k in range(6)]

buffer = Axis(
    "buffer",
    "What weight does a new gradient get?",
    {
        "sum": "weight 1 (Keras)",
        "ema": "weight 1 - momentum: a decaying mean (PyTorch, optax); without eps the same steps",
    },
)
nesterov = Axis(
    "nesterov",
    "Does the step look one momentum ahead?",
    {
        True: "yes: the new gradient with its weight, plus momentum times the buffer",
        False: "no: the buffer itself",
        "corrected": "yes, and both are corrected for the start at zero, as in NAdam (optax)",
    },
)
scaling = Axis(
    "scaling",
    "How does the step depend on the shape, m rows and n columns?",
    {
        "rows": "sqrt(max(1, m/n)), for weights stored as outputs x inputs (PyTorch)",
        "columns": "sqrt(max(1, n/m)), for weights stored as inputs x outputs (optax)",
        "rms": "rms_rate * sqrt(max(m, n)): root mean square as AdamW's (Moonlight; Keras)",
        "none": "not at all",
    },
)
epsilon = Axis(
    "epsilon",
    "Where does epsilon stand?",
    {"added": "added to the norm", "floor": "smallest norm divided by (PyTorch)"},
)


@rule(
    "muon",
    title="Muon",
    sources=[
        Source("Jordan, Jin, Boza, You, Cesista, Newhouse and Bernstein", 2024, "Muon: an optimizer for"
               " hidden layers in neural networks", "the algorithm box and NewtonSchulz5",
               url="https://kellerjordan.github.io/posts/muon/"),
        Source("Liu, Su and others", 2025, "Muon is scalable for LLM training", "the update with the"
               " root mean square of AdamW's, section 2.2", arxiv="2502.16982"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta", 0.02, positive, "step size"),
        Hyperparameter(momentum, r"\mu", 0.95, unit, "share of the buffer that is kept"),
        Hyperparameter(a, "a", 3.4445, real, "Newton-Schulz: coefficient of X"),
        Hyperparameter(b, "b", -4.7750, real, "Newton-Schulz: coefficient of X X^T X"),
        Hyperparameter(c, "c", 2.0315, real, "Newton-Schulz: coefficient of (X X^T)^2 X"),
        Hyperparameter(eps, r"\epsilon", 1e-7, nonnegative, "keeps the division defined"),
        Hyperparameter(rate, r"\kappa", 0.2, positive, "root mean square of the step at lr = 1"),
        decay,
    ],
    states=[B],
    axes=[buffer, nesterov, scaling, epsilon, weight_decay_form, maximize],
)
def muon(d):
    """Five Newton-Schulz steps bring all singular values near 1: every direction gets a step of one size."""
    share = 1 if d.buffer == "sum" else 1 - momentum
    m, n = rows(theta[t-1]), columns(theta[t-1])
    scale = {"rows": sqrt(Max(1, m/n)), "columns": sqrt(Max(1, n/m)), "rms": rate*sqrt(Max(m, n)), "none": 1}
    yield g[t], gradient(d, at=theta[t-1])
    yield B[t], momentum*B[t-1] + share*g[t]
    yield M[t], {
        True: share*g[t] + momentum*B[t],
        False: B[t],
        "corrected": share*corrected(g[t], momentum) + momentum*B[t]/(1 - momentum**(t + 1)),
    }[d.nesterov]
    yield X[0][t], M[t]/(Max(norm(M[t]), eps) if d.epsilon == "floor" else norm(M[t]) + eps)
    for k in range(1, 6):
        yield A[k][t], matmul(X[k-1][t], transpose(X[k-1][t]))
        yield X[k][t], a*X[k-1][t] + matmul(b*A[k][t] + c*matmul(A[k][t], A[k][t]), X[k-1][t])
    yield theta[t], decayed(d, theta[t-1] - lr*scale[d.scaling]*X[5][t])
