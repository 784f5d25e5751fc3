"""Cases AD-01 to AD-26: the Adam family. A scalar from 0, lr = 0.1, betas 0.9 and 0.999, eps 1e-8."""

import numpy as np

from tests.conformance.cases._case import Case, Loop

ADAM = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
WIDE = {**ADAM, "eps": 1e-3}
SMALL = [0.01, 0.01, -0.02]
CASES: list[Case] = []


def case(*args, **kwargs):
    CASES.append(Case(*args, **kwargs))


def moments(h, g, s):
    """The two means of every Adam."""
    s.m = h.beta1 * s.m + (1 - h.beta1) * g
    s.v = h.beta2 * s.v + (1 - h.beta2) * g * g
    return s.m, s.v


# ---- where epsilon stands ----------------------------------------------------------------------------------


def outside(h, x, g, s, t):
    m, v = moments(h, g, s)
    return x - h.lr * m / (1 - h.beta1**t) / (np.sqrt(v / (1 - h.beta2**t)) + h.eps)


def hat(h, x, g, s, t):
    m, v = moments(h, g, s)
    return x - h.lr * np.sqrt(1 - h.beta2**t) / (1 - h.beta1**t) * m / (np.sqrt(v) + h.eps)


def inside(h, x, g, s, t):
    m, v = moments(h, g, s)
    return x - h.lr * m / (1 - h.beta1**t) / np.sqrt(v / (1 - h.beta2**t) + h.eps)


OUT = [-0.0909090909, -0.1818181818, -0.1747527269]
case("AD-01", "look-alike: Algorithm 1", outside, "adam", SMALL, OUT, OUT, values=WIDE, found={})
case(
    "AD-01",
    "epsilon-hat",
    hat,
    "adam",
    SMALL,
    [-0.0240253073, -0.0549216676, -0.0516201024],
    OUT,
    values=WIDE,
    found={"epsilon": "hat"},
    says=("epsilon-hat|epsilon='hat'|epsilon=hat",),
)
case(
    "AD-03",
    "inside the root",
    inside,
    "adam",
    SMALL,
    [-0.0301511345, -0.0603022689, -0.0572132542],
    OUT,
    values=WIDE,
    found={"epsilon": "inside"},
    says=("epsilon='inside'|epsilon=inside|inside",),
)


def hat_w(h, x, g, s, t):
    return hat(h, (1 - h.lr * h.weight_decay) * x, g, s, t)


case(
    "AD-02",
    "AdamW whose epsilon is not scaled",
    hat_w,
    "adamw",
    [1e-8],
    [-3.0653430e-5],
    [-5.0000e-4],
    lr=1e-3,
    values={**ADAM, "weight_decay": 0.1},
    found={"epsilon": "hat"},
    digits=5e-12,
    says=("hat",),
)

ADAN = {"beta1": 0.98, "beta2": 0.92, "beta3": 0.99, "eps": 1e-3}


def adan(h, x, g, s, t, *, root=lambda n, eps: np.sqrt(n) + eps, zero=False):
    """The code of the authors: the gradient before the first is the first."""
    before = g if t == 1 and not zero else s.last
    d, s.last = g - before, g.copy()
    s.m = h.beta1 * s.m + (1 - h.beta1) * g
    s.d = h.beta2 * s.d + (1 - h.beta2) * d
    s.n = h.beta3 * s.n + (1 - h.beta3) * (g + h.beta2 * d) ** 2
    step = s.m / (1 - h.beta1**t) + h.beta2 * s.d / (1 - h.beta2**t)
    return x - h.lr * step / root(s.n / (1 - h.beta3**t), h.eps)


def adan_inside(h, x, g, s, t):
    return adan(h, x, g, s, t, root=lambda n, eps: np.sqrt(n + eps))


def adan_zero(h, x, g, s, t):
    return adan(h, x, g, s, t, zero=True)


PLAIN = {"weight_decay_form": "none"}
CODE = {**PLAIN, "start": "corrected", "epsilon": "outside"}
case(
    "AD-03",
    "look-alike: Adan as its authors code it",
    adan,
    "adan",
    [0.01, 0.01],
    [-0.0909091, -0.1818182],
    [-0.0909091, -0.1818182],
    claims=CODE,
    values=ADAN,
    found={},
    digits=6e-8,
)
case(
    "AD-03",
    "Adan with epsilon inside, as in the paper",
    adan_inside,
    "adan",
    [0.01, 0.01],
    [-0.0301511, -0.0603023],
    [-0.0909091, -0.1818182],
    claims=CODE,
    values=ADAN,
    digits=6e-8,
    found={**CODE, "epsilon": "inside"},
    says=("adan", "inside"),
)
case(
    "AD-21",
    "Adan: the first difference is not zero",
    adan_zero,
    "adan",
    [1, 2, 2],
    [-0.0999999995, -0.1980383839, -0.2952810050],
    [-0.0999999990, -0.1907359501, -0.2838485762],
    claims=CODE,
    values={**ADAN, "eps": 1e-8},
    found={**CODE, "start": "corrected_from_zero"},
    says=("corrected_from_zero",),
)


