"""Every case about an optimizer: its numbers, the dialect it is, and what the diagnosis says of it."""

import re

import numpy as np
import pytest

from optverify.backends import step
from optverify.conformance.check import ConformanceError, check
from optverify.rules import rule
from tests.conformance.cases import adam, decay, layers, momentum

CASES = [*adam.CASES, *decay.CASES, *momentum.CASES, *layers.CASES]


def each(cases):
    return pytest.mark.parametrize("case", cases, ids=[c.name for c in cases])


def tupled(x):
    return x if isinstance(x, tuple) else (x,)


def rates(case):
    return case.lr if isinstance(case.lr, list) else [case.lr] * len(case.grads)


def assert_path(case, path, expected):
    for now, wanted in zip(path, expected, strict=True):
        for a, b in zip(now, tupled(wanted), strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=case.digits)


@each([c for c in CASES if c.grads and c.right is not None])
def test_the_right_numbers(case):
    """By our steps, each parameter by itself."""
    module = step(case.rule, **case.claims)
    known = {h.name for h in rule(case.rule, **case.claims).hyperparameters}
    values = {n: x for n, x in case.values.items() if n in known}
    starts = {n: values.pop(n) for n in list(values) if n == "initial_accumulator"}
    path = []
    theta = [np.asarray(x) for x in tupled(case.start)]
    state = [module.init(x, **starts) for x in theta]
    for lr, grads in zip(rates(case), case.grads, strict=True):
        for k, g in enumerate(tupled(grads)):
            theta[k], state[k] = module.step(
                theta[k], np.asarray(g, theta[k].dtype), state[k], lr=lr, **values
            )
        path.append([np.array(x) for x in theta])
    assert_path(case, path, case.right)


@each([c for c in CASES if c.grads])
def test_the_numbers_of_the_report(case):
    """By the code of the case; a gradient that it changes is given again."""
    params = [np.array(x, dtype=np.asarray(x).dtype) for x in tupled(case.start)]
    made = case.make(params)
    path, given, last = [], None, None
    for lr, grads in zip(rates(case), case.grads, strict=True):
        made.lr = lr
        if grads is not last:
            given = [np.array(g, p.dtype) for g, p in zip(tupled(grads), params, strict=True)]
        made.update(params, given)
        last = grads
        path.append([p.copy() for p in params])
    assert_path(case, path, case.wrong)


@each([c for c in CASES if c.found is not None])
def test_it_is_passed_as_the_dialect_it_is(case):
    assert case.notes in str(check(case.make, case.as_rule or case.rule, **(case.found or case.claims)))


@each([c for c in CASES if c.found or c.found is None])
def test_it_is_not_passed_as_what_it_claims_to_be(case):
    """And the dialect that it is, where it is one of that rule, is named in the same breath."""
    with pytest.raises(ConformanceError) as caught:
        check(case.make, case.rule, **case.claims)
    if case.found is not None and case.as_rule is None:
        dialects = [rule(case.rule, **a.options).options for a in caught.value.verdict.alternatives]
        assert rule(case.rule, **case.found).options in dialects, str(caught.value)


@each([c for c in CASES if c.says])
def test_the_fault_is_named(case):
    diagnose = pytest.importorskip("optverify.conformance.diagnose").diagnose
    text = str(diagnose(case.make))
    for words in case.says:
        assert re.search("|".join(map(re.escape, words.split("|"))), text), text
