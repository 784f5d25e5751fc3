r"""Formulas in other notations than the LaTeX they are written in.

    mathml(r"\frac{m_t}{1 - \beta_1^{t}}")    for pages: MathML Core, drawn by browsers without any script
    line(r"m_t &= \beta_1 m_{t-1}")           the two sides of a line of an `aligned` block
    typst(...)                                for the PDF

The printers of `language.notation` decide order, brackets and names once, in LaTeX; `tex.parse` reads exactly
the commands that they use into a `tree`, from which each notation is written.
"""

from optverify.formulas.mathml import line, mathml
from optverify.formulas.typst import typst

__all__ = ["line", "mathml", "typst"]
