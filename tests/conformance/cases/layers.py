"""Cases LW-02 to LW-11: layer-wise methods and matrices."""

import numpy as np

from tests.conformance.cases._case import Case
from tests.conformance.cases.adam import ADAM, moments

CASES: list[Case] = []


def case(*args, **kwargs):
    CASES.append(Case(*args, **kwargs))


norm = np.linalg.norm


def lamb(h, x, g, s, t):
    """cybertronai/pytorch-lamb#3: the decay goes into the gradient."""
    m, v = moments(h, g + h.weight_decay * x, s)
    r = m / (1 - h.beta1**t) / (np.sqrt(v / (1 - h.beta2**t)) + h.eps)
    ratio = norm(x) / norm(r) if norm(x) > 0 and norm(r) > 0 else 1.0
    return x - h.lr * ratio * r


case(
    "LW-02",
    "LAMB with the decay in the gradient",
    lamb,
    "lamb",
    [np.array([1.0, 2.0])],
    [np.array([2.6464466094, 3.6464466094])],
    None,
    claims={"weight_decay_form": "in_direction"},
    digits=1e-6,
    values={**ADAM, "eps": 1e-6, "weight_decay": 0.01},
    start=np.array([3.0, 4.0]),
    found={"weight_decay_form": "coupled", "phi": "identity"},
    says=("coupled|L2",),
)


def lars(h, x, g, s, t, *, freezes=False, plain=False):
    if plain and h.weight_decay == 0:
        rate = 1.0
    elif (norm(x) > 0 and norm(g) > 0) or freezes:
        rate = h.trust * norm(x) / (norm(g) + h.weight_decay * norm(x) + h.eps)
    else:
        rate = 1.0
    s.v = h.momentum * s.v + h.lr * rate * (g + h.weight_decay * x)
    return x - s.v


def lars_freezing(h, x, g, s, t):
    return lars(h, x, g, s, t, freezes=True)


def lars_plain(h, x, g, s, t):
    return lars(h, x, g, s, t, plain=True)


def lars_outside(h, x, g, s, t):
    """ooples/AiDotNet.Tensors PR #955: the ratio multiplies all of the velocity, which has no decay in it."""
    s.v = h.momentum * s.v + g
    rate = h.trust * norm(x) / (norm(g) + h.weight_decay * norm(x))
    return x - h.lr * rate * s.v


G = np.array([1.0, 2.0])
LARS = {"trust": 1e-3, "momentum": 0.9, "weight_decay": 0.0, "eps": 0.0}
case(
    "LW-03",
    "LARS freezes at zero",
    lars_freezing,
    "lars",
    [G],
    [np.zeros(2)],
    [np.array([-0.1, -0.2])],
    values=LARS,
    start=np.zeros(2),
    says=("zero", "never move|frozen|freez|stays|does not move|trust"),
)
case(
    "LW-04",
    "LARS without decay is SGD",
    lars_plain,
    "lars",
    [G],
    [np.array([2.9, 3.8])],
    [np.array([3 - 2.2360679775e-4, 4 - 4.472135955e-4])],
    values=LARS,
    start=np.array([3.0, 4.0]),
    says=("momentum|SGD|sgd",),
)
case(
    "LW-05",
    "LARS: the ratio multiplies history",
    lars_outside,
    "lars",
    [G, 10 * G],
    [np.array([2.9997812838, 3.9995625677]), np.array([2.9995381196, 3.9990762391])],
    [np.array([2.9997747224, 3.9995538190]), np.array([2.9993482173, 3.9987051919])],
    values={**LARS, "weight_decay": 0.01},
    start=np.array([3.0, 4.0]),
    says=("lars|LARS",),
)


def orthogonal(X):
    """Five Newton-Schulz steps."""
    a, b, c = 3.4445, -4.7750, 2.0315
    for _ in range(5):
        A = X @ X.T
        X = a * X + (b * A + c * A @ A) @ X
    return X


def muon(h, x, g, s, t, *, weight=1.0):
    """Keller Jordan's, with eps added to the norm."""
    s.B = h.momentum * s.B + weight * g
    M = weight * g + h.momentum * s.B
    with np.errstate(all="ignore"):
        X = M / (norm(M) + h.eps)
    return x - h.lr * np.sqrt(max(1, x.shape[0] / x.shape[1])) * orthogonal(X)


def muon_mean(h, x, g, s, t):
    return muon(h, x, g, s, t, weight=1 - h.momentum)


def muon_in_place(h, x, g, s, t):
    """pytorch/pytorch PR #194664: without Nesterov momentum it is the buffer itself that is normalized."""
    s.B = h.momentum * s.B + g
    s.B = s.B / (norm(s.B) + h.eps)
    return x - h.lr * np.sqrt(max(1, x.shape[0] / x.shape[1])) * orthogonal(s.B)


MUON = {"momentum": 0.95, "eps": 1e-7}
case(
    "LW-07",
    "Muon with a mean: another buffer",
    muon_mean,
    "muon",
    [],
    [],
    values=MUON,
    start=np.zeros((1, 2)),
    found={"buffer": "ema"},
    says=("muon",),
)
case(
    "LW-07",
    "look-alike: Muon with a mean, without eps",
    muon_mean,
    "muon",
    [],
    [],
    values={**MUON, "eps": 0.0},
    start=np.zeros((1, 2)),
    found={},
)
case(
    "LW-08",
    "Muon normalizes its buffer",
    muon_in_place,
    "muon",
    [],
    [],
    claims={"nesterov": False},
    values=MUON,
    start=np.zeros((1, 2)),
    says=("muon|Muon", "state|stored|overwritten|kept"),
)


def adafactor(h, x, g, s, t, *, first=1):
    with np.errstate(all="ignore"):
        beta = 1 - np.float64(t - 1 + first) ** -h.decay_rate
    s.V = beta * s.V + (1 - beta) * (g * g + h.eps1)
    U = g / np.sqrt(s.V)
    return x - h.lr * U / np.maximum(1, np.sqrt(np.mean(U * U)) / h.clip_threshold)


def adafactor_from_zero(h, x, g, s, t):
    with np.errstate(all="ignore"):
        return adafactor(h, x, g, s, t, first=0)


def adafactor_momentum(h, x, g, s, t):
    stepped = adafactor(h, np.zeros_like(x), g, s, t)
    s.m = h.momentum * s.m + (1 - h.momentum) * -stepped
    return x - s.m


FACTOR = {"decay_rate": 0.8, "eps1": 1e-30, "clip_threshold": 1.0}
WHOLE = {"factored": False, "relative_step": False, "parameter_scale": False, "buffer": "none"}
case(
    "LW-10",
    "Adafactor counts from 0",
    adafactor_from_zero,
    "adafactor",
    [1.0],
    [np.nan],
    [-0.1],
    claims=WHOLE,
    values=FACTOR,
    says=("finite|nan|NaN",),
)
case(
    "LW-11",
    "Adafactor with momentum over scaled updates",
    adafactor_momentum,
    "adafactor",
    [1.0, 1.0],
    [-0.01, -0.029],
    [-0.1, -0.2],
    claims=WHOLE,
    values={**FACTOR, "momentum": 0.9},
    found={**WHOLE, "buffer": "ema"},
    says=("adafactor|Adafactor",),
)
