"""Rules that look at a whole array: against loops written from their papers, over hostile gradients."""

import numpy as np
import pytest

from optverify.backends import step
from optverify.rules import rule

from .hostile import lines

STEPS = 50
RATES = np.where(np.arange(STEPS) < 30, 0.05, 0.2)
START = np.random.default_rng(3).normal(size=(3, 4))
DECAY = 0.07


def gradients():
    """3 x 4: spikes, a zero row at first, a zero column, flips of sign, tiny entries, an all-zero step."""
    g = np.random.default_rng(5).normal(size=(STEPS, 3, 4)) * np.array([1.0, 1e-3, 10.0, 1.0])
    g[7] *= 1e3
    g[:6, 1] = 0
    g[:, :, 3] = 0
    g[20:22] = 0
    g[25:, 0, 0] = (-1.0) ** np.arange(25, STEPS)
    g[30:, 2, 1] *= 1e-6
    return g


def found(name, options, values, losses=None, numbers=None):
    module = step(name, **options)
    started = {n: values[n] for n in ("b0", "d0") if n in values and name != "shampoo"}
    started |= {"eps": values["eps"]} if name == "shampoo" else {}
    values = {n: v for n, v in values.items() if n not in started}
    theta, state = START.copy(), module.init(START, **started)
    for k, g in enumerate(gradients() if numbers is None else numbers):
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


def length(x):
    return float(np.sqrt(np.sum(np.square(x))))


def adagrad_norm(b):
    x, square = START.copy(), b**2
    for lr, g in zip(RATES, gradients(), strict=True):
        square += np.sum(g * g)
        x = x - lr / square**0.5 * g
        yield x


def test_adagrad_norm_is_algorithm_1():
    agree(found("adagrad_norm", {}, {"b0": 0.3}), adagrad_norm(0.3))


def loss(x):
    return float(np.sum(x * x) / 2)


@pytest.mark.parametrize("bound", ["none", "lr_max"])
@pytest.mark.parametrize("gap", ["signed", "positive"])
def test_polyak_step_is_the_gap_over_the_square_of_the_slope(bound, gap):
    def loop():
        x = START.copy()
        for lr, g in zip(RATES, gradients(), strict=True):
            above = loss(x) - 4.0
            above = max(above, 0.0) if gap == "positive" else above
            size = 0.0
            if g.any():
                size = above / (length(g) ** 2 + 0.01)
                size = size if bound == "none" else min(above / (0.6 * (length(g) ** 2 + 0.01)), 0.7)
            x = x - lr * size * g
            yield x

    values = {"f_min": 4.0, "eps": 0.01} | ({"lr_max": 0.7, "c": 0.6} if bound == "lr_max" else {})
    agree(found("polyak_step", {"bound": bound, "gap": gap}, values, loss), loop())


@pytest.mark.parametrize("averaging", ["sum", "mean"])
@pytest.mark.parametrize("form", ["in_direction", "coupled", "decoupled", "before_step"])
def test_novograd_is_algorithm_1(averaging, form):
    def loop():
        x, m, v = START.copy(), np.zeros((3, 4)), None
        for lr, slope in zip(RATES, gradients(), strict=True):
            x = x * (1 - lr * DECAY) if form == "before_step" else x
            g = slope + DECAY * x if form == "coupled" else slope
            square = np.sum(g * g)
            v = square if v is None else 0.7 * v + 0.3 * square
            step = g / (np.sqrt(v) + 0.01) + (DECAY * x if form == "in_direction" else 0)
            m = 0.9 * m + (0.1 if averaging == "mean" else 1) * step
            x = x * (1 - lr * DECAY) - lr * m if form == "decoupled" else x - lr * m
            yield x

    options = {"averaging": averaging, "weight_decay_form": form}
    values = {"beta1": 0.9, "beta2": 0.7, "eps": 0.01, "weight_decay": DECAY}
    agree(found("novograd", options, values), loop())


