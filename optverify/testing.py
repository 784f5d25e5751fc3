"""For the tests of people who write optimizers: their optimizer held against a rule, check by check.

    from optverify.testing import Case, check_optimizer, parametrize_with_checks

    @parametrize_with_checks([Case(MyAdam, "adam"), Case(MyLion, "lion", lr=1e-4)])
    def test_conforms(optimizer, check):
        check(optimizer)                                 # ids: MyAdam-adam-random, ...

    def test_adam():
        print(check_optimizer(MyAdam, "adam"))           # the same without pytest

A check that is expected to fail is named, with a reason, in `expected_failed_checks=`, or in a file that
pytest is given by `--optverify-xfails`; one that passes all the same is reported. Nothing heavy is imported
until a check runs.
"""

from __future__ import annotations

import functools
import unittest
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from optverify import _session
from optverify._session import EXPECTED, FAILED, INAPPLICABLE, PASSED, UNEXPECTED

if TYPE_CHECKING:
    from optverify.conformance.examination import Examination
    from optverify.conformance.verdict import Verdict

CHECKS: Mapping[str, str] = {
    "random": "usual gradients",
    "zero_gradient": "nonzero parameters without a gradient: decay alone",
    "lr_change": "lr falls and rises in mid-run",
    "spike_then_zeros": "how memory fades",
    "sign_flips": "the first moment cancels, the second does not",
    "zeros_first": "exact zeros from the start",
    "zeros_later": "exact zeros in mid-run",
    "steady": "the same gradient again and again: estimates of distance grow",
    "near_epsilon": "where epsilon and the root weigh the same",
    "about_the_root_of_epsilon": "where epsilon under the root shows",
    "falling_second_moments": "old second moments are the largest (AMSGrad)",
    "mixed_sizes": "coordinates of very different size",
    "below_epsilon": "epsilon alone in the denominator",
    "huge": "epsilon without weight; squares of a hundred digits",
    "from_zero": "parameters at zero, gradients that grow: norms of nothing",
    "several_shapes": "several parameters, one counter",
    "late_gradient": "a parameter that first gets a gradient at update 4",
    "two_groups": "each group has its own lr",
    "long": "t up to 2000",
    "float32": "usual gradients, in float32",
    "float32_mixed": "coordinates of very different size, in float32",
    "reproducible": "a second optimizer, made alike, does the same",
    "gradients_untouched": "the gradients that it is given stay as they are",
}
"""Every check, and what it shows."""

Expected = Mapping[str, str] | Callable[["Case"], Mapping[str, str]] | None
OnFail = Literal["raise", "collect"]


class Case:
    """An optimizer and what it is to be.

    make, rule, like, adapter and the options and hyperparameters are those of `optverify.check`. name: how it
    is called in ids; by default the name of make.
    """

    def __init__(
        self,
        make: Any,
        rule: str,
        like: str | None = None,
        *,
        adapter: str | None = None,
        name: str | None = None,
        **options_and_values: Any,
    ) -> None:
        self.make, self.rule, self.like, self.adapter = make, rule, like, adapter
        self.given = options_and_values
        self.name = _name(make) if name is None else name
        self._examined: dict[int, Examination] = {}

    @property
    def identity(self) -> str:
        """`MyAdam-adam`, `MyAdam-adam(keras)`, `MyAdam-adam(epsilon=hat)`."""
        chosen = [self.like] if self.like else []
        chosen += [f"{n}={v}" for n, v in self.given.items()]
        return f"{self.name}-{self.rule}" + (f"({','.join(chosen)})" if chosen else "")

    def __repr__(self) -> str:
        return f"Case({self.identity})"

    def judge(self, make: Any, checks: Iterable[str]) -> Verdict:
        """Run these checks."""
        from optverify.conformance.check import judge

        return judge(
            make,
            self.rule,
            self.like,
            adapter=self.adapter,
            only=list(checks),
            subject=self.name,
            **self.given,
        )


def _name(make: Any) -> str:
    """A name for ids; ValueError for a function without one."""
    inner = make
    while isinstance(inner, functools.partial):
        inner = inner.func
    name = getattr(inner, "__name__", None) or type(inner).__name__
    if name == "<lambda>":
        raise ValueError('a lambda has no name for the ids of its checks: give one, Case(..., name="MyAdam")')
    return str(name)


class Check:
    """One check of one case: called with the optimizer, it raises ConformanceError if that departs."""

    def __init__(self, case: Case, name: str) -> None:
        self.case, self.name = case, name
        self.optverify_id = f"{case.identity}-{name}"

    def __repr__(self) -> str:
        return f"Check({self.optverify_id})"

    def __call__(self, optimizer: Any) -> Verdict:
        """Raise ConformanceError, or unittest.SkipTest with the reason if it does not apply."""
        __tracebackhide__ = True
        verdict = self.case.judge(optimizer, [self.name])
        _session.ran.append(_session.Row(self.optverify_id, _outcome(verdict)))
        if not verdict.run:
            raise unittest.SkipTest(f"not applicable: {verdict.outcomes[0].detail}")
        if not verdict.ok:
            from optverify.conformance.check import ConformanceError

            raise ConformanceError(verdict)
        return verdict


def _outcome(verdict: Verdict) -> str:
    return INAPPLICABLE if not verdict.run else PASSED if verdict.ok else FAILED


def checks_of(case: Case) -> list[Check]:
    """Every check of a case."""
    return [Check(case, name) for name in CHECKS]


