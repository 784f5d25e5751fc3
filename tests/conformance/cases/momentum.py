"""Cases SG-01 to SG-N2 and AG-01 to AG-06: momentum; AdaGrad, RMSProp, AdaDelta."""

import numpy as np

from tests.conformance.cases._case import Case, Loop

CASES: list[Case] = []
ONES = [1, 1, 1]
MU = {"momentum": 0.9}


def case(*args, **kwargs):
    CASES.append(Case(*args, **kwargs))


# ---- momentum ----------------------------------------------------------------------------------------------


def torch_sgd(h, x, g, s, t):
    """pytorch/pytorch PR #152833: the first buffer is the gradient, undampened."""
    s.v = g if t == 1 else h.momentum * s.v + (1 - h.dampening) * g
    return x - h.lr * s.v


def textbook(h, x, g, s, t):
    s.v = h.momentum * s.v + (1 - h.dampening) * g
    return x - h.lr * s.v


DAMPENED = {"form": "dampened", "lr_placement": "outside"}
TORCH = {**DAMPENED, "first_buffer": "gradient"}
BOTH = {"momentum": 0.9, "dampening": 0.9}
case(
    "SG-01",
    "look-alike: dampening as in torch",
    torch_sgd,
    "momentum",
    ONES,
    [-0.1, -0.2, -0.3],
    [-0.1, -0.2, -0.3],
    claims=TORCH,
    values=BOTH,
    found={},
)
case(
    "SG-01",
    "dampening on the first step too",
    textbook,
    "momentum",
    ONES,
    [-0.01, -0.029, -0.0561],
    [-0.1, -0.2, -0.3],
    claims=TORCH,
    values=BOTH,
    found=DAMPENED,
    says=("dampen|ema|momentum",),
)


def lr_outside(h, x, g, s, t):
    s.v = h.momentum * s.v + g
    return x - h.lr * s.v


def lr_inside(h, x, g, s, t):
    s.v = h.momentum * s.v - h.lr * g
    return x + s.v


FALLING = [0.1, 0.01, 0.01]
OUTSIDE, INSIDE = {"lr_placement": "outside"}, {"lr_placement": "inside"}
case(
    "SG-02",
    "lr inside the velocity",
    lr_inside,
    "momentum",
    ONES,
    [-0.1, -0.2, -0.3],
    [-0.1, -0.119, -0.1461],
    claims=OUTSIDE,
    values=MU,
    lr=FALLING,
    found=INSIDE,
    says=("inside",),
)
case(
    "SG-02",
    "lr outside the velocity",
    lr_outside,
    "momentum",
    ONES,
    [-0.1, -0.119, -0.1461],
    [-0.1, -0.2, -0.3],
    claims=INSIDE,
    values=MU,
    lr=FALLING,
    found=OUTSIDE,
    says=("outside",),
)


def nesterov_outside(h, x, g, s, t):
    s.v = h.momentum * s.v + g
    return x - h.lr * (g + h.momentum * s.v)


def nesterov_inside(h, x, g, s, t):
    s.v = h.momentum * s.v - h.lr * g
    return x + h.momentum * s.v - h.lr * g


RE = {"nesterov": "rewritten"}
case(
    "SG-02",
    "Nesterov, lr inside",
    nesterov_inside,
    "nesterov",
    ONES,
    [-0.19, -0.29, -0.39],
    [-0.19, -0.2171, -0.25149],
    claims={**RE, **OUTSIDE},
    values=MU,
    lr=FALLING,
    found={**RE, **INSIDE},
    says=("nesterov", "inside"),
)
case(
    "SG-02",
    "Nesterov, lr outside",
    nesterov_outside,
    "nesterov",
    ONES,
    [-0.19, -0.2171, -0.25149],
    [-0.19, -0.29, -0.39],
    claims={**RE, **INSIDE},
    values=MU,
    lr=FALLING,
    found={**RE, **OUTSIDE},
    says=("nesterov", "outside"),
)


def ema(h, x, g, s, t):
    s.v = h.momentum * s.v + (1 - h.momentum) * g
    return x - h.lr * s.v