@pytest.mark.parametrize("lr_placement", ["inside", "outside"])
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("form", ["in_direction", "coupled"])
def test_lars_is_equation_6_and_algorithm_1(lr_placement, nesterov, form):
    def loop():
        x, v = START.copy(), np.zeros((3, 4))
        for lr, g in zip(RATES, gradients(), strict=True):
            whole = g + DECAY * x
            size = length(g) + DECAY * length(x) if form == "in_direction" else length(whole)
            step = 0.02 * length(x) / (size + 0.01) * whole * (lr if lr_placement == "inside" else 1)
            v = 0.8 * v + step
            move = step + 0.8 * v if nesterov else v
            x = x - move * (1 if lr_placement == "inside" else lr)
            yield x

    options = {"lr_placement": lr_placement, "nesterov": nesterov, "weight_decay_form": form}
    values = {"trust_coefficient": 0.02, "momentum": 0.8, "eps": 0.01, "weight_decay": DECAY}
    agree(found("lars", options, values), loop())


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
    def loop():
        x, m, v = START.copy(), np.zeros((3, 4)), np.zeros((3, 4))
        for k, (lr, slope) in enumerate(zip(RATES, gradients(), strict=True), 1):
            x = x * (1 - lr * DECAY) if form == "before_step" else x
            g = slope + DECAY * x if form == "coupled" else slope
            m, v = 0.9 * m + 0.1 * g, 0.8 * v + 0.2 * g * g
            first = m / (1 - 0.9**k) if correction in ("both", "first") else m
            second = v / (1 - 0.8**k) if correction in ("both", "second") else v
            r = first / (np.sqrt(second) + 0.01) + (DECAY * x if form == "in_direction" else 0)
            weight = length(x) if phi == "identity" else min(max(length(x), 0.5), 2.0)
            ratio = weight / length(r) if weight > 0 and length(r) > 0 else 1
            x = (x * (1 - lr * DECAY) if form == "decoupled" else x) - lr * ratio * r
            yield x

    options = {"bias_correction": correction, "weight_decay_form": form, "phi": phi}
    values = {"beta1": 0.9, "beta2": 0.8, "eps": 0.01, "weight_decay": DECAY}
    values |= {"phi_min": 0.5, "phi_max": 2.0} if phi == "clipped" else {}
    agree(found("lamb", options, values), loop())


@pytest.mark.parametrize("version", ["I", "II"])
@pytest.mark.parametrize("buffer", ["none", "ema"])
@pytest.mark.parametrize("epsilon", ["none", "inside"])
def test_sm3_covers_rows_and_columns_entry_by_entry(version, buffer, epsilon):
    def loop():
        x, rows, columns, m = START.copy(), [0.0] * 3, [0.0] * 4, np.zeros((3, 4))
        for lr, g in zip(RATES, gradients(), strict=True):
            nu = np.zeros((3, 4))
            if version == "I":
                rows = [rows[i] + max(g[i] ** 2) for i in range(3)]
                columns = [columns[j] + max(g[:, j] ** 2) for j in range(4)]
            for i in range(3):
                for j in range(4):
                    nu[i, j] = min(rows[i], columns[j]) + (g[i, j] ** 2 if version == "II" else 0)
            if version == "II":
                rows, columns = [max(r) for r in nu], [max(c) for c in nu.T]
            step = np.zeros((3, 4))
            step[nu > 0] = g[nu > 0] / np.sqrt(nu[nu > 0] + (0.01 if epsilon == "inside" else 0))
            m = 0.9 * m + 0.1 * step
            x = x - lr * (m if buffer == "ema" else step)
            yield x

    values = ({"momentum": 0.9} if buffer == "ema" else {}) | ({"eps": 0.01} if epsilon == "inside" else {})
    agree(found("sm3", {"version": version, "buffer": buffer, "epsilon": epsilon}, values), loop())


AXES = [
    {}, {"factored": False}, {"relative_step": False}, {"parameter_scale": False}, {"clipping": False},
    {"epsilon": "floor"}, {"epsilon": "floor", "factored": False}, {"buffer": "ema"},
    {"weight_decay_form": "decoupled"}, {"weight_decay_form": "before_step"},
]  # fmt: skip


@pytest.mark.parametrize("options", AXES, ids=str)
def test_adafactor_is_algorithms_4_and_5_with_sums(options):
    form = options.get("weight_decay_form")

    def loop():
        x, row, column, full, m = START.copy(), np.zeros(3), np.zeros(4), np.zeros((3, 4)), np.zeros((3, 4))
        for k, (lr, g) in enumerate(zip(RATES, gradients(), strict=True), 1):
            x = x * (1 - lr * DECAY) if form == "before_step" else x
            rate = min(lr, k**-0.5) if options.get("relative_step", True) else lr
            rate *= max(0.5, length(x) / 12**0.5) if options.get("parameter_scale", True) else 1
            beta = 1 - k**-0.7
            square = g * g + (0.02 if "epsilon" not in options else 0)
            row = beta * row + (1 - beta) * square.sum(axis=1)
            column = beta * column + (1 - beta) * square.sum(axis=0)
            full = beta * full + (1 - beta) * square
            total = row.sum()
            if "epsilon" in options:
                total = max(total, 0.02 * 12)  # the mean of the row means is the sum over 12
            v = np.outer(row, column) / total if options.get("factored", True) else full
            v = np.maximum(v, 0.02**2) if "epsilon" in options else v
            u = g / np.sqrt(v)
            u = u / max(1, length(u) / 12**0.5 / 0.9) if options.get("clipping", True) else u
            m = 0.8 * m + 0.2 * rate * u
            x = x * (1 - lr * DECAY) if form == "decoupled" else x
            x = x - (m if "buffer" in options else rate * u)
            yield x

    values = {"eps1": 0.02, "eps2": 0.5, "clip_threshold": 0.9, "decay_rate": 0.7, "momentum": 0.8}
    values["weight_decay"] = DECAY
    read = {h.name for h in rule("adafactor", **options).hyperparameters}
    agree(found("adafactor", options, {n: v for n, v in values.items() if n in read}), loop())


