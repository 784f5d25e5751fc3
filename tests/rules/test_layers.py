"""Rules that look at a whole array: against loops written from their papers, over hostile gradients."""

import numpy as np
import pytest

from optverify.backends import step
from optverify.rules import rule

from . import array_loops as loops
from .array_loops import DECAY, MATRICES, TAMED
from .hostile import RATES, STEPS, lines

START = MATRICES.start


def found(name, options, values, losses=None, numbers=None):
    module = step(name, **options)
    started = {n: values[n] for n in ("b0", "d0") if n in values and name != "shampoo"}
    started |= {"eps": values["eps"]} if name == "shampoo" else {}
    values = {n: v for n, v in values.items() if n not in started}
    theta, state = START.copy(), module.init(START, **started)
    for k, g in enumerate(MATRICES.gradients if numbers is None else numbers):
        extra = {"loss": losses(theta)} if losses else {}
        theta, state = module.step(theta, g, state, lr=float(RATES[k]), **values, **extra)
        yield theta


def agree(found, expected, tolerance=1e-12):
    """Updates over lr agree relative to the largest of the step; theta's own rounding is allowed for."""
    found, expected = np.array(list(found)), np.array(list(expected))
    assert found.shape == expected.shape == (STEPS, *START.shape)
    rates = RATES[:, None, None]
    update = np.diff(found, axis=0, prepend=[START]) / rates
    wanted = np.diff(expected, axis=0, prepend=[START]) / rates
    size = np.abs(wanted).max(axis=(1, 2), keepdims=True)
    rounding = 16 * 2.0**-52 * (np.abs(expected) + 1) / rates
    bad = np.abs(update - wanted) > tolerance * size + rounding
    assert not bad.any(), np.argwhere(bad)[:3].tolist()
    assert np.abs(wanted).max() > 1e-3


def test_adagrad_norm_is_algorithm_1():
    agree(found("adagrad_norm", {}, {"b0": 0.3}), loops.adagrad_norm(0.3))


@pytest.mark.parametrize("bound", ["none", "lr_max"])
@pytest.mark.parametrize("gap", ["signed", "positive"])
def test_polyak_step_is_the_gap_over_the_square_of_the_slope(bound, gap):
    values = {"f_min": 4.0, "eps": 0.01} | ({"lr_max": 0.7, "c": 0.6} if bound == "lr_max" else {})
    agree(
        found("polyak_step", {"bound": bound, "gap": gap}, values, loops.loss),
        loops.polyak_step(4.0, 0.01, bound, gap),
    )


@pytest.mark.parametrize("averaging", ["sum", "mean"])
@pytest.mark.parametrize("form", ["in_direction", "coupled", "decoupled", "before_step"])
def test_novograd_is_algorithm_1(averaging, form):
    options = {"averaging": averaging, "weight_decay_form": form}
    values = {"beta1": 0.9, "beta2": 0.7, "eps": 0.01, "weight_decay": DECAY}
    agree(found("novograd", options, values), loops.novograd(averaging, form))


@pytest.mark.parametrize("lr_placement", ["inside", "outside"])
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("form", ["in_direction", "coupled"])
def test_lars_is_equation_6_and_algorithm_1(lr_placement, nesterov, form):
    options = {"lr_placement": lr_placement, "nesterov": nesterov, "weight_decay_form": form}
    values = {"trust_coefficient": 0.02, "momentum": 0.8, "eps": 0.01, "weight_decay": DECAY}
    agree(found("lars", options, values), loops.lars(lr_placement, nesterov, form))


def test_lw_03_to_05_published_cases_of_lars():
    module = step("lars")
    zero = np.zeros(2)
    x, _ = module.step(zero, np.array([1.0, 2.0]), module.init(zero), lr=0.1, weight_decay=0.0)
    assert x == pytest.approx([-0.1, -0.2], rel=1e-12)  # a layer of zeros is not frozen
    x = np.array([3.0, 4.0])
    for g, moves in ((np.zeros(2), False), (np.array([1.0, 2.0]), True)):
        after, _ = module.step(x, g, module.init(x), lr=0.1, weight_decay=0.0)
        assert (after != x).all() == moves
    assert (x - after) / np.array([1.0, 2.0]) == pytest.approx([2.2360679775e-4] * 2, rel=1e-9)
    state, given = module.init(x), {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}
    x, state = module.step(x, np.array([1.0, 2.0]), state, **given)
    assert x[0] == pytest.approx(2.9997747224, abs=5e-11)
    x, state = module.step(x, np.array([10.0, 20.0]), state, **given)
    assert x == pytest.approx([2.9993482173, 3.9987051919], abs=5e-11)


@pytest.mark.parametrize("correction", ["both", "none", "first", "second"])
@pytest.mark.parametrize("form", ["in_direction", "coupled", "decoupled", "before_step"])
@pytest.mark.parametrize("phi", ["identity", "clipped"])
def test_lamb_is_algorithm_2(correction, form, phi):
    options = {"bias_correction": correction, "weight_decay_form": form, "phi": phi}
    values = {"beta1": 0.9, "beta2": 0.8, "eps": 0.01, "weight_decay": DECAY}
    values |= {"phi_min": 0.5, "phi_max": 2.0} if phi == "clipped" else {}
    agree(found("lamb", options, values), loops.lamb(correction, form, phi))