def parametrize_with_checks(
    cases: Iterable[Case | tuple[Any, str]],
    *,
    expected_failed_checks: Expected = None,
    strict: bool = True,
) -> Any:
    """A decorator: the test is run for every check of every case, as test(optimizer, check).

    cases: Case(make, rule, ...), or (make, rule). expected_failed_checks: check -> reason, or a function of
    the case that returns it; such a check is marked xfail, and with strict one that passes is a failure.
    Raises ValueError for a check that there is not, and for two cases with the same id.
    """
    import pytest

    made = [case if isinstance(case, Case) else Case(*case) for case in cases]
    twice = [i for i, count in Counter(c.identity for c in made).items() if count > 1]
    if twice:
        raise ValueError(f"two cases are called {twice[0]}: give them names, Case(..., name=...)")
    if not made:
        raise ValueError("no case is given: there is nothing to check")
    params = []
    for case in made:
        reasons = _expected(case, expected_failed_checks)
        for check in checks_of(case):
            marks = []
            if check.name in reasons:
                reason = reasons[check.name]
                marks.append(pytest.mark.xfail(reason=reason, strict=strict, raises=AssertionError))
            params.append(pytest.param(case.make, check, id=check.optverify_id, marks=marks))
    return pytest.mark.parametrize(("optimizer", "check"), params)


def _expected(case: Case, expected: Expected) -> dict[str, str]:
    """Check -> reason for this case; ValueError for a check that there is not."""
    reasons = dict((expected(case) if callable(expected) else expected) or {})
    _session.refuse_unknown(reasons, CHECKS, "expected_failed_checks")
    return reasons


# ---- without parametrization -------------------------------------------------------------------------------


@dataclass(frozen=True)
class CheckResult:
    """What one check came to: passed, failed, expected failure, unexpected pass or not applicable.

    detail: the explanation, or why it does not apply; reason: why a failure was expected.
    """

    check: str
    outcome: str
    detail: str = ""
    reason: str = ""
    ulps: float = 0.0


@dataclass(frozen=True)
class ConformanceResult:
    """What all checks of an optimizer came to."""

    subject: str
    checks: tuple[CheckResult, ...]
    verdict: Verdict = field(repr=False)

    @property
    def ok(self) -> bool:
        """True if some check was run, and none failed or passed against what was expected."""
        outcomes = {c.outcome for c in self.checks}
        return outcomes != {INAPPLICABLE} and not outcomes & {FAILED, UNEXPECTED}

    def __str__(self) -> str:
        """The number of checks run, and a line for each that did not simply pass."""
        from optverify._session import counted

        lines = [f"{self.subject}: {counted(Counter(c.outcome for c in self.checks), len(self.checks))}"]
        for c in self.checks:
            if c.outcome != PASSED:
                said = c.reason or c.detail.partition("\n")[0]
                lines.append(f"  {c.check}: {c.outcome}: {said}")
        return "\n".join(lines)


def check_optimizer(
    make: Any,
    rule: str,
    like: str | None = None,
    *,
    adapter: str | None = None,
    expected_failed_checks: Mapping[str, str] | None = None,
    on_fail: OnFail = "raise",
    name: str | None = None,
    **options_and_values: Any,
) -> ConformanceResult:
    """Run every check on an optimizer.

    Arguments are those of `optverify.check`. Raises ConformanceError if a check fails, or none could be run,
    and AssertionError if one passes that was expected to fail; with on_fail="collect" all is in the result.
    """
    __tracebackhide__ = True
    label = ("the optimizer" if _is_lambda(make) else None) if name is None else name
    case = Case(make, rule, like, adapter=adapter, name=label, **options_and_values)
    reasons = _expected(case, expected_failed_checks)
    verdict = case.judge(make, CHECKS)
    results = [_result(check, verdict, reasons) for check in checks_of(case)]
    _session.ran += [_session.Row(f"{case.identity}-{r.check}", r.outcome) for r in results]
    result = ConformanceResult(case.identity, tuple(results), verdict)
    if on_fail == "raise" and not result.ok:
        _raise(result, verdict)
    return result


def _result(check: Check, verdict: Verdict, reasons: Mapping[str, str]) -> CheckResult:
    """What a check came to; all fail where the optimizer could not even be made."""
    by_name = {outcome.check: outcome for outcome in verdict.outcomes}
    outcome = by_name.get(check.name, verdict.outcomes[0])
    reason = reasons.get(check.name) or _session.expected(check.optverify_id) or ""
    if outcome.status == "not applicable":
        kind = INAPPLICABLE
    elif outcome.ok:
        kind = UNEXPECTED if reason else PASSED
    else:
        kind = EXPECTED if reason else FAILED
    return CheckResult(check.name, kind, outcome.detail or outcome.status, reason, outcome.ulps)


def _is_lambda(make: Any) -> bool:
    return getattr(make, "__name__", "") == "<lambda>"


def _raise(result: ConformanceResult, verdict: Verdict) -> None:
    __tracebackhide__ = True
    from dataclasses import replace

    from optverify.conformance.check import ConformanceError

    excused = {c.check for c in result.checks if c.outcome == EXPECTED}
    left = replace(verdict, outcomes=tuple(o for o in verdict.outcomes if o.check not in excused))
    if not left.ok:
        raise ConformanceError(left)
    passed = [f"{c.check} ({c.reason})" for c in result.checks if c.outcome == UNEXPECTED]
    raise AssertionError(
        f"{result.subject}: expected to fail, but passed: {', '.join(passed)}; expect it no longer"
    )
