"""Work in other processes: limits are kept, and what dies or hangs takes nothing with it."""

import contextlib
import itertools
import operator
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from optverify import workers
from optverify.workers import Lost, TimeUp, outcomes, time_limit

NAP = "(__import__('time').sleep({}), __import__('os').getpid())[1]"
"""For eval: sleep, then say in which process."""


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


def test_any_number_of_items_may_come():
    """They are drawn as they are needed: a few for each process are under way, not all."""
    drawn = []

    def source():
        for number in itertools.count():
            drawn.append(number)
            yield number

    found = outcomes(operator.neg, source(), 2, 5)
    try:
        assert [next(found) for _ in range(20)]
        assert len(drawn) <= 20 + 2 + 2
    finally:
        found.close()


def test_one_process_apart_is_another_one():
    ((_, number),) = outcomes(operator.call, [os.getpid], 1, 5, apart=True)
    assert number != os.getpid()


def test_a_process_killed_at_any_moment_costs_one_item_at_most():
    """Also between two items, where it holds none."""
    found = outcomes(eval, itertools.chain([NAP.format(0)] * 200, [NAP.format(0.5)] * 2), 2, 5, apart=True)
    seen, victims = [], set()
    for item, outcome in found:
        seen.append((item, outcome))
        if len(seen) % 20 == 0 and outcome not in victims and not isinstance(outcome, Lost):
            victims.add(outcome)
            os.kill(outcome, signal.SIGKILL)
    lost = [outcome for _, outcome in seen if isinstance(outcome, Lost)]
    assert len(seen) == 202
    assert len(victims) > 3
    assert len(lost) <= len(victims)
    assert {str(one) for one in lost} <= {"its process died (exit code -9)"}


def test_what_work_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(outcomes(eval, ["1", "1/0", "2"], 2, 5))


def test_processes_that_cannot_start_end_it(monkeypatch):
    monkeypatch.setattr(workers, "_serve", _no_start)
    with pytest.raises(OSError, match="die before they have done anything"):
        list(outcomes(operator.neg, [1, 2], 2, 5))


def test_workers_end_with_their_parent():
    """Also when it is killed, and a piece of work is under way."""
    code = (
        "from optverify.workers import outcomes\n"
        "if __name__ == '__main__':\n"
        f"    for _, number in outcomes(eval, {[NAP.format(0)] * 4 + [NAP.format(60)] * 2}, 2, 90):\n"
        "        print(number, flush=True)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    numbers = {int(parent.stdout.readline()) for _ in range(4)}
    parent.kill()
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 20
    while (alive := [n for n in numbers if _runs(n)]) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive


def _runs(number):
    try:
        return "Z" not in Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def _no_start():
    os._exit(3)


def test_an_outcome_that_cannot_be_sent_is_an_error():
    with pytest.raises(TypeError, match="cannot be sent to another process"):
        list(outcomes(eval, ["lambda: 0"], 1, 5, apart=True))