# ---- the counter -------------------------------------------------------------------------------------------


def from_two(h, x, g, s, t):
    return outside(h, x, g, s, t + 1)


def from_zero(h, x, g, s, t):
    with np.errstate(all="ignore"):
        return outside(h, x, g, s, t - 1)


case(
    "AD-05",
    "the counter starts at 2",
    from_two,
    "adam",
    [1, 1],
    [-0.0744136813, -0.1602599358],
    [-0.099999999, -0.199999998],
    values=ADAM,
    says=("counter|first t|t starts|offset", "2"),
)
case(
    "AD-05",
    "the counter starts at 0",
    from_zero,
    "adam",
    [1, 1],
    [np.nan, np.nan],
    [-0.099999999, -0.199999998],
    values=ADAM,
    says=("finite|nan|NaN|0/0|division by zero",),
)


class PerParameter(Loop):
    """One counter for all, advanced by each."""

    def update(self, params, grads):
        for x, g, s in zip(params, grads, self.memory, strict=True):
            self.t += 1
            x[...] = outside(self, x, g, s, self.t)


case(
    "AD-06",
    "the counter counts parameters",
    PerParameter,
    "adam",
    [(1, 1)] * 3,
    [(-0.0999999990, -0.0744136813), (-0.1858462535, -0.1525079693), (-0.2712372414, -0.2342403895)],
    [(-0.099999999,) * 2, (-0.199999998,) * 2, (-0.299999997,) * 2],
    values=ADAM,
    start=(0.0, 0.0),
    says=("counter", "per parameter|number of parameters|each parameter|every parameter"),
)


# ---- bias correction ---------------------------------------------------------------------------------------


def raw(h, x, g, s, t):
    m, v = moments(h, g, s)
    return x - h.lr * m / (np.sqrt(v) + h.eps)


def overwritten(h, x, g, s, t):
    m, v = moments(h, g, s)
    s.m, s.v = m / (1 - h.beta1**t), v / (1 - h.beta2**t)
    return x - h.lr * s.m / (np.sqrt(s.v) + h.eps)


EACH = [-0.099999999, -0.199999998, -0.299999997]
case(
    "AD-07",
    "no bias correction",
    raw,
    "adam",
    [1, 1, 1],
    [-0.3162276660, -0.7411867398, -1.2362101841],
    EACH,
    values=ADAM,
    found={"bias_correction": "none"},
    says=("bias_correction|bias correction",),
)
case(
    "AD-08",
    "the moments are overwritten",
    overwritten,
    "adam",
    [1, 1, 1],
    [-0.0999999990, -0.1235316715, -0.1279024549],
    EACH,
    values=ADAM,
    says=("state|overwritten|kept|stored",),
)
case(
    "AD-08",
    "the moments are overwritten, other gradients",
    overwritten,
    "adam",
    [1, 2, 3],
    [-0.0999999990, -0.1258460987, -0.1308181605],
    [-0.0999999990, -0.1965182010, -0.2923183229],
    values=ADAM,
    says=("state|overwritten|kept|stored",),
)


# ---- Nadam, AdaBelief, Yogi, RAdam, Adamax -----------------------------------------------------------------


def nadam(h, x, g, s, t, *, ahead=1, beta2=1.0):
    m, v = moments(h, g, s)
    m_hat = h.beta1 * m / (1 - h.beta1 ** (t + ahead)) + (1 - h.beta1) * g / (1 - h.beta1**t)
    return x - h.lr * m_hat / (np.sqrt(beta2 * v / (1 - h.beta2**t)) + h.eps)


def nadam_blog(h, x, g, s, t):
    return nadam(h, x, g, s, t, ahead=0)


def nadam_extra(h, x, g, s, t):
    return nadam(h, x, g, s, t, beta2=h.beta2)


