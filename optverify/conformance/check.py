"""Is this optimizer that rule? Every probe is run on both; where they part, one explanation says all."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from typing import Any

from optverify.conformance.examination import Examination, Wanted
from optverify.conformance.protocol import Make
from optverify.conformance.verdict import Verdict
from optverify.language import Rule


class ConformanceError(AssertionError):
    """An optimizer departs from the rule it was held against. verdict: all the numbers."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(str(verdict))
        self.verdict = verdict

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.verdict,)


def check(
    make: Make,
    rule: str | Rule,
    like: str | None = None,
    *,
    adapter: str | None = None,
    **options_and_values: Any,
) -> Verdict:
    """Hold an optimizer against a rule: a Verdict with its largest error, or a ConformanceError.

    make: a class, a function of the parameters or of nothing that makes the optimizer, or a plain
    `step(theta, grad) -> theta`. like: "torch", "optax", "keras": the rule as that library has it.
    adapter: how it is driven, where that cannot be seen. options_and_values: a dialect (`epsilon="hat"`) and
    hyperparameters (`lr=0.1`); those that are left out are read from the optimizer, or have their default.
    Raises ValueError for an unknown rule, option or library, TypeError if nothing says how to drive it.
    """
    __tracebackhide__ = True
    verdict = judge(make, rule, like, adapter=adapter, **options_and_values)
    if not verdict.ok:
        raise ConformanceError(verdict)
    return verdict


def judge(
    make: Make,
    rule: str | Rule,
    like: str | None = None,
    *,
    adapter: str | None = None,
    only: Collection[str] | None = None,
    on_check: Callable[[str], None] = lambda name: None,
    subject: str = "",
    **options_and_values: Any,
) -> Verdict:
    """As `check`, without the exception. only: the checks to run; on_check: told each name beforehand."""
    wanted = Wanted.asked(rule, like, options_and_values)
    return Examination(make, wanted, adapter, subject or named(make), on_check).verdict(only)


def named(make: Any) -> str:
    """A name for what was handed in."""
    if isinstance(make, functools.partial):
        given = ", ".join([*map(repr, make.args), *(f"{n}={v!r}" for n, v in make.keywords.items())])
        return f"{named(make.func)}({given})"
    name = getattr(make, "__qualname__", "") or type(make).__qualname__
    return "the optimizer" if name.endswith("<lambda>") else name.rpartition("<locals>.")[2]
