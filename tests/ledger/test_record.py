"""The recorded scores: complete, good enough, and compared by what does not hang on the machine."""

import json

import pytest

from optverify.ledger import record, recorded
from optverify.ledger.mutation import CLASSICS
from optverify.rules import registry
from optverify.views.mutants import mutants


def test_every_rule_is_recorded_with_all_its_mutants():
    assert list(recorded()["rules"]) == sorted(registry.names())
    for name, s in recorded()["rules"].items():
        assert s["mutants"] == sum(1 for _ in mutants(registry.get(name))), name


def test_the_promised_scores_are_reached():
    for name, s in recorded()["rules"].items():
        assert s["share"] >= (0.98 if name in CLASSICS else 0.90), name
        assert all(s["survivors"].values()), name


@pytest.fixture
def scores(tmp_path, monkeypatch):
    """A folder of its own, and what the ledger is said to find."""
    path = tmp_path / "scores.json"
    monkeypatch.setattr(record, "SCORES", path)
    monkeypatch.setattr("optverify.ledger.mutation.SCORES", path)
    now = recorded_copy()
    monkeypatch.setattr(record, "found", lambda: now)
    return path, now


def recorded_copy():
    summary = {"mutants": 2, "claims": 1, "properties": 2, "steps": 2, "golden": 2, "killed": 2}
    return {"rules": {"gd": summary | {"equivalent": 0, "survivors": {}}}, "kills": {"a": 1}}


def test_what_is_written_passes_the_check_and_a_change_does_not(scores, capsys):
    path, now = scores
    assert record.main(["--check"]) == 1  # nothing is written yet
    assert record.main([]) == 0
    assert json.loads(path.read_text()) == now
    assert [p.name for p in path.parent.iterdir()] == ["scores.json"]
    now["kills"]["b"] = 3
    now["rules"]["gd"]["claims"] = 2
    assert record.main(["--check"]) == 0  # another claim was the first: no other verdict
    now["rules"]["gd"]["killed"] = 1
    assert record.main(["--check"]) == 1
    assert "run python -m optverify.ledger.record" in capsys.readouterr().err