case(
    "SG-03",
    "momentum as a mean",
    ema,
    "momentum",
    ONES,
    [-0.01, -0.029, -0.0561],
    [-0.1, -0.29, -0.561],
    claims=OUTSIDE,
    values=MU,
    found={**OUTSIDE, "form": "ema"},
    says=("ema|mean|momentum",),
)


def uphill(h, x, g, s, t):
    """PaddlePaddle/Paddle PR #12231."""
    s.v = h.momentum * s.v + g
    return x - g * h.lr + h.momentum * s.v * h.lr


case(
    "SG-04",
    "Nesterov's term added",
    uphill,
    "nesterov",
    ONES,
    [-0.01, 0.061, 0.2049],
    [-0.19, -0.461, -0.8049],
    claims={**RE, **OUTSIDE},
    values=MU,
    says=("sign|uphill|other way|added|nesterov",),
)


def forgetful(h, x, g, s, t):
    return x - h.lr * np.sign((1 - h.momentum) * g)


case(
    "SG-05",
    "Signum whose momentum does nothing",
    forgetful,
    "signum",
    [1, -0.05, 0],
    [-0.1, 0, 0],
    [-0.1, -0.2, -0.3],
    values=MU,
    says=("momentum|state", "no effect|no influence|without influence|reset|signsgd|ignored"),
)


def asgd(h, x, g, s, t, *, moved=False):
    """pytorch/pytorch PR #125440: the foreach path had 1 + lambd*lr*t**alpha."""
    eta = h.lr if t == 1 else s.eta
    s.eta = s.eta * 0 + (
        h.lr / (1 + h.lambd * h.lr * t**h.power) if moved else h.lr / (1 + h.lambd * h.lr * t) ** h.power
    )
    return x * (1 - h.lambd * eta) - eta * g


def asgd_foreach(h, x, g, s, t):
    return asgd(h, x, g, s, t, moved=True)


LATE = {"step_size": "falling_late"}
SLOW = {"lambd": 0.1, "power": 0.75}
case(
    "SG-06",
    "look-alike: ASGD in a loop",
    asgd,
    "asgd",
    [],
    [],
    claims=LATE,
    values=SLOW,
    lr=1.0,
    found={},
)
case(
    "SG-06",
    "ASGD, foreach",
    asgd_foreach,
    "asgd",
    [],
    [],
    claims=LATE,
    values=SLOW,
    lr=1.0,
    says=("asgd|Averaged SGD",),
)


def flipped(h, x, g, s, t):
    """The velocity has the other sign: v -> -v."""
    s.velocity = h.momentum * s.velocity + h.lr * g
    return x - s.velocity


case(
    "SG-N2",
    "look-alike: the velocity has the other sign",
    flipped,
    "momentum",
    ONES,
    [-0.1, -0.29, -0.561],
    [-0.1, -0.29, -0.561],
    values=MU,
    found={},
)


# ---- AdaGrad, RMSProp, AdaDelta ----------------------------------------------------------------------------


def rmsprop(h, x, g, s, t, *, root=lambda v, eps: np.sqrt(v) + eps, first=0.0):
    s.v = h.rho * (s.v if t > 1 else s.v + first) + (1 - h.rho) * g * g
    return x - h.lr * g / root(s.v, h.eps)


def rmsprop_inside(h, x, g, s, t):
    return rmsprop(h, x, g, s, t, root=lambda v, eps: np.sqrt(v + eps))


def rmsprop_from_one(h, x, g, s, t):
    return rmsprop(h, x, g, s, t, first=1.0)


RHO = {"rho": 0.9, "eps": 1e-8}
case(
    "AG-01",
    "RMSProp, epsilon inside the root",
    rmsprop_inside,
    "rmsprop",
    [1, 1],
    [-0.0953462589, -0.1870161086],
    [-0.0759746927, -0.1456179156],
    values={"rho": 0.9, "eps": 1.0},
    found={"epsilon": "inside"},
    says=("inside",),
)
case(
    "AG-02",
    "RMSProp starts at 1",
    rmsprop_from_one,
    "rmsprop",
    [0.01, 0.01],
    [-0.0010540867, -0.0021651848],
    [-0.3162267660, -0.5456419736],
    values=RHO,
    says=("initial_accumulator|v starts|v_0|starts at 1", "1"),
)


