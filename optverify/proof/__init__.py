"""The tools claims are decided with. Each one shows its statement, or raises Refuted or NotProved.

Exact throughout: SymPy expressions and rationals, never floats. SymPy's `None` is "not proved".
"""

from optverify.proof.algebra import nonzero_point, show_equal, vanishes
from optverify.proof.certificates import Certificate, show_certificate
from optverify.proof.certificates import from_json as certificates_from_json
from optverify.proof.crossing import show_stable_between
from optverify.proof.induction import show_by_induction
from optverify.proof.limits import limit_at
from optverify.proof.moments import expectation
from optverify.proof.outcome import Missing, NotProved, Refuted, unless
from optverify.proof.performance import (
    STAR,
    FunctionClass,
    Measure,
    Path,
    numerical_worst_case,
    show_polynomial,
)
from optverify.proof.radicals import vanishes_with_radicals
from optverify.proof.semidefinite import show_form_nonnegative, show_semidefinite
from optverify.proof.signs import domains, over_domains, show_nonnegative, show_positive
from optverify.proof.smt import show_by_smt
from optverify.proof.stability import is_schur, schur_conditions, show_stable_iff
from optverify.proof.symmetry import show_mirrored, show_permuted, show_rotated, show_translated

__all__ = [
    "STAR", "Certificate", "FunctionClass", "Measure", "Missing", "NotProved", "Path", "Refuted",
    "certificates_from_json", "domains", "expectation", "is_schur", "limit_at", "nonzero_point",
    "numerical_worst_case", "over_domains", "schur_conditions", "show_by_induction", "show_by_smt",
    "show_certificate", "show_equal", "show_form_nonnegative", "show_mirrored", "show_nonnegative",
    "show_permuted", "show_polynomial", "show_positive", "show_rotated", "show_semidefinite",
    "show_stable_between", "show_stable_iff", "show_translated", "unless", "vanishes",
    "vanishes_with_radicals",
]  # fmt: skip
