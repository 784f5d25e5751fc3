"""The equations of the classic rules, as their papers print them."""

import pytest

from optverify.rules import registry, rule

GOLDEN = {
    "gd": [r"\theta_t &= \theta_{t-1} - \eta g_t"],
    "momentum": [r"v_t &= \mu v_{t-1} - \varepsilon g_t", r"\theta_t &= \theta_{t-1} + v_t"],
    "nesterov": [
        r"v_t &= \mu v_{t-1} - \varepsilon g_t",
        r"\theta_t &= \theta_{t-1} + v_t",
    ],
    "adagrad": [
        r"G_t &= G_{t-1} + g_t^2",
        r"\theta_t &= \theta_{t-1} - \eta\,\frac{g_t}{\sqrt{G_t} + \delta}",
    ],
    "rmsprop": [
        r"v_t &= \rho v_{t-1} + (1 - \rho) g_t^2",
        r"\theta_t &= \theta_{t-1} - \eta\,\frac{g_t}{\sqrt{v_t} + \epsilon}",
    ],
    "adam": [
        r"m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t",
        r"v_t &= \beta_2 v_{t-1} + (1 - \beta_2) g_t^2",
        r"\hat{m}_t &= \frac{m_t}{1 - \beta_1^t}",
        r"\hat{v}_t &= \frac{v_t}{1 - \beta_2^t}",
        r"\theta_t &= \theta_{t-1} - \alpha\,\frac{\hat{m}_t}{\sqrt{\hat{v}_t} + \epsilon}",
    ],
}
DIALECTS = [
    ("momentum", {"lr_placement": "outside"}, r"v_t &= \mu v_{t-1} + g_t"),
    ("momentum", {"lr_placement": "outside"}, r"\theta_t &= \theta_{t-1} - \varepsilon v_t"),
    ("momentum", {"form": "ema", "lr_placement": "outside"}, r"v_t &= \mu v_{t-1} + (1 - \mu) g_t"),
    ("momentum", {"form": "dampened", "lr_placement": "outside"}, r"v_t &= \mu v_{t-1} + (1 - \tau) g_t"),
    (
        "momentum",
        {"first_buffer": "gradient", "lr_placement": "outside"},
        r"v_t &= \begin{cases} g_t & \text{if } t = 1 \\ \mu v_{t-1} + g_t & \text{otherwise} \end{cases}",
    ),
    ("nesterov", {"nesterov": "rewritten"}, r"g_t &= \nabla f_t(\theta_{t-1})"),
    ("nesterov", {"nesterov": "rewritten"}, r"\theta_t &= \theta_{t-1} + \mu v_t - \varepsilon g_t"),
    (
        "nesterov",
        {"nesterov": "rewritten", "lr_placement": "outside"},
        r"\theta_t &= \theta_{t-1} - \varepsilon (g_t + \mu v_t)",
    ),
    ("adagrad", {"epsilon": "inside"}, r"\theta_t &= \theta_{t-1} - \eta\,\frac{g_t}{\sqrt{G_t + \delta}}"),
    ("adagrad", {"lr_schedule": "inverse_time"}, r"\eta_t &= \frac{\eta}{1 + \gamma (t - 1)}"),
    (
        "rmsprop",
        {"centered": True},
        r"\theta_t &= \theta_{t-1} - \eta\,\frac{g_t}{\sqrt{v_t - \bar{g}_t^2} + \epsilon}",
    ),
    (
        "rmsprop",
        {"buffer": "lr_inside", "epsilon": "inside"},
        r"b_t &= \mu b_{t-1} + \eta\,\frac{g_t}{\sqrt{v_t + \epsilon}}",
    ),
    ("adam", {"epsilon": "hat"}, r"\alpha_t &= \alpha\,\frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}"),
    ("adam", {"epsilon": "hat"}, r"\theta_t &= \theta_{t-1} - \frac{\alpha_t m_t}{\sqrt{v_t} + \epsilon}"),
    ("adam", {"amsgrad": "v"}, r"v^{\max}_t &= \max(v^{\max}_{t-1}, v_t)"),
    ("adam", {"amsgrad": "v_hat"}, r"v^{\max}_t &= \max(v^{\max}_{t-1}, \hat{v}_t)"),
    ("adam", {"weight_decay_form": "coupled"}, r"g_t &= \nabla f_t(\theta_{t-1}) + \lambda \theta_{t-1}"),
    (
        "adam",
        {"weight_decay_form": "decoupled"},
        r"\theta_t &= (1 - \alpha \lambda) \theta_{t-1} - "
        r"\alpha\,\frac{\hat{m}_t}{\sqrt{\hat{v}_t} + \epsilon}",
    ),
]


@pytest.mark.parametrize("name", GOLDEN)
def test_default_dialect_is_the_papers(name):
    lines = [line.removesuffix(r" \\") for line in rule(name).latex().splitlines()[1:-1]]
    point = r"\theta_{t-1} + \mu v_{t-1}" if name == "nesterov" else r"\theta_{t-1}"
    assert lines == [rf"g_t &= \nabla f_t({point})", *GOLDEN[name]]


@pytest.mark.parametrize(("name", "options", "line"), DIALECTS)
def test_an_option_changes_the_equation_it_is_about(name, options, line):
    lines = [text.removesuffix(r" \\") for text in rule(name, **options).latex().splitlines()]
    assert line in lines
    assert line not in [text.removesuffix(r" \\") for text in rule(name).latex().splitlines()]


@pytest.mark.parametrize("name", registry.names())
def test_no_option_is_dead(name):
    """Each changes the recurrence of the default dialect, or of one that is a single choice away from it."""
    default = rule(name)
    choices = [{}, *({axis.name: option} for axis in default.axes for option in axis.options)]

    def recurrence(options):
        if any(e.applies({**default.options, **options}) for e in default.excluded):
            return None
        dialect = default.dialect(**options)
        return dialect.assignments, dialect.gradient_point, dialect.states

    for axis in default.axes:
        for option in list(axis.options)[1:]:
            pairs = (
                (recurrence(c), recurrence({**c, axis.name: option})) for c in choices if axis.name not in c
            )
            assert any(a and b and a != b for a, b in pairs), (axis.name, option)


@pytest.mark.parametrize("name", registry.names())
def test_latex_has_balanced_braces_and_no_banned_macro(name):
    for dialect in rule(name).dialects(1):
        tex = dialect.latex()
        assert tex.count("{") == tex.count("}")
        assert tex.count(r"\left") == tex.count(r"\right")
        assert r"\operatorname" not in tex
        assert "_{t_" not in tex