DOZAT = [-0.1473684196, -0.2630996284, -0.3709217759]
OPTAX = {"momentum_schedule": "constant", "second_correction": "adam"}
case(
    "AD-13",
    "look-alike: Dozat without schedule",
    nadam,
    "nadam",
    [1, 1, 1],
    DOZAT,
    DOZAT,
    claims=OPTAX,
    values=ADAM,
    found={},
)
case(
    "AD-13",
    "the blog's Nadam",
    nadam_blog,
    "nadam",
    [1, 1, 1],
    [-0.1899999981, -0.3326315756, -0.4595319434],
    DOZAT,
    claims=OPTAX,
    values=ADAM,
    found={**OPTAX, "first_correction": "same"},
    says=("first_correction|same",),
)
case(
    "AD-13",
    "Nadam with one more beta2",
    nadam_extra,
    "nadam",
    [1, 1, 1],
    [-0.1474421591, -0.2632312769, -0.3711073760],
    DOZAT,
    claims=OPTAX,
    values=ADAM,
    found={"momentum_schedule": "constant"},
    says=("nadam",),
)


def nadam_decayed(h, x, g, s, t):
    """apache/mxnet#8925: grad *= rescale + wd*weight."""
    return nadam(h, x, g * (1 + h.weight_decay * x), s, t)


L2 = {**OPTAX, "weight_decay_form": "coupled"}
case(
    "AD-14",
    "weight decay multiplies the gradient",
    nadam_decayed,
    "nadam",
    [1.0],
    [1.8526315802],
    [1.8526315802],
    claims=L2,
    values={**ADAM, "weight_decay": 0.1},
    start=2.0,
    says=("weight_decay|decay",),
)


def belief(h, x, g, s, t, *, grown=True):
    """juntang-zhuang/Adabelief-Optimizer#18: s.add_(eps) changes what is kept."""
    s.m = h.beta1 * s.m + (1 - h.beta1) * g
    s.s = h.beta2 * s.s + (1 - h.beta2) * (g - s.m) ** 2 + (h.eps if grown else 0)
    spread = s.s if grown else s.s + h.eps
    return x - h.lr * s.m / (1 - h.beta1**t) / (np.sqrt(spread / (1 - h.beta2**t)) + h.eps)


def shifted(h, x, g, s, t):
    return belief(h, x, g, s, t, grown=False)


GROWN = [-9.990e-5, -1.99800e-4, -2.99700e-4, -3.99600e-4, -4.99500e-4]
FIXED = [-9.990e-5, -2.41086e-4, -4.13905e-4, -6.13357e-4, -8.36242e-4]
case(
    "AD-16",
    "look-alike: epsilon in the recurrence, as in the paper",
    belief,
    "adabelief",
    [1e-3] * 5,
    GROWN,
    GROWN,
    values=WIDE,
    found={},
    digits=6e-10,
    says=("epsilon|piles up|recurrence",),
)
case(
    "AD-16",
    "epsilon is added where s is read",
    shifted,
    "adabelief",
    [1e-3] * 5,
    FIXED,
    GROWN,
    values=WIDE,
    found={"epsilon": "shifted"},
    digits=6e-10,
    says=("shifted",),
)


def yogi(h, x, g, s, t):
    """google-deepmind/optax PR #288: the signed square is squared again."""
    v = s.v if t > 1 else s.v + h.initial_accumulator
    s.m = h.beta1 * s.m + (1 - h.beta1) * g
    square = np.sign(v - g * g) * g * g
    s.v = h.beta2 * v + (1 - h.beta2) * square**2
    return x - h.lr * s.m / (1 - h.beta1**t) / (np.sqrt(s.v / (1 - h.beta2**t)) + h.eps)


case(
    "AD-17",
    "Yogi squares twice",
    yogi,
    "yogi",
    [0.1] * 3,
    [-0.2928157460, -0.6852868028, -1.1439887989],
    [-0.0944457540, -0.1910686536, -0.2884359848],
    claims={"bias_correction": "both"},
    values={**WIDE, "initial_accumulator": 1e-6},
    says=("square|power|exponent|g[t]**4|quartic|v[t] =|v_t =",),
)


def radam(h, x, g, s, t, *, above=5, eps=True):
    m, v = moments(h, g, s)
    longest = 2 / (1 - h.beta2) - 1
    rho = longest - 2 * t * h.beta2**t / (1 - h.beta2**t)
    if rho <= above:
        return x - h.lr * m / (1 - h.beta1**t)
    r = np.sqrt((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho))
    return x - h.lr * r * m / (1 - h.beta1**t) / (np.sqrt(v / (1 - h.beta2**t)) + (h.eps if eps else 0))


def radam_blind(h, x, g, s, t):
    return radam(h, x, g, s, t, above=4, eps=False)


