"""The relatives of Adam, and Lion, against loops written from their papers."""

import math

import numpy as np
import pytest

from optverify.rules import rule

from .hostile import HOSTILE, START, assert_same_updates, fed, lines, trajectory

B1, B2, EPS, WD = 0.8, 0.95, 1e-2, 0.07
A = {"beta1": B1, "beta2": B2, "eps": EPS}


def run(loop, decay="none", stream=HOSTILE, **settings):
    """Theta after each update of the loop."""
    x = stream.start.copy()
    state = loop(**settings)
    next(state)
    for t, (lr, gradient) in enumerate(zip(stream.rates.tolist(), stream.gradients, strict=True), 1):
        g = gradient + WD * x if decay == "coupled" else gradient
        new = x - state.send((t, lr, g))
        forms = {
            "decoupled": new - lr * WD * x,
            "decoupled_without_lr": new - WD * x,
            "after_step": new - lr * WD * new,
            "proximal": new / (1 + lr * WD),
        }
        x = forms.get(decay, new)
        yield x


def qhadam(nu1, nu2):
    m = v = 0.0
    move = None
    while True:
        t, lr, g = yield move
        m = B1 * m + (1 - B1) * g
        v = B2 * v + (1 - B2) * g * g
        above = (1 - nu1) * g + nu1 * m / (1 - B1**t)
        below = np.sqrt((1 - nu2) * g * g + nu2 * v / (1 - B2**t)) + EPS
        move = lr * above / below


def lion():
    m, move = 0.0, None
    while True:
        _, lr, g = yield move
        move = lr * np.sign(B1 * m + (1 - B1) * g)
        m = B2 * m + (1 - B2) * g


def laprop():
    m = n = 0.0
    move = None
    while True:
        t, lr, g = yield move
        n = B2 * n + (1 - B2) * g * g
        m = B1 * m + (1 - B1) * g / (np.sqrt(n / (1 - B2**t)) + EPS)
        move = lr * m / (1 - B1**t)


def adan(start="gradient", inside=True, share=None, b2=0.92, b3=0.9):
    m = v = n = 0.0
    before, move = None, None
    share = b2 if share is None else share
    while True:
        t, lr, g = yield move
        if before is None:
            before = 0.0 if start == "corrected_from_zero" else g
        d = g - before
        before = g
        v = b2 * v + (1 - b2) * d
        if start == "gradient" and t == 1:
            m, n = g, g * g
        else:
            m = B1 * m + (1 - B1) * g
            n = b3 * n + (1 - b3) * (g + share * d) ** 2
        cm, cv, cn = (1, 1, 1) if start == "gradient" else (1 - B1**t, 1 - b2**t, 1 - b3**t)
        root = np.sqrt(n / cn + EPS) if inside else np.sqrt(n / cn) + EPS
        move = lr * (m / cm + share * v / cv) / root


def optimistic_adam(weight=1.0, itself=False, nesterov=False, inside=False):
    m = v = 0.0
    last, move = None if itself else 0.0, None
    while True:
        t, lr, g = yield move
        m = B1 * m + (1 - B1) * g
        v = B2 * v + (1 - B2) * g * g
        top = m / (1 - B1**t)
        if nesterov:
            top = B1 * m / (1 - B1 ** (t + 1)) + (1 - B1) * g / (1 - B1**t)
        r = top / (np.sqrt(v / (1 - B2**t) + EPS) if inside else np.sqrt(v / (1 - B2**t)) + EPS)
        last = r if last is None else last
        move = lr * ((1 + weight) * r - weight * last)
        last = r


def ademamix(b3=0.99, alpha=4.0, total=None, first=0.85, inside=False):
    m1 = m2 = v = 0.0
    move = None
    while True:
        t, lr, g = yield move
        a, b = alpha, b3
        if total is not None and t < total:  # half-lives grow linearly
            half = (1 - t / total) / math.log(first) + t / total / math.log(b3)
            a, b = alpha * t / total, math.exp(1 / half)
        m1 = B1 * m1 + (1 - B1) * g
        m2 = b * m2 + (1 - b) * g
        v = B2 * v + (1 - B2) * g * g
        below = np.sqrt(v / (1 - B2**t) + EPS) if inside else np.sqrt(v / (1 - B2**t)) + EPS
        move = lr * (m1 / (1 - B1**t) + a * m2) / below


