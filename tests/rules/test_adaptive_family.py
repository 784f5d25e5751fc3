"""AdaDelta, Adamax, AdaBelief, AdaBound, Padam, Yogi, AMSGrad: against loops written from the papers."""

import math

import numpy as np
import pytest

from optverify.rules import rule

from .hostile import HOSTILE, START, assert_same_updates, lines
from .loops import GRADIENTS, NEVER_ZERO, WEIGHT_DECAY, generated, path_of, written

B1, B2, EPS = 0.8, 0.95, 1e-2


def adadelta(memory, t, lr, g, *, rho, eps, after=False):
    """Zeiler (2012), Algorithm 1; lr multiplies the step before or after it is accumulated."""
    mean_g = rho * memory.get("g", 0.0) + (1 - rho) * g * g
    move = np.sqrt(memory.get("x", 0.0) + eps) / np.sqrt(mean_g + eps) * g
    kept = lr * move if after else move
    memory["g"], memory["x"] = mean_g, rho * memory.get("x", 0.0) + (1 - rho) * kept * kept
    return lr * move


def moments(memory, g):
    """The two decaying means of Adam."""
    memory["m"] = B1 * memory.get("m", 0.0) + (1 - B1) * g
    memory["v"] = B2 * memory.get("v", 0.0) + (1 - B2) * g * g
    return memory["m"], memory["v"]


def largest(memory, value):
    """The largest value so far."""
    memory["largest"] = np.maximum(memory.get("largest", 0.0), value)
    return memory["largest"]


def adamax(memory, t, lr, g, *, eps="none", correct=True):
    """Kingma and Ba (2015), Algorithm 2."""
    memory["m"] = B1 * memory.get("m", 0.0) + (1 - B1) * g
    memory["u"] = np.maximum(B2 * memory.get("u", 0.0), np.abs(g) + (EPS if eps == "inside" else 0))
    mean = memory["m"] / (1 - B1**t) if correct else memory["m"]
    return lr * mean / (memory["u"] + (EPS if eps == "outside" else 0))


def adabelief(memory, t, lr, g, *, grown=0.0, shift=0.0, correct=True, ams=False):
    """Zhuang et al. (2020), Algorithm 2."""
    m = B1 * memory.get("m", 0.0) + (1 - B1) * g
    s = B2 * memory.get("s", 0.0) + (1 - B2) * (g - m) ** 2 + grown
    memory["m"], memory["s"] = m, s
    spread = (largest(memory, s) if ams else s) + shift
    if correct:
        m, spread = m / (1 - B1**t), spread / (1 - B2**t)
    return lr * m / (np.sqrt(spread) + EPS)


def adabound(memory, t, lr, g, *, correct=False, ams=False, base=None, falling=True):
    """Luo et al. (2019), Algorithm 2, and the clip as their code has it."""
    m, v = moments(memory, g)
    v = largest(memory, v) if ams else v
    final, gamma = 0.3, 0.2
    if base:
        final = final * lr / base
    rate = lr * math.sqrt(1 - B2**t) / (1 - B1**t) if correct else lr
    low, high = final * (1 - 1 / (gamma * t + 1)), final * (1 + 1 / (gamma * t))
    sizes = np.clip(rate / (np.sqrt(v) + EPS), low, high)
    return (sizes / math.sqrt(t) if falling else sizes) * m


def padam(memory, t, lr, g, *, correct=False, ams=True, inside=False, p=0.2):
    """Chen et al. (2020), Algorithm 1."""
    m, v = moments(memory, g)
    v = largest(memory, v) if ams else v
    rate = lr * math.sqrt(1 - B2**t) / (1 - B1**t) if correct else lr
    return rate * m / ((v + EPS) ** p if inside else (np.sqrt(v) + EPS) ** (2 * p))