FOUR = [-0.05, -0.1, -0.15, -0.2, -0.20173115, -0.20431326, -0.20758714]
case(
    "AD-18",
    "RAdam from rho = 5 on",
    radam,
    "radam",
    [0.5] * 7,
    [-0.05, -0.1, -0.15, -0.2, -0.25, -0.25258211, -0.25585599],
    FOUR,
    values=ADAM,
    claims={"epsilon": "outside"},
    found={"epsilon": "outside", "threshold": "above_5"},
    digits=6e-9,
    says=("above_5|from_5",),
)
case(
    "AD-19",
    "RAdam whose epsilon does nothing",
    radam_blind,
    "radam",
    [1e-8] * 7,
    [-1e-9, -2e-9, -3e-9, -4e-9, -0.001731153, -0.004313261, -0.007587144],
    [-1e-9, -2e-9, -3e-9, -4e-9, -0.0008655796, -0.0021566338, -0.0037935756],
    values=ADAM,
    claims={"epsilon": "outside"},
    digits=6e-9,
    says=("eps", "no effect|no influence|without influence|ignored"),
)


def adamax(h, x, g, s, t):
    s.m = h.beta1 * s.m + (1 - h.beta1) * g
    s.u = np.maximum(h.beta2 * s.u, abs(g))
    return x - h.lr * s.m / (s.u + h.eps)


case(
    "AD-20",
    "Adamax without bias correction",
    adamax,
    "adamax",
    [1, 1],
    [-0.0099999999, -0.0289999997],
    [-0.099999999, -0.199999998],
    values=ADAM,
    claims={"epsilon": "outside"},
    found={"epsilon": "outside", "bias_correction": "none"},
    says=("bias_correction|bias correction",),
)


# ---- low precision, masks, signs ---------------------------------------------------------------------------


def bfloat(h, x, g, s, t):
    """tenstorrent/tt-metal#55935: the betas are cut to bfloat16."""
    low = Loop([x], lr=h.lr, eps=h.eps, beta1=0.8984375, beta2=0.99609375)
    return outside(low, x, g, s, t)


case(
    "AD-24",
    "betas in bfloat16",
    bfloat,
    "adam",
    [1.0, 2.0],
    [-0.099999999, -0.1965034427],
    [-0.099999999, -0.1965182010],
    values=ADAM,
    says=("0.996094|0.99609", "0.999"),
)


def cautious(h, x, g, s, t):
    """kyleliang919/C-Optim#16: (m*m > 0) in place of (m*g > 0) masks nothing."""
    m, v = moments(h, g, s)
    mask = (m * m > 0).astype(float)
    step = m / (1 - h.beta1**t) / (np.sqrt(v / (1 - h.beta2**t)) + h.eps)
    return x - h.lr * step * mask


case(
    "AD-25",
    "a cautious mask that masks nothing",
    cautious,
    "adam",
    [1, 2, 3],
    [-0.0999999990, -0.1965182010, -0.2923183229],
    values=ADAM,
    found={},
    says=("adam",),
)


def amsgrad(h, x, g, s, t):
    """tensorflow/tensorflow#61407."""
    m, v = moments(h, g, s)
    s.v_max = np.maximum(s.v_max, v)
    return x - h.lr * np.sqrt(1 - h.beta2**t) / (1 - h.beta1**t) * m / (np.sqrt(s.v_max) - h.eps)


case(
    "AD-26",
    "AMSGrad with a minus before epsilon",
    amsgrad,
    "adam",
    [0.01],
    [0.0462475296],
    [-0.0240253073],
    claims={"amsgrad": "v", "epsilon": "hat"},
    values=WIDE,
    says=("eps", "sign|-eps|- eps|minus"),
)


# ---- absent gradients --------------------------------------------------------------------------------------


def lazy(h, x, g, s, t):
    """pytorch/pytorch#1285: rows without a gradient are left alone."""
    seen = g != 0
    s.m = np.where(seen, h.beta1 * s.m + (1 - h.beta1) * g, s.m)
    s.v = np.where(seen, h.beta2 * s.v + (1 - h.beta2) * g * g, s.v)
    step = s.m / (1 - h.beta1**t) / (np.sqrt(s.v / (1 - h.beta2**t)) + h.eps)
    return np.where(seen, x - h.lr * step, x)


case(
    "SP-01",
    "lazy Adam",
    lazy,
    "adam",
    [1, 0, 0, 1],
    [-0.0999999990, -0.0999999990, -0.0999999990, -0.1780942870],
    [-0.0999999990, -0.1670058235, -0.2188015198, -0.2899028459],
    values=ADAM,
    says=("lazy|sparse|masked",),
)