def adagrad(h, x, g, s, t, *, first=0.0):
    s.v = (s.v if t > 1 else s.v + first) + g * g
    return x - h.lr * g / (np.sqrt(s.v) + h.eps)


def adagrad_tenth(h, x, g, s, t):
    return adagrad(h, x, g, s, t, first=0.1)


def adagrad_one(h, x, g, s, t):
    return adagrad(h, x, g, s, t, first=1.0)


EPS = {"eps": 1e-10}
ZERO = [-0.099999999, -0.1707106766]
case(
    "AG-04",
    "AdaGrad starts at 0.1",
    adagrad_tenth,
    "adagrad",
    [0.01, 0.01],
    [-0.0031606977, -0.0063198178],
    ZERO,
    values=EPS,
    says=("initial_accumulator|v_0|starts", "0.1"),
)
case(
    "AG-04",
    "AdaGrad starts at 1",
    adagrad_one,
    "adagrad",
    [0.01, 0.01],
    [-0.0009999500, -0.0019998500],
    ZERO,
    values=EPS,
    says=("initial_accumulator|v_0|starts", "1"),
)
case(
    "AG-04",
    "AdaGrad that is RMSProp",
    rmsprop,
    "adagrad",
    [0.01, 0.01],
    [-0.3162267660, -0.5456419736],
    values=RHO,
    as_rule="rmsprop",
    found={},
    says=("rmsprop|RMSProp",),
)


def adadelta(h, x, g, s, t, *, after=False):
    s.v = h.rho * s.v + (1 - h.rho) * g * g
    delta = -np.sqrt(s.u + h.eps) / np.sqrt(s.v + h.eps) * g
    taken = h.lr * delta
    s.u = h.rho * s.u + (1 - h.rho) * (taken if after else delta) ** 2
    return x + taken


def adadelta_after(h, x, g, s, t):
    return adadelta(h, x, g, s, t, after=True)


ZEILER = {"rho": 0.95, "eps": 1e-6}
HALF = [-0.0022360456, -0.0045005767, -0.0067843765]
case(
    "AG-05",
    "look-alike: Zeiler",
    adadelta,
    "adadelta",
    ONES,
    [-0.0044720912, -0.0090011535, -0.0135687530],
    [-0.0044720912, -0.0090011535, -0.0135687530],
    values=ZEILER,
    lr=1.0,
    found={},
)
case(
    "AG-05",
    "lr is a factor of the step",
    adadelta,
    "adadelta",
    ONES,
    [-0.0044720912e-3, -0.0090011535e-3, -0.0135687530e-3],
    values=ZEILER,
    lr=1e-3,
    found={},
)
case(
    "AG-05",
    "look-alike: the step is accumulated before lr",
    adadelta,
    "adadelta",
    ONES,
    HALF,
    HALF,
    values=ZEILER,
    lr=0.5,
    found={},
)
case(
    "AG-05",
    "the step is accumulated after lr",
    adadelta_after,
    "adadelta",
    ONES,
    [-0.0022360456, -0.0040263200, -0.0055915758],
    HALF,
    values=ZEILER,
    lr=0.5,
    found={"accumulated": "after_lr"},
    says=("after_lr|after lr",),
)


class FirstGradient(Loop):
    """PennyLaneAI/pennylane#1928: the index of the gradient is not advanced."""

    def update(self, params, grads):
        self.t += 1
        for x, s in zip(params, self.memory, strict=True):
            x[...] = adagrad(self, x, np.resize(grads[0], x.shape), s, self.t)


case(
    "AG-06",
    "every parameter gets the first gradient",
    FirstGradient,
    "adagrad",
    [(1, 5), (1, 5), (1, -5)],
    [(-0.1,) * 2, (-0.1707106781,) * 2, (-0.2284457050,) * 2],
    [(-0.1,) * 2, (-0.1707106781,) * 2, (-0.2284457050, -0.1129756512)],
    values=EPS,
    start=(0.0, 0.0),
    says=("first gradient|gradient of the first|another parameter|other parameter|wrong gradient",),
)
