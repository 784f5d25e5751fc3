"""The claims ledger: sentences from the textbooks, made precise and decided from the recurrences.

`claims()` lists them; `optverify.ledger` runs them. A claim is a statement, a scope and a check; the check is
handed the rules it is about and derives its verdict from them: a changed rule changes the verdict.
A topic is a file; add a claim by writing a check there:

    @claim("gd.quadratic.stability", "...", statement=r"...", scope="...", sources=[...], rule=about("gd"))
    def stability(rule):
        show_stable_iff(step_matrix(rule, curvature), ...)
        return holds("...")

A step that cannot be shown raises NotProved: "not decided" is an honest verdict.
"""

from optverify.claims._claim import Claim, Decision, Result
from optverify.claims._ledger import claim, claims

__all__ = ["Claim", "Decision", "Result", "claim", "claims"]
