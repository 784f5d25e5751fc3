"""The museum: what the record says of the cases is what they do now, and the right paths are the rules'."""

import json
import math

import numpy as np
import pytest

from optverify.backends import step as numpy_step
from optverify.report.museum import halls
from optverify.report.museum.exhibits import Thread, thread
from optverify.report.museum.paths import cases
from tests.conformance.cases.record import (
    OPTIMIZERS,
    PATH,
    code,
    numbers,
    of_optimizer,
    of_schedule,
    schedules,
    walked,
)

RERUN = "run python -m tests.conformance.cases.record"
RECORD = json.loads(PATH.read_text("utf-8"))


@pytest.mark.parametrize("k", range(len(OPTIMIZERS)), ids=lambda k: f"{OPTIMIZERS[k].id}-{k}")
def test_the_paths_and_the_code_of_the_record_are_those_of_the_cases(k):
    case, told = OPTIMIZERS[k], RECORD["optimizers"][k]
    assert (told["id"], told["title"], told["code"]) == (case.id, case.title, code(case))
    assert same(told["wrong"], json.loads(json.dumps(numbers(walked(case))))), RERUN


@pytest.mark.parametrize("k", range(0, len(OPTIMIZERS), 16))
def test_the_words_of_the_record_are_those_of_a_fresh_check_and_diagnosis(k):
    """Of a few; the cases' own tests hold all of them against the same verdicts."""
    assert same(RECORD["optimizers"][k], json.loads(json.dumps(of_optimizer(OPTIMIZERS[k])))), RERUN


def test_schedules_of_the_record_are_those_of_the_cases():
    assert same(RECORD["schedules"], json.loads(json.dumps([of_schedule(c) for c in schedules.CASES]))), RERUN


def same(a, b):
    """Equal, numbers to nine digits: the last ones depend on the machine."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) or (math.isnan(a) and math.isnan(b))
    return a == b


def test_every_case_hangs_in_an_exhibit_and_every_exhibit_shows_something():
    shown = [e for hall in halls() for e in hall.exhibits]
    ids = [e.id for e in shown]
    assert len(set(ids)) == len(ids)
    recorded = {c.id for c in OPTIMIZERS} | {c.id for c in schedules.CASES}
    assert recorded <= set(ids)
    assert [e.id for e in shown if not (e.cases or e.facts)] == []
    assert all(e.title and e.wrong and e.found for e in shown)


def test_a_right_path_is_the_rule_and_a_changed_rule_changes_it(monkeypatch):
    """The path is derived when the museum is made, by the step of the rule."""
    (case,) = [c for c in cases()["AD-05"] if c.rule == "adam"][:1]
    told = next(t for t in RECORD["optimizers"] if t["id"] == "AD-05" and t["title"] == case.title)
    values, x, m, v = told["values"], float(told["start"][0]), 0.0, 0.0
    b1, b2, eps = values["beta1"], values["beta2"], values["eps"]
    path = [x]
    for t, (gs, lr) in enumerate(zip(told["grads"], told["lr"], strict=True), 1):
        g = float(np.ravel(gs[0])[0])
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        x -= lr * (m / (1 - b1**t)) / (math.sqrt(v / (1 - b2**t)) + eps)
        path.append(x)
    np.testing.assert_allclose(case.right, path, rtol=1e-12)
    monkeypatch.setattr(
        "optverify.report.museum.paths.step",
        lambda name, **o: numpy_step(name, **({**o, "epsilon": "hat"} if name == "adam" else o)),
    )
    assert next(c for c in cases()["AD-05"] if c.title == case.title).right != case.right


def test_what_is_equivalent_takes_the_path_of_the_rule():
    alike = [c for found in cases().values() for c in found if c.rule and c.judgement.kind == "equivalent"]
    assert len(alike) >= 5
    for case in alike:
        scale = max(map(abs, case.right))
        np.testing.assert_allclose(case.wrong, case.right, rtol=0, atol=1e-9 * scale, err_msg=case.title)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("pytorch/pytorch#41477", "https://github.com/pytorch/pytorch/issues/41477"),
        ("pytorch/pytorch PR#22628", "https://github.com/pytorch/pytorch/pull/22628"),
    ],
)
def test_a_thread_has_its_address(text, url):
    found = thread(text)
    assert isinstance(found, Thread)
    assert found.url == url