def yogi(memory, t, lr, g, *, start, first=0.0, correct=False, inside=False):
    """Zaheer et al. (2018), Algorithm 2."""
    m = B1 * memory.get("m", first) + (1 - B1) * g
    v = memory.get("v", np.full_like(g, start))
    v = v - (1 - B2) * np.sign(v - g * g) * g * g
    memory["m"], memory["v"] = m, v
    if correct:
        m, v = m / (1 - B1**t), v / (1 - B2**t)
    return lr * m / (np.sqrt(v + EPS) if inside else np.sqrt(v) + EPS)


def amsgrad(memory, t, lr, g):
    """Reddi et al. (2018), Algorithm 2, with the epsilon of Adam."""
    m, v = moments(memory, g)
    return lr * m / (np.sqrt(largest(memory, v)) + EPS)


D = {"rho": 0.85, "eps": EPS}
A = {"beta1": B1, "beta2": B2, "eps": EPS}
BAND = A | {"final_lr": 0.3, "gamma": 0.2}
CORRECTED, UNCORRECTED = {"bias_correction": "both"}, {"bias_correction": "none"}
INSIDE = {"epsilon": "inside"}
SEPARATE = ({"epsilon": "separate"}, A | {"eps_root": 3e-3})
CODE = CORRECTED | {"band": "scaled", "step_decay": "none"}
SCALED = BAND | {"base_lr": 0.04}
FILLED = A | {"initial_accumulator": 0.2}

CASES = [  # rule, options, hyperparameters; the loop and its settings
    ("adadelta", {}, D, adadelta, D),
    ("adadelta", {"accumulated": "after_lr"}, D, adadelta, D | {"after": True}),
    ("adamax", INSIDE, A, adamax, {"eps": "inside"}),
    ("adamax", {"epsilon": "outside"}, A, adamax, {"eps": "outside"}),
    ("adamax", INSIDE | UNCORRECTED, A, adamax, {"eps": "inside", "correct": False}),
    ("adabelief", {}, A, adabelief, {"grown": EPS}),
    ("adabelief", *SEPARATE, adabelief, {"grown": 3e-3}),
    ("adabelief", {"epsilon": "shifted"}, A, adabelief, {"shift": EPS}),
    ("adabelief", {"epsilon": "outside"}, A, adabelief, {}),
    ("adabelief", UNCORRECTED, A, adabelief, {"grown": EPS, "correct": False}),
    ("adabelief", {"amsgrad": True, "epsilon": "outside"}, A, adabelief, {"ams": True}),
    ("adabound", {}, BAND, adabound, {}),
    ("adabound", {"amsbound": True}, BAND, adabound, {"ams": True}),
    ("adabound", CORRECTED, BAND, adabound, {"correct": True}),
    ("adabound", {"step_decay": "none"}, BAND, adabound, {"falling": False}),
    ("adabound", CODE, SCALED, adabound, {"correct": True, "base": 0.04, "falling": False}),
    ("padam", {}, A | {"partial": 0.2}, padam, {}),
    ("padam", INSIDE, A | {"partial": 0.2}, padam, {"inside": True}),
    ("padam", CORRECTED, A | {"partial": 0.2}, padam, {"correct": True}),
    ("padam", {"amsgrad": False}, A | {"partial": 0.2}, padam, {"ams": False}),
    ("yogi", {}, FILLED, yogi, {"start": 0.2}),
    ("yogi", INSIDE, FILLED, yogi, {"start": 0.2, "inside": True}),
    ("yogi", CORRECTED, FILLED, yogi, {"start": 0.2, "correct": True}),
    ("yogi", {"first_moment": "accumulator"}, FILLED, yogi, {"start": 0.2, "first": 0.2}),
    ("amsgrad", {}, A, amsgrad, {}),
]
FORMS = ["coupled", "decoupled", "decoupled_without_lr", "after_step"]
ONE_EACH = [CASES[0], CASES[2], *(case for case in CASES[3:] if case[1] == {})]


@pytest.mark.parametrize(("name", "options", "values", "move", "settings"), CASES)
def test_a_loop_written_from_the_paper_gives_the_same_updates(name, options, values, move, settings):
    assert_same_updates(generated(name, options, values), written(move, settings))