def adopt(clip=True, weight_one=False, nesterov=False):
    m = v = 0.0
    move = None
    while True:
        t, lr, g = yield move
        if t == 1:
            v, move = g * g, 0 * g
            continue
        u = g / np.maximum(np.sqrt(v), EPS)
        if clip:
            u = np.clip(u, -((t - 1) ** 0.25), (t - 1) ** 0.25)
        m = u if weight_one and t == 2 else B1 * m + (1 - B1) * u
        v = B2 * v + (1 - B2) * g * g
        move = lr * (B1 * m + (1 - B1) * u if nesterov else m)


def nadam(grows="everywhere", psi=0.3, ahead=True, factor=B2, inside=False):
    m = v = 0.0
    product, move = 1.0, None

    def mu(t):
        return B1 if grows == "nowhere" else B1 * (1 - 0.5 * 0.96 ** (t * psi))

    while True:
        t, lr, g = yield move
        product *= mu(t)
        weight = mu(t) if grows == "everywhere" else B1
        m = weight * m + (1 - weight) * g
        v = B2 * v + (1 - B2) * g * g
        below = 1 - product * mu(t + 1) if ahead else 1 - product
        top = mu(t + 1) * m / below + (1 - mu(t)) * g / (1 - product)
        v_hat = factor * v / (1 - B2**t)
        move = lr * top / (np.sqrt(v_hat + EPS) if inside else np.sqrt(v_hat) + EPS)


def radam(limit=4, reached=False, hat=True):
    m = v = 0.0
    move = None
    longest = 2 / (1 - B2) - 1
    while True:
        t, lr, g = yield move
        m = B1 * m + (1 - B1) * g
        v = B2 * v + (1 - B2) * g * g
        c = 1 - B2**t
        rho = longest - 2 * t * B2**t / c
        move = lr * m / (1 - B1**t)
        if rho > limit or (reached and rho == limit):
            r = math.sqrt((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho))
            move = move * r * (math.sqrt(c) / (np.sqrt(v) + EPS) if hat else 1 / (np.sqrt(v / c) + EPS))


Q = A | {"nu1": 0.6, "nu2": 0.9}
L = {"beta1": B1, "beta2": B2}
D = {"beta1": B1, "beta2": 0.92, "beta3": 0.9, "eps": EPS}
NONE, OUTSIDE, INSIDE = {"weight_decay_form": "none"}, {"epsilon": "outside"}, {"epsilon": "inside"}
X = A | {"beta3": 0.99, "alpha": 4.0}
S = X | {"warmup": 31.0, "beta_start": 0.85}
N = A | {"momentum_decay": 0.3}
CASES = [  # rule, options, hyperparameters; the loop and its settings
    ("qhadam", {}, Q, qhadam, {"nu1": 0.6, "nu2": 0.9}),
    ("lion", NONE, L, lion, {}),
    ("laprop", {}, A, laprop, {}),
    ("adan", NONE, D, adan, {}),
    ("adan", NONE | OUTSIDE, D, adan, {"inside": False}),
    ("adan", NONE | {"start": "corrected"}, D, adan, {"start": "corrected"}),
    ("adan", NONE | {"start": "corrected_from_zero"}, D, adan, {"start": "corrected_from_zero"}),
    ("adan", NONE | {"lookahead": "complement"}, D, adan, {"share": 1 - 0.92}),
    ("optimistic_adam", {}, A, optimistic_adam, {}),
    ("optimistic_adam", INSIDE, A, optimistic_adam, {"inside": True}),
    ("optimistic_adam", {"weight": "optimism"}, A | {"optimism": 0.3}, optimistic_adam, {"weight": 0.3}),
    ("optimistic_adam", {"first_change": "itself"}, A, optimistic_adam, {"itself": True}),
    ("optimistic_adam", {"first_moment": "nesterov"}, A, optimistic_adam, {"nesterov": True}),
    ("ademamix", NONE | {"growth": "none"}, X, ademamix, {}),
    ("ademamix", NONE | INSIDE | {"growth": "none"}, X, ademamix, {"inside": True}),
    ("ademamix", NONE, S, ademamix, {"total": 31}),
    ("adopt", {}, A, adopt, {}),
    ("adopt", {"clipping": "none"}, A, adopt, {"clip": False}),
    ("adopt", {"first_mean": "gradient"}, A, adopt, {"weight_one": True}),
    ("adopt", {"nesterov_step": True}, A, adopt, {"nesterov": True}),
    ("nadam", {}, N, nadam, {}),
    ("nadam", INSIDE, N, nadam, {"inside": True}),
    ("nadam", {"momentum_schedule": "growing_outside"}, N, nadam, {"grows": "outside"}),
    ("nadam", {"momentum_schedule": "constant"}, A, nadam, {"grows": "nowhere"}),
    ("nadam", {"first_correction": "same"}, N, nadam, {"ahead": False}),
    ("nadam", {"first_correction": "same", "momentum_schedule": "constant"}, A, nadam,
     {"ahead": False, "grows": "nowhere"}),
    ("nadam", {"second_correction": "adam"}, N, nadam, {"factor": 1}),
    ("radam", {}, A, radam, {}),
    ("radam", {"threshold": "above_5"}, A, radam, {"limit": 5}),
    ("radam", {"threshold": "from_5"}, A, radam, {"limit": 5, "reached": True}),
    ("radam", OUTSIDE, A, radam, {"hat": False}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "values", "loop", "settings"), CASES)
