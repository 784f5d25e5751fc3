"""LaTeX read back: numbers come out, and what does not follow the notation is refused."""

from fractions import Fraction

import pytest

import optverify as ov
from optverify.proof.enclosure import Exact
from optverify.proof.reading import Unreadable, read

KNOWN = {
    r"\beta_1": Fraction(1, 3),
    r"\mu": Fraction(2),
    r"\mu_t": Fraction(5),
    "m_t": Fraction(-3),
    r"\hat{m}_t": Fraction(4),
    "m": Fraction(7),
    "t": Fraction(2),
    "k": Fraction(2),
}


@pytest.mark.parametrize(
    ("tex", "value"),
    [
        (r"\beta_1 m_t + (1 - \beta_1) \hat{m}_t", Fraction(5, 3)),
        (r"- \mu_t + \mu", -3),
        (r"\frac{m_t}{1 - \beta_1^t}", Fraction(-27, 8)),
        (r"\mu\,\frac{\hat{m}_t}{\sqrt{\hat{m}_t} + \mu}", 2),
        (r"\lvert m_t \rvert \cdot 2", 6),
        (r"\lVert m_t \rVert^2", 9),
        (r"\max(m_t, - \mu)", -2),
        (r"\min\left(1, \frac{\mu}{\mu_t}\right)", Fraction(2, 5)),
        (r"\begin{cases} \frac{1}{\mu - k} & \text{if } \mu > k \\ m & \text{otherwise} \end{cases}", 7),
        (r"\begin{cases} 1 & \text{if } t \bmod k = 0 \wedge m_t < 0 \\ m & \text{otherwise} \end{cases}", 1),
        (r"\left(m_t\right)^2 m_t^\top", -27),
        (r"\mathrm{sign}(m_t)", -1),
        (r"\langle m_t, \mu \rangle", -6),
        (r"{\hat{m}_t}^{- \frac{1}{2}}", Fraction(1, 2)),
        (r"0.5^\mu", Fraction(1, 4)),
    ],
)
def test_values(tex, value):
    assert read(tex, KNOWN, Exact()) == value


@pytest.mark.parametrize(
    "tex", [r"\nu m_t", r"\frac{1}{m_t", "m_t +", r"\max{m_t}", "m_t)", r"\begin{cases} m \end{cases}"]
)
def test_what_is_not_the_notation_is_refused(tex):
    with pytest.raises(Unreadable):
        read(tex, KNOWN, Exact())


def test_a_slip_of_the_printer_is_found(monkeypatch):
    from optverify.claims._agreement import decide_agreement
    from optverify.language.notation import TextbookLatex
    from optverify.proof import Refuted

    rule = ov.rule("adam")
    monkeypatch.setattr(TextbookLatex, "_print_Pow", lambda self, e: self._print(e.base))
    with pytest.raises(Refuted, match=r"m_t|v_t"):
        decide_agreement(rule)
