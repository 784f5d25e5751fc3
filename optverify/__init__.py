"""optverify: the reference for optimizer update rules.

Each rule is one SymPy recurrence. From it come its equations, its NumPy steps, its claims and its report.

    import optverify as ov
    ov.rules()                          names of the rules
    ov.rule("adam", epsilon="hat")      a rule in a dialect: .equations, .latex(), .hyperparameters, .axes
    ov.step("adam")                     its step function: .init, .step, .update, .source
    ov.schedule("cosine", lr=0.1, total=100)
    ov.Optimizer("adam", lr=1e-3)       .update(params, grads) in place
    ov.problem("rosenbrock")            a test problem with its exact gradient
    ov.minimize("rosenbrock", "adam", steps=500, lr=1e-2)
    ov.verify()                         run the claims
    ov.check(MyAdam, "adam")            hold any optimizer against a rule; ConformanceError explains
    ov.diagnose(MyAdam)                 say which rule, dialect and constants it computes
    ov.export("adam", to="c")           the rule as source code in another language

Nothing heavy is imported until it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from optverify._version import __version__ as __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from optverify.backends import step
    from optverify.conformance.check import ConformanceError, check
    from optverify.conformance.diagnose import diagnose
    from optverify.ledger import verify
    from optverify.optimizers import Optimizer
    from optverify.problems import problem
    from optverify.report.exports import export
    from optverify.rules import rule
    from optverify.schedules import schedule
    from optverify.training import minimize

    problems: Callable[[], list[str]]
    rules: Callable[[], list[str]]
    schedules: Callable[[], list[str]]

__all__ = [
    "ConformanceError", "Optimizer", "check", "diagnose", "export", "minimize", "problem", "problems", "rule",
    "rules", "schedule", "schedules", "step", "verify",
]  # fmt: skip

_HOME = {
    "rule": "rules",
    "rules": "rules",
    "step": "backends",
    "schedule": "schedules",
    "schedules": "schedules",
    "Optimizer": "optimizers",
    "problem": "problems",
    "problems": "problems",
    "minimize": "training",
    "verify": "ledger",
    "check": "conformance.check",
    "diagnose": "conformance.diagnose",
    "ConformanceError": "conformance.check",
    "export": "report.exports",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'optverify' has no attribute {name!r}")
    home = import_module(f"optverify.{_HOME[name]}")
    return home if name == _HOME[name] else getattr(home, name)  # ov.rules() calls the package itself


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