def test_a_loop_written_from_the_paper_gives_the_same_updates(name, options, values, loop, settings):
    assert_same_updates(trajectory(name, options, values), run(loop, **settings))


DECAYED = [
    ("qhadam", {}, Q, qhadam, {"nu1": 0.6, "nu2": 0.9}),
    ("lion", {}, L, lion, {}),
    ("laprop", {}, A, laprop, {}),
    ("adan", {}, D, adan, {}), ("optimistic_adam", {}, A, optimistic_adam, {}),
    ("ademamix", {"growth": "none"}, X, ademamix, {}),
    ("adopt", {}, A, adopt, {}),
    ("nadam", {}, N, nadam, {}),
    ("radam", {}, A, radam, {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "values", "loop", "settings"), DECAYED)
def test_weight_decay_of_every_form(name, options, values, loop, settings):
    axis = next(a for a in rule(name).axes if a.name == "weight_decay_form")
    for form in axis.options:
        given = values if form == "none" else values | {"weight_decay": WD}
        found = trajectory(name, options | {"weight_decay_form": form}, given)
        assert_same_updates(found, run(loop, form, **settings))


def test_radam_may_wait_for_its_adaptive_steps():
    """The authors' code leaves theta alone until then, weight decay included; afterwards it is the rule."""
    options = {"before": "nothing", "threshold": "from_5", "weight_decay_form": "decoupled"}
    found = list(trajectory("radam", options, A | {"weight_decay": WD}))
    moved = [bool((a != b).any()) for a, b in zip([START, *found], found, strict=False)]
    longest = 2 / (1 - B2) - 1
    lengths = [longest - 2 * t * B2**t / (1 - B2**t) for t in range(1, 51)]
    assert moved == [length >= 5 for length in lengths]
    assert moved.count(False) == 5


# ---- numbers of public cases -----------------------------------------------------------------------------

CONSTANT = {"momentum_schedule": "constant", "second_correction": "adam"}
ADAN = {"start": "corrected", "epsilon": "outside", "weight_decay_form": "none"}
PUBLIC = [
    ("nadam", CONSTANT, [1, 1, 1], {}, [-0.1473684196, -0.2630996284, -0.3709217759]),
    ("nadam", CONSTANT | {"first_correction": "same"}, [1, 1, 1], {},
     [-0.1899999981, -0.3326315756, -0.4595319434]),
    ("nadam", CONSTANT | {"second_correction": "beta2"}, [1, 1, 1], {},
     [-0.1474421591, -0.2632312769, -0.3711073760]),
    ("radam", {}, [0.5] * 7, {}, [-0.05, -0.1, -0.15, -0.2, -0.20173115, -0.20431326, -0.20758714]),
    *(("radam", {"threshold": limit}, [0.5] * 7, {},
       [-0.05, -0.1, -0.15, -0.2, -0.25, -0.25258211, -0.25585599])
      for limit in ("above_5", "from_5")),
    ("adan", ADAN, [1, 2, 2], {}, [-0.0999999990, -0.1907359501, -0.2838485762]),
    ("adan", ADAN | {"start": "corrected_from_zero"}, [1, 2, 2], {},
     [-0.0999999995, -0.1980383839, -0.2952810050]),
    ("adan", ADAN, [0.01, 0.01], {"eps": 1e-3}, [-0.0909091, -0.1818182]),
    ("adan", ADAN | INSIDE, [0.01, 0.01], {"eps": 1e-3}, [-0.0301511, -0.0603023]),
    ("adan", NONE, [0.01, 0.01], {"eps": 1e-3}, [-0.0301511, -0.0603023]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "numbers", "values", "right"), PUBLIC)
def test_a_public_case_gives_its_known_points(name, options, numbers, values, right):
    assert fed(name, options, numbers, **values) == pytest.approx(
        right, abs=6e-8 if "eps" in values else 6e-9
    )


# ---- equations -------------------------------------------------------------------------------------------

G = r"g_t &= \nabla f_t(\theta_{t-1})"
GOLDEN = {
    "qhadam": [
        r"\theta_t &= \theta_{t-1} - \alpha\,\frac{\nu_1 \hat{m}_t + (1 - \nu_1) g_t}"
        r"{\sqrt{\nu_2 \hat{v}_t + (1 - \nu_2) g_t^2} + \epsilon}",
    ],
    "lion": [
        r"c_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t",
        r"m_t &= \beta_2 m_{t-1} + (1 - \beta_2) g_t",
        r"\theta_t &= (1 - \eta \lambda) \theta_{t-1} - \eta \mathrm{sign}(c_t)",
    ],
    "laprop": [
        r"m_t &= \mu m_{t-1} + (1 - \mu)\,\frac{g_t}{\sqrt{\hat{n}_t} + \epsilon}",
        r"\theta_t &= \theta_{t-1} - \lambda \hat{m}_t",
    ],
    "adan": [
        r"d_t &= g_t - p_t",
        r"v_t &= \beta_2 v_{t-1} + (1 - \beta_2) d_t",
        r"\theta_t &= \frac{\theta_{t-1} - \eta\,\frac{m_t + \beta_2 v_t}{\sqrt{n_t + \varepsilon}}}"
        r"{1 + \eta \lambda}",
    ],
    "optimistic_adam": [r"\theta_t &= \theta_{t-1} + \eta r_{t-1} - 2 \eta r_t"],
    "ademamix": [
        r"m_{2,t} &= \bar{\beta}_{3,t} m_{2,t-1} + (1 - \bar{\beta}_{3,t}) g_t",
        r"\theta_t &= (1 - \eta \lambda) \theta_{t-1} - "
        r"\eta\,\frac{\hat{m}_{1,t} + \bar{\alpha}_t m_{2,t}}{\sqrt{\hat{\nu}_t} + \epsilon}",
    ],
    "adopt": [
        r"m_t &= \begin{cases} m_{t-1} & \text{if } t = 1 \\ "
        r"\beta_1 m_{t-1} + (1 - \beta_1) \max(\min(u_t, c_t), - c_t) & \text{otherwise} \end{cases}",
        r"\theta_t &= \theta_{t-1} - \alpha m_t",
    ],
    "nadam": [
        r"\mu_t &= \mu \left(1 - \frac{0.96^{\psi t}}{2}\right)",
        r"m_t &= \mu_t m_{t-1} + (1 - \mu_t) g_t",
        r"\hat{v}_t &= \frac{\nu v_t}{1 - \nu^t}",
        r"\theta_t &= \theta_{t-1} - \alpha\,\frac{\hat{m}_t}{\sqrt{\hat{v}_t} + \epsilon}",
    ],
    "radam": [
        r"\rho_\infty &= \frac{2}{1 - \beta_2} - 1",
        r"\rho_t &= \rho_\infty - \frac{2 t \beta_2^t}{1 - \beta_2^t}",
        r"\theta_t &= \begin{cases} \theta_{t-1} - \alpha r_t l_t \hat{m}_t & \text{if } \rho_t > 4 \\ "
        r"\theta_{t-1} - \alpha \hat{m}_t & \text{otherwise} \end{cases}",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_default_dialect_is_the_papers(name):
    found = lines(rule(name))
    assert found[0] == G
    assert [line for line in found if line in GOLDEN[name]] == GOLDEN[name]
