"""The equations, as a reader of the papers expects them and GitHub shows them."""

import re

import pytest

from optverify.language import Schedule
from optverify.schedules import names, registry, schedule

GOLDEN = {
    "constant": r"\eta_t &= \eta_0",
    "step": r"\eta_t &= \eta_0 \gamma^{\left\lfloor{\frac{t}{s}}\right\rfloor}",
    "multi_step": r"\eta_t &= \eta_0 \gamma^{\lvert\{ j : m_j \le t \}\rvert}",
    "exponential": r"\eta_t &= \eta_0 \gamma^{t/s}",
    "cosine": (
        r"\eta_t &= \eta_{\min} + \frac{1}{2} (\eta_{\max} - \eta_{\min})"
        r" \left(1 + \cos{\left(\frac{\pi \min(t, T)}{T} \right)}\right)"
    ),
    "cosine_warm_restarts": (
        r"i &= \max\left\{ j : T_0 \sum_{k=0}^{j - 1} T_{\mathrm{mult}}^k \le t \right\} \\" "\n"
        r"T_{i} &= T_0 T_{\mathrm{mult}}^i \\" "\n"
        r"T_{\mathrm{cur}} &= t - T_0 \sum_{j=0}^{i - 1} T_{\mathrm{mult}}^j \\" "\n"
        r"\eta_{\max, i} &= \eta_{\min} + (\eta_{\max} - \eta_{\min}) M_{\mathrm{mult}}^i \\" "\n"
        r"\eta_t &= \eta_{\min} + \frac{1}{2} (\eta_{\max, i} - \eta_{\min})"
        r" \left(1 + \cos{\left(\frac{\pi T_{\mathrm{cur}}}{T_{i}} \right)}\right)"
    ),
    "linear_warmup": r"\eta_t &= \eta_{\max}\,\frac{\min(t, W)}{W}",
}  # fmt: skip


def body(tex: str) -> str:
    return tex.removeprefix("\\begin{aligned}\n").removesuffix("\n\\end{aligned}")


@pytest.mark.parametrize("name", GOLDEN)
def test_equations(name: str) -> None:
    assert body(registry.get(name).latex()) == GOLDEN[name]


def test_options_change_the_equation() -> None:
    forms = [schedule("linear_warmup", lr=1, warmup=4, form=f) for f in ("(t+1)/W", "(t+1)/(W+1)")]
    assert body(forms[0].latex()) == r"\eta_t &= \eta_{\max}\,\frac{\min(t + 1, W)}{W}"
    assert body(forms[1].latex()) == r"\eta_t &= \eta_{\max}\,\frac{\min(t + 1, W + 1)}{W + 1}"
    assert r"\frac{\pi t}{T}" in registry.get("cosine").latex(after="reflect")


def test_join_is_written_by_cases_with_shifted_clocks() -> None:
    s = schedule("linear_warmup", lr=0.1, warmup=5).then(schedule("exponential", lr=0.1, gamma=0.9))
    assert body(s.latex()) == (
        r"\eta_t &= \begin{cases} \eta_{\max}^{(1)}\,\frac{\min(t, W)}{W} & \text{if } t < 5 \\"
        r" \eta_0^{(2)} \gamma^{(t - 5)/s} & \text{otherwise} \end{cases}"
    )


def test_product_is_written_as_a_product() -> None:
    s = schedule("linear_warmup", lr=1, warmup=5) * schedule("step", lr=0.1, step_size=30)
    power = r"\gamma^{\left\lfloor{\frac{t}{s}}\right\rfloor}"
    assert s.latex().count(power) == 1
    assert r"\frac{" in s.latex()
    assert r"\min(t, W)" in s.latex()


def test_latex_is_well_formed_and_safe_on_github(example: Schedule) -> None:
    tex = example.latex()
    assert tex.count("{") == tex.count("}")
    assert tex.count(r"\left") - tex.count(r"\leftarrow") == tex.count(r"\right")
    assert not re.search(r"\\(operatorname|newcommand|def)\b", tex)
    assert not re.search(r"\^\{[^{}]*\}\^", tex), "a double superscript does not compile"
    assert example._repr_latex_() == rf"$\displaystyle {tex}$"


def test_golden_names_exist() -> None:
    assert set(GOLDEN) <= set(names())