@pytest.mark.parametrize("options", [{}, UNCORRECTED])
def test_adamax_as_its_paper_has_it(options):
    """It has no epsilon: the gradients may not begin with zeros."""
    expected = written(adamax, {"correct": not options}, stream=HOSTILE._replace(gradients=NEVER_ZERO))
    assert_same_updates(generated("adamax", options, {"beta1": B1, "beta2": B2}, NEVER_ZERO), expected)


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", ONE_EACH, ids=lambda case: case[0])
def test_every_form_of_weight_decay_and_maximizing(case, form, maximize):
    name, options, values, move, settings = case
    options = options | {"weight_decay_form": form, "maximize": maximize}
    values = values | {"weight_decay": WEIGHT_DECAY}
    assert_same_updates(generated(name, options, values), written(move, settings, form, maximize))


M_LINE, V_LINE = (
    r"m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t",
    r"v_t &= \beta_2 v_{t-1} + (1 - \beta_2) g_t^2",
)
MAX_LINE = r"v^{\max}_t &= \max(v^{\max}_{t-1}, v_t)"
GOLDEN = {
    "adadelta": [
        r"v_t &= \rho v_{t-1} + (1 - \rho) g_t^2",
        r"\Delta_t &= - \frac{g_t \sqrt{u_{t-1} + \epsilon}}{\sqrt{v_t + \epsilon}}",
        r"u_t &= \rho u_{t-1} + (1 - \rho) \Delta_t^2",
        r"\theta_t &= \theta_{t-1} + \eta \Delta_t",
    ],
    "adamax": [
        M_LINE,
        r"u_t &= \max(\beta_2 u_{t-1}, \lvert g_t \rvert)",
        r"\theta_t &= \theta_{t-1} - \alpha\,\frac{m_t}{(1 - \beta_1^t) u_t}",
    ],
    "adabelief": [
        M_LINE,
        r"s_t &= \beta_2 s_{t-1} + (1 - \beta_2) (g_t - m_t)^2 + \epsilon",
        r"\hat{m}_t &= \frac{m_t}{1 - \beta_1^t}",
        r"\hat{s}_t &= \frac{s_t}{1 - \beta_2^t}",
        r"\theta_t &= \theta_{t-1} - \alpha\,\frac{\hat{m}_t}{\sqrt{\hat{s}_t} + \epsilon}",
    ],
    "adabound": [
        M_LINE,
        V_LINE,
        r"\eta^{\mathrm{l}}_t &= \alpha^* \left(1 - \frac{1}{1 + \gamma t}\right)",
        r"\eta^{\mathrm{u}}_t &= \alpha^* \left(1 + \frac{1}{\gamma t}\right)",
        r"\hat{\eta}_t &= \min\left(\eta^{\mathrm{u}}_t, \max\left(\eta^{\mathrm{l}}_t,"
        r" \frac{\alpha}{\sqrt{v_t} + \epsilon}\right)\right)",
        r"\theta_t &= \theta_{t-1} - \frac{\hat{\eta}_t m_t}{\sqrt{t}}",
    ],
    "padam": [
        M_LINE,
        V_LINE,
        MAX_LINE,
        r"\theta_t &= \theta_{t-1} - \alpha\,\frac{m_t}{(\sqrt{v^{\max}_t} + \epsilon)^{2 p}}",
    ],
    "yogi": [
        M_LINE,
        r"v_t &= v_{t-1} - (1 - \beta_2) g_t^2 \mathrm{sign}(v_{t-1} - g_t^2)",
        r"\theta_t &= \theta_{t-1} - \eta\,\frac{m_t}{\sqrt{v_t} + \epsilon}",
    ],
    "amsgrad": [
        M_LINE,
        V_LINE,
        MAX_LINE,
        r"\theta_t &= \theta_{t-1} - \alpha\,\frac{m_t}{\sqrt{v^{\max}_t} + \epsilon}",
    ],
}


@pytest.mark.parametrize("name", GOLDEN)
def test_default_dialect_is_the_papers(name):
    assert lines(rule(name)) == [r"g_t &= \nabla f_t(\theta_{t-1})", *GOLDEN[name]]


# ---- numbers of public reports -----------------------------------------------------------------------------


