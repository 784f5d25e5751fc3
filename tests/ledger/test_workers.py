"""Work in other processes: limits are kept, and what dies or hangs takes nothing with it."""

import contextlib
import operator
import os
import time

import pytest

from optverify.ledger import workers
from optverify.ledger.workers import Lost, TimeUp, outcomes, time_limit


def test_a_time_limit_passes_through_what_catches_exceptions():
    with pytest.raises(TimeUp), time_limit(0.05), contextlib.suppress(Exception):
        time.sleep(5)


def test_a_time_limit_that_is_kept_leaves_nothing_behind():
    with time_limit(0.05):
        pass
    time.sleep(0.1)


def test_one_process_is_this_one():
    assert list(outcomes(lambda item: item * 2, [1, 2], 1, 5)) == [(1, 2), (2, 4)]


def test_two_processes_do_all_of_it():
    assert dict(outcomes(operator.neg, [1, 2, 3], 2, 5)) == {1: -1, 2: -2, 3: -3}


def test_a_process_that_hangs_loses_its_own_work_alone(monkeypatch):
    monkeypatch.setattr(workers, "GRACE", 0)
    found = dict(outcomes(time.sleep, [0, 60, 0.01], 2, 2))
    assert found[0] is found[0.01] is None
    assert isinstance(found[60], Lost)
    assert "did not end in time" in str(found[60])


def test_a_process_that_dies_says_so():
    ((_, lost),) = outcomes(os._exit, [3], 2, 5)
    assert isinstance(lost, Lost)
    assert "died (exit code 3)" in str(lost)
