"""The order and the LaTeX of formulas: textbook form, in the subset that GitHub shows."""

import pytest
import sympy as sp

from optverify.language import Input, State, Variable, beta1, eps, g, lr, t, theta, weight_decay
from optverify.language.notation import TextbookLatex, code_name, pretty_name, tex_name, tex_number

m, v_max, m_hat = State("m"), State("v_max", nonnegative=True), Variable("m_hat")
NAMES = {lr: r"\alpha", beta1: r"\beta_1", eps: r"\epsilon", weight_decay: r"\lambda"}


def tex(e):
    return TextbookLatex(NAMES).doprint(e)


@pytest.mark.parametrize(
    ("symbol", "latex", "code", "pretty"),
    [
        (theta[t], r"\theta_t", "theta", "theta_t"),
        (theta[t - 1], r"\theta_{t-1}", "theta", "theta_t-1"),
        (m_hat[t], r"\hat{m}_t", "m_hat", "mhat_t"),
        (v_max[t - 1], r"v^{\max}_{t-1}", "v_max", "v__max_t-1"),
        (State("Q_L")[t], "Q_{L,t}", "Q_L", "QL_t"),
        (Variable("g_prime")[t - 1], "g'_{t-1}", "g_prime", "gprime_t-1"),
        (Input("full_grad")[t], r"full^{\mathrm{grad}}_t", "full_grad", "full_grad"),
        (g[t], "g_t", "g", "g_t"),
    ],
)
def test_names_of_timed_symbols(symbol, latex, code, pretty):
    assert tex_name(symbol.name) == latex
    assert code_name(symbol.name) == code
    assert pretty_name(symbol.name) == pretty


@pytest.mark.parametrize(
    ("expression", "latex"),
    [
        (theta[t - 1] - lr * m_hat[t], r"\theta_{t-1} - \alpha \hat{m}_t"),
        (
            theta[t - 1] - lr * m_hat[t] / (sp.sqrt(v_max[t]) + eps),
            r"\theta_{t-1} - \alpha\,\frac{\hat{m}_t}{\sqrt{v^{\max}_t} + \epsilon}",
        ),
        (beta1 * m[t - 1] + (1 - beta1) * g[t], r"\beta_1 m_{t-1} + (1 - \beta_1) g_t"),
        (m[t] / (1 - beta1**t), r"\frac{m_t}{1 - \beta_1^t}"),
        ((1 - lr * weight_decay) * theta[t - 1], r"(1 - \alpha \lambda) \theta_{t-1}"),
        (sp.sqrt(v_max[t] + eps), r"\sqrt{v^{\max}_t + \epsilon}"),
        (sp.Max(v_max[t - 1], v_max[t]), r"\max(v^{\max}_{t-1}, v^{\max}_t)"),
        (v_max[t] ** 2, r"\left(v^{\max}_t\right)^2"),
        (Variable("g_prime")[t] ** 2, r"\left(g'_t\right)^2"),
        (g[t] ** 2, "g_t^2"),
        (-lr * g[t], r"- \alpha g_t"),
        (m[t] / 2, r"\frac{m_t}{2}"),
        (2 * m[t], "2 m_t"),
        (1 / (1 + lr), r"\frac{1}{1 + \alpha}"),
        (sp.sign(g[t]), r"\mathrm{sign}(g_t)"),
        (sp.Abs(g[t]), r"\lvert g_t \rvert"),
        (lr * (g[t] - m[t]) ** 2, r"\alpha (g_t - m_t)^2"),
        (
            sp.Piecewise((g[t], sp.Eq(t, 1)), (m[t], True)),
            r"\begin{cases} g_t & \text{if } t = 1 \\ m_t & \text{otherwise} \end{cases}",
        ),
    ],
)
def test_latex_in_textbook_form(expression, latex):
    assert tex(expression) == latex


def test_stock_sympy_printers_show_time_indices():
    """A symbol of a rule prints well outside this package, too."""
    assert sp.latex(m_hat[t] ** 2) == r"\hat{m}_t^{2}"
    assert sp.pretty(theta[t - 1]) == "θₜ₋₁"
    assert str(theta[t - 1] - lr * m[t]) == "-lr*m_t + theta_{t-1}"


@pytest.mark.parametrize(
    ("value", "latex"),
    [
        (1e-3, "0.001"),
        (0.9, "0.9"),
        (0, "0"),
        (1e-8, "10^{-8}"),
        (5e-5, r"5 \cdot 10^{-5}"),
        (1.5e-7, r"1.5 \cdot 10^{-7}"),
    ],
)
def test_numbers_as_readers_write_them(value, latex):
    assert tex_number(value) == latex