def assert_digits(path, expected, digits=6e-11):
    np.testing.assert_allclose(path, expected, rtol=0, atol=digits)


@pytest.mark.parametrize(
    ("epsilon", "expected"),
    [
        ("both", [-9.990e-5, -1.99800e-4, -2.99700e-4, -3.99600e-4, -4.99500e-4]),
        ("shifted", [-9.990e-5, -2.41086e-4, -4.13905e-4, -6.13357e-4, -8.36242e-4]),
    ],
)
def test_ad_16_the_epsilon_of_adabelief_piles_up_or_not(epsilon, expected):
    path = path_of("adabelief", [1e-3] * 5, options={"epsilon": epsilon}, eps=1e-3)
    assert_digits(path, expected, 6e-9)


def test_ad_17_the_signed_square_of_yogi_is_not_squared_again():
    path = path_of("yogi", [0.1] * 3, options=CORRECTED, initial_accumulator=1e-6, eps=1e-3)
    assert_digits(path, [-0.0944457540, -0.1910686536, -0.2884359848])


def test_ad_20_adamax_corrects_its_mean_and_has_no_epsilon():
    assert_digits(path_of("adamax", [1, 1], options=INSIDE), [-0.099999999, -0.199999998])
    assert_digits(path_of("adamax", [1, 1], options=INSIDE | UNCORRECTED), [-0.0099999999, -0.0289999997])
    assert path_of("adamax", [0.0], options=INSIDE) == [0.0]
    with np.errstate(invalid="ignore"):
        assert math.isnan(path_of("adamax", [0.0])[0])


AG_05 = [-0.0044720912, -0.0090011535, -0.0135687530]


@pytest.mark.parametrize(
    ("lr", "accumulated", "expected"),
    [
        (1.0, "before_lr", AG_05),
        (1.0, "after_lr", AG_05),
        (0.5, "before_lr", [-0.0022360456, -0.0045005767, -0.0067843765]),
        (0.5, "after_lr", [-0.0022360456, -0.0040263200, -0.0055915758]),
        (1e-3, "before_lr", [x / 1000 for x in AG_05]),
    ],
)
def test_ag_05_which_step_adadelta_accumulates(lr, accumulated, expected):
    assert_digits(path_of("adadelta", [1, 1, 1], lr, options={"accumulated": accumulated}), expected)


# ---- what they are special cases of ------------------------------------------------------------------------


def test_padam_at_one_half_is_amsgrad():
    assert_same_updates(generated("padam", {}, A | {"partial": 0.5}), generated("amsgrad", {}, A))


def test_padam_at_zero_is_momentum():
    ema = {"form": "ema", "lr_placement": "outside"}
    found = generated("padam", {}, A | {"partial": 0.0})
    assert_same_updates(found, generated("momentum", ema, {"momentum": B1}))


def test_the_band_of_adabound_closes_on_the_final_rate():
    """With gamma so large that both bounds are final_lr, it is momentum with that rate."""
    band = A | {"final_lr": 0.05, "gamma": 1e15}
    found = np.array(list(generated("adabound", {"step_decay": "none"}, band)))
    memory, theta = 0.0, START
    for at, g in zip(found, GRADIENTS, strict=True):
        memory = B1 * memory + (1 - B1) * g
        theta = theta - 0.05 * memory
        np.testing.assert_allclose(at, theta, rtol=1e-12, atol=1e-12)


def test_the_second_moment_of_yogi_moves_by_a_bounded_share_of_the_squared_gradient():
    from optverify.steps import adam
    from optverify.steps import yogi as steps

    ours, theirs = steps.init(np.zeros(1), initial_accumulator=1.0), adam.init(np.zeros(1))
    theirs = theirs._replace(v=np.ones(1))
    small = np.array([1e-3])
    for _ in range(100):
        _, ours = steps.step(np.zeros(1), small, ours)
        _, theirs = adam.step(np.zeros(1), small, theirs)
    assert 1 - ours.v[0] < 1.1e-7
    assert 1 - theirs.v[0] > 0.09