@pytest.mark.parametrize("buffer", ["sum", "ema"])
@pytest.mark.parametrize("nesterov", [True, False, "corrected"])
@pytest.mark.parametrize("scaling", ["rows", "columns", "rms", "none"])
@pytest.mark.parametrize("epsilon", ["added", "floor"])
def test_muon_maps_singular_values_by_the_polynomial(buffer, nesterov, scaling, epsilon):
    """Newton-Schulz as what it does to singular values: no matrix product is shared with the rule."""

    def loop():
        x, b = START.copy(), np.zeros((3, 4))
        for k, (lr, g) in enumerate(zip(RATES, gradients(), strict=True), 1):
            w = 1 if buffer == "sum" else 0.1
            b = 0.9 * b + w * g
            move = {
                True: w * g + 0.9 * b,
                False: b,
                "corrected": w * g / (1 - 0.9**k) + 0.9 * b / (1 - 0.9 ** (k + 1)),
            }[nesterov]
            size = length(move) + 0.01 if epsilon == "added" else max(length(move), 0.01)
            u, s, vt = np.linalg.svd(move / size, full_matrices=False)
            for _ in range(5):
                s = 3.4445 * s - 4.775 * s**3 + 2.0315 * s**5
            scale = {"rows": 1, "columns": (4 / 3) ** 0.5, "rms": 0.3 * 2, "none": 1}[scaling]
            x = x - lr * scale * (u * s) @ vt
            yield x

    options = {"buffer": buffer, "nesterov": nesterov, "scaling": scaling, "epsilon": epsilon}
    values = {"momentum": 0.9, "eps": 0.01} | ({"rms_rate": 0.3} if scaling == "rms" else {})
    agree(found("muon", options, values), loop(), 1e-11)  # five cubes and fifth powers of rounding


@pytest.mark.parametrize("memory", ["sum", "ema"])
@pytest.mark.parametrize("exponent", ["quarter", "half"])
def test_shampoo_is_algorithm_1(memory, exponent):
    def power(a, p):
        u, s, _ = np.linalg.svd(a)
        return (u * s**p) @ u.T

    numbers = np.clip(
        gradients(), -3, 3
    )  # a power of a matrix loses as many digits as its condition number has

    def loop():
        x, left, right = START.copy(), 0.05 * np.eye(3), 0.05 * np.eye(4)
        p = -0.25 if exponent == "quarter" else -0.5
        for lr, g in zip(RATES, numbers, strict=True):
            old, new = (1, 1) if memory == "sum" else (0.9, 0.1)
            left, right = old * left + new * g @ g.T, old * right + new * g.T @ g
            x = x - lr * power(left, p) @ g @ power(right, p)
            yield x

    values = {"eps": 0.05} | ({"beta2": 0.9} if memory == "ema" else {})
    options = {"memory": memory, "exponent": exponent}
    agree(found("shampoo", options, values, numbers=numbers), loop(), 1e-10)


@pytest.mark.parametrize("first_distance", ["relative", "absolute"])
def test_dog_is_distance_over_gradients(first_distance):
    def loop():
        x, total, far = START.copy(), 0.0, 0.0
        for lr, g in zip(RATES, gradients(), strict=True):
            least = 0.04 * (1 + length(START)) if first_distance == "relative" else 0.04
            far = max(far, length(x - START), least)
            total += np.sum(g * g)
            x = x - lr * far / np.sqrt(total + 0.01) * g
            yield x

    agree(found("dog", {"first_distance": first_distance}, {"r_eps": 0.04, "eps": 0.01}), loop())


@pytest.mark.parametrize("correction", ["none", "both"])
@pytest.mark.parametrize("distance", ["old", "new"])
@pytest.mark.parametrize("safe", [False, True])
def test_prodigy_is_the_adam_version_of_the_paper(correction, distance, safe):
    def loop():
        x, m, v, s = START.copy(), np.zeros((3, 4)), np.zeros((3, 4)), np.zeros((3, 4))
        r, d = 0.0, 0.06
        for k, (lr, g) in enumerate(zip(RATES, gradients(), strict=True), 1):
            rate = lr * np.sqrt(1 - 0.9**k) / (1 - 0.8**k) if correction == "both" else lr
            m, v = 0.8 * m + 0.2 * d * g, 0.9 * v + 0.1 * d**2 * g * g
            b = 0.9**0.5
            r = b * r + (1 - b) * rate * d**2 * np.sum(g * (START - x))
            s = b * s + (1 - b) * (1 if safe else rate) * d**2 * g
            new = max(d, 0.8 * r / np.abs(s).sum())
            x = x - rate * d * m / (np.sqrt(v) + (new if distance == "new" else d) * 0.01)
            d = new
            yield x

    options = {"bias_correction": correction, "epsilon_distance": distance, "safeguard_warmup": safe}
    values = {"beta1": 0.8, "beta2": 0.9, "eps": 0.01, "d0": 0.06, "d_coefficient": 0.8}
    agree(found("prodigy", options, values), loop())


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
