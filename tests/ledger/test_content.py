"""Keys change with what a verdict depends on, and with nothing else."""

from dataclasses import replace

import pytest
import sympy as sp

import optverify as ov
from optverify.claims import claim
from optverify.language import lr
from optverify.ledger import content
from optverify.ledger.content import claim_key, digest, rule_key, topic_key
from optverify.views.mutants import mutants


def test_parts_do_not_run_into_each_other():
    assert digest(["ab", "c"]) != digest(["a", "bc"])


def test_every_mutant_and_dialect_has_a_key_of_its_own():
    base = ov.rule("adam")
    rules = [base, *(m.rule for m in mutants(base)), *base.dialects(changed=1)]
    keys = {rule_key(r) for r in rules}
    assert len(keys) == len(rules) - 1  # the default dialect is there twice


def test_an_assumption_or_a_range_is_content():
    base = ov.rule("gd")
    twin = sp.Symbol("lr", positive=not lr.is_positive)
    lines = tuple((lhs, rhs.xreplace({lr: twin})) for lhs, rhs in base.assignments)
    assert rule_key(replace(base, assignments=lines)) != rule_key(base)
    (h, *others) = base.every_hyperparameter
    ranged = replace(h, domain=replace(h.domain, low=h.domain.low + 1))
    assert rule_key(replace(base, every_hyperparameter=(ranged, *others))) != rule_key(base)


def test_prose_is_no_content():
    assert rule_key(replace(ov.rule("gd"), summary="in other words")) == rule_key(ov.rule("gd"))


@pytest.fixture
def topics(tmp_path, monkeypatch):
    """topics(name=text, ...): let these be the files of topics."""
    monkeypatch.setattr(content, "ROOT", tmp_path)

    def write(**texts):
        for function in (topic_key, content._source, content._imported_topics):
            function.cache_clear()
        for name, text in texts.items():
            (tmp_path / "claims").mkdir(exist_ok=True)
            (tmp_path / "claims" / f"{name}.py").write_text(text)

    yield write
    write()


@pytest.mark.parametrize(
    "line",
    [
        "from optverify.claims.two import x",
        "from optverify.claims import (\n    two,\n)",
        "from optverify.claims import two",
    ],
)
def test_a_claim_depends_on_its_file_and_on_what_that_imports(topics, line):
    topics(one=line, two="x = 1", three="")
    before = topic_key("one")
    topics(three="y = 1")
    assert topic_key("one") == before
    topics(two="x = 2")
    assert topic_key("one") != before


def test_the_key_of_a_claim_changes_with_what_is_expected():
    c = claim("gd.diverges")
    assert claim_key(replace(c, expected="refuted")) != claim_key(c)
