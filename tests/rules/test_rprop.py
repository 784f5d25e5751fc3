"""Rprop: against the published pseudocode, a number at a time; what only its variants do."""

import numpy as np
import pytest

from optverify.backends import step
from optverify.rules import rule

from .hostile import HOSTILE, RATES, START, assert_same_updates, lines
from .loops import GRADIENTS, WEIGHT_DECAY, generated

FIRST, UP, DOWN, LEAST, MOST = 0.1, 1.3, 0.4, 0.03, 0.8
H = {"lr": FIRST, "eta_plus": UP, "eta_minus": DOWN, "min_step": LEAST, "max_step": MOST}
VARIANTS = ["rprop+", "rprop-", "irprop-", "irprop-_late"]


def sign(x):
    return int(x > 0) - int(x < 0)


def pseudocode(variant, gradients):
    """The steps of one weight: Igel and Hüsken (2003), their if-branches kept."""
    size, old, step_before = FIRST, 0.0, 0.0
    for g in gradients:
        agrees = old * g
        if agrees > 0:
            size = min(size * UP, MOST)
        elif agrees < 0:
            size = max(size * DOWN, LEAST)
        late = 0.0 if agrees < 0 else step_before
        if variant == "rprop-" or agrees >= 0:
            move = -sign(g) * size
        else:
            move = -step_before if variant == "rprop+" else 0.0
        yield late if variant == "irprop-_late" else move
        step_before = move
        old = 0.0 if agrees < 0 and variant != "rprop-" else g


def path(variant, *, decay="none", maximize=False, stream=HOSTILE):
    """Theta after each update; coupled decay needs theta, so every weight goes through its own loop."""
    columns = []
    for start, column in zip(stream.start, stream.gradients.T, strict=True):
        x, seen, points = start, [], []
        for g in -column if maximize else column:
            seen.append(g + WEIGHT_DECAY * x if decay == "coupled" else g)
            *_, move = pseudocode(variant, seen)
            x = x - (WEIGHT_DECAY * x if decay == "decoupled_without_lr" else 0) + move
            points.append(x)
        columns.append(points)
    return np.array(columns).T


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("decay", ["none", "coupled", "decoupled_without_lr"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_published_pseudocode_gives_the_same_updates(variant, decay, maximize):
    options = {"variant": variant, "weight_decay_form": decay, "maximize": maximize}
    found = generated("rprop", options, H | {"weight_decay": WEIGHT_DECAY})
    assert_same_updates(found, path(variant, decay=decay, maximize=maximize))


def backtracking(gradients, losses, sign):
    """Igel and Hüsken (2003), iRprop+, one weight: its changes."""
    size, old, change, loss_before = FIRST, 0.0, 0.0, np.inf
    for g, loss in zip(sign * gradients, sign * losses, strict=True):
        if old * g > 0:
            size = min(size * UP, MOST)
            change = -np.sign(g) * size
            yield change
        elif old * g < 0:
            size = max(size * DOWN, LEAST)
            yield -change if loss > loss_before else 0.0
        else:
            change = -np.sign(g) * size
            yield change
        old, loss_before = 0.0 if old * g < 0 else g, loss


@pytest.mark.parametrize("maximize", [False, True])
def test_irprop_plus_takes_a_step_back_only_if_the_loss_has_grown(maximize):
    losses = np.random.default_rng(4).normal(size=len(GRADIENTS))
    module = step("rprop", variant="irprop+", maximize=maximize)
    x, state, points = START, module.init(START, lr=FIRST), []
    values = {name: value for name, value in H.items() if name != "lr"}
    for g, loss in zip(GRADIENTS, losses, strict=True):
        x, state = module.step(x, g, state, loss=float(loss), **values)
        points.append(x)
    sign = -1 if maximize else 1
    changes = np.array([list(backtracking(g, losses, sign)) for g in GRADIENTS.T]).T
    assert_same_updates(points, START + np.cumsum(changes, axis=0))
    assert type(state.E) is float
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'loss'"):
        module.step(x, g, state, **values)


def test_the_defaults_are_those_of_the_paper():
    values = {h.name: h.default for h in rule("rprop").hyperparameters}
    assert values == {"lr": 0.1, "eta_plus": 1.2, "eta_minus": 0.5, "min_step": 1e-6, "max_step": 50.0}


CHANGED = r"\text{if } c_t < 0"
GOLDEN = [
    r"g_t &= \nabla f_t(\theta_{t-1})",
    r"c_t &= g_t p_{t-1}",
    r"\Delta_t &= \begin{cases} \min(\eta^+ \Delta_{t-1}, \Delta_{\max}) & \text{if } c_t > 0 \\"
    rf" \max(\eta^- \Delta_{{t-1}}, \Delta_{{\min}}) & {CHANGED} \\ \Delta_{{t-1}} & \text{{otherwise}}"
    r" \end{cases}",
    rf"p_t &= \begin{{cases}} 0 & {CHANGED} \\ g_t & \text{{otherwise}} \end{{cases}}",
    rf"s_t &= \begin{{cases}} - s_{{t-1}} & {CHANGED} \\ - \Delta_t \mathrm{{sign}}(g_t) &"
    r" \text{otherwise} \end{cases}",
    r"\theta_t &= \theta_{t-1} + s_t",
]


def test_default_dialect_is_the_papers():
    assert lines(rule("rprop")) == GOLDEN


def test_irprop_plus_compares_losses():
    assert lines(rule("rprop", variant="irprop+"))[4:6] == [
        r"s_t &= \begin{cases} - \Delta_t \mathrm{sign}(g_t) & \text{if } c_t \geq 0 \\ - s_{t-1} &"
        r" \text{if } f_t(\theta_{t-1}) > E_{t-1} \\ 0 & \text{otherwise} \end{cases}",
        r"E_t &= f_t(\theta_{t-1})",
    ]


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("rprop+", [-0.1, -0.22, -0.1, -0.04, 0.032]),
        ("rprop-", [-0.1, -0.22, -0.16, -0.088, -0.0016]),
        ("irprop-", [-0.1, -0.22, -0.22, -0.16, -0.088]),
        ("irprop-_late", [0.0, -0.1, -0.1, -0.1, -0.04]),
    ],
)
def test_what_follows_a_change_of_sign(variant, expected):
    """Gradients 1, 1, -1, -1, -1 from step size 0.1, by hand: sizes 0.1, 0.12, 0.06, then 0.06, 0.072.

    Without a memory that forgets (rprop-) the sizes after the change are 0.06, 0.072, 0.0864.
    """
    module = step("rprop", variant=variant)
    theta, state, found = 0.0, module.init(0.0), []
    for g in (1.0, 1.0, -1.0, -1.0, -1.0):
        theta, state = module.step(theta, g, state)
        found.append(float(theta))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_size_of_a_gradient_does_not_count(variant):
    plain = np.array(list(generated("rprop", {"variant": variant}, H)))
    scaled = np.array(list(generated("rprop", {"variant": variant}, H, GRADIENTS * 1e3)))
    assert np.array_equal(plain, scaled)


def test_a_step_asks_for_no_learning_rate_and_init_for_no_schedule():
    module = step("rprop")
    with pytest.raises(TypeError, match="unexpected keyword argument 'lr'"):
        module.step(0.0, 1.0, module.init(0.0), lr=0.1)
    with pytest.raises(TypeError, match=r"lr = .* is not a number: lr must be a finite number > 0"):
        module.init(0.0, lr=lambda t: RATES[t])