@pytest.mark.parametrize("version", ["I", "II"])
@pytest.mark.parametrize("buffer", ["none", "ema"])
@pytest.mark.parametrize("epsilon", ["none", "inside"])
def test_sm3_covers_rows_and_columns_entry_by_entry(version, buffer, epsilon):
    values = ({"momentum": 0.9} if buffer == "ema" else {}) | ({"eps": 0.01} if epsilon == "inside" else {})
    options = {"version": version, "buffer": buffer, "epsilon": epsilon}
    agree(found("sm3", options, values), loops.sm3(version, buffer, epsilon))


AXES = [
    {}, {"factored": False}, {"relative_step": False}, {"parameter_scale": False}, {"clipping": False},
    {"epsilon": "floor"}, {"epsilon": "floor", "factored": False}, {"buffer": "ema"},
    {"weight_decay_form": "decoupled"}, {"weight_decay_form": "before_step"},
]  # fmt: skip


@pytest.mark.parametrize("options", AXES, ids=str)
def test_adafactor_is_algorithms_4_and_5_with_sums(options):
    values = {"eps1": 0.02, "eps2": 0.5, "clip_threshold": 0.9, "decay_rate": 0.7, "momentum": 0.8}
    values["weight_decay"] = DECAY
    read = {h.name for h in rule("adafactor", **options).hyperparameters}
    agree(
        found("adafactor", options, {n: v for n, v in values.items() if n in read}), loops.adafactor(options)
    )


@pytest.mark.parametrize("buffer", ["sum", "ema"])
@pytest.mark.parametrize("nesterov", [True, False, "corrected"])
@pytest.mark.parametrize("scaling", ["rows", "columns", "rms", "none"])
@pytest.mark.parametrize("epsilon", ["added", "floor"])
def test_muon_maps_singular_values_by_the_polynomial(buffer, nesterov, scaling, epsilon):
    options = {"buffer": buffer, "nesterov": nesterov, "scaling": scaling, "epsilon": epsilon}
    values = {"momentum": 0.9, "eps": 0.01} | ({"rms_rate": 0.3} if scaling == "rms" else {})
    expected = loops.muon(buffer, nesterov, scaling, epsilon)
    agree(found("muon", options, values), expected, 1e-11)  # five cubes and fifth powers of rounding


@pytest.mark.parametrize("memory", ["sum", "ema"])
@pytest.mark.parametrize("exponent", ["quarter", "half"])
def test_shampoo_is_algorithm_1(memory, exponent):
    values = {"eps": 0.05} | ({"beta2": 0.9} if memory == "ema" else {})
    options = {"memory": memory, "exponent": exponent}
    expected = loops.shampoo(0.05, memory, exponent)
    agree(found("shampoo", options, values, numbers=TAMED.gradients), expected, 1e-10)


@pytest.mark.parametrize("first_distance", ["relative", "absolute"])
def test_dog_is_distance_over_gradients(first_distance):
    agree(
        found("dog", {"first_distance": first_distance}, {"r_eps": 0.04, "eps": 0.01}),
        loops.dog(first_distance),
    )


@pytest.mark.parametrize("correction", ["none", "both"])
@pytest.mark.parametrize("distance", ["old", "new"])
@pytest.mark.parametrize("safe", [False, True])
def test_prodigy_is_the_adam_version_of_the_paper(correction, distance, safe):
    options = {"bias_correction": correction, "epsilon_distance": distance, "safeguard_warmup": safe}
    values = {"beta1": 0.8, "beta2": 0.9, "eps": 0.01, "d0": 0.06, "d_coefficient": 0.8}
    agree(found("prodigy", options, values), loops.prodigy(correction, distance, safe))


GOLDEN = {
    "adagrad_norm": [
        r"b_t &= \sqrt{b_{t-1}^2 + \lVert g_t \rVert^2}",
        r"\theta_t &= \theta_{t-1} - \frac{\eta g_t}{b_t}",
    ],
    "novograd": [r"m_t &= \beta_1 m_{t-1} + \frac{g_t}{\sqrt{v_t} + \epsilon} + d \theta_{t-1}"],
    "lamb": [r"u_t &= r_t + \lambda \theta_{t-1}", r"\theta_t &= \theta_{t-1} - \eta \phi_t u_t"],
    "adafactor": [
        r"R_t &= \hat{\beta}_t R_{t-1} + (1 - \hat{\beta}_t) \mathrm{rowmean}(g_t^2 + \epsilon_1)",
        r"\hat{U}_t &= \frac{U_t}{\max\left(1, \frac{\mathrm{RMS}(U_t)}{d}\right)}",
        r"\theta_t &= \theta_{t-1} - \alpha_t \hat{U}_t",
    ],
    "muon": [r"A^{(1)}_t &= X^{(0)}_t \left(X^{(0)}_t\right)^\top"],
    "shampoo": [
        r"L_t &= L_{t-1} + g_t g_t^\top",
        r"\theta_t &= \theta_{t-1} - \eta {L_t}^{- \frac{1}{4}} g_t {R_t}^{- \frac{1}{4}}",
    ],
    "dog": [r"\theta_t &= \theta_{t-1} - \eta_t g_t", r"G_t &= G_{t-1} + \lVert g_t \rVert^2"],
    "prodigy": [r"\theta_t &= \theta_{t-1} - \gamma d_{t-1}\,\frac{m_t}{\sqrt{v_t} + \epsilon d_{t-1}}"],
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_equations_are_the_papers(name):
    assert set(GOLDEN[name]) <= set(lines(rule(name))), "\n".join(lines(rule(name)))
