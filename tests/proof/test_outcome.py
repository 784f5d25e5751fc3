"""A failed sufficient proof refutes nothing by itself."""

import pytest

from optverify.proof import NotProved, Refuted, unless


@pytest.mark.parametrize("failure", [NotProved, Refuted])
def test_without_a_counterexample_it_is_not_proved(failure):
    with pytest.raises(NotProved, match="a step"), unless(lambda: None):
        raise failure("a step")


@pytest.mark.parametrize("failure", [NotProved, Refuted])
def test_with_a_counterexample_it_is_refuted(failure):
    with pytest.raises(Refuted, match="x = 2"), unless(lambda: "x = 2"):
        raise failure("a step")


def test_a_proof_that_works_asks_for_no_counterexample():
    with unless(lambda: pytest.fail("asked for")):
        pass
