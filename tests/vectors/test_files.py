"""The committed files: by their schemas, made anew, correctly rounded, small, with the ids of old."""

import itertools
import json
import math
from fractions import Fraction

import numpy as np
import pytest

from optverify.rules import registry as rules
from optverify.schedules import registry as schedules
from optverify.vectors import files, numbers, rulefile
from optverify.vectors.formats import read_exact, read_hex
from optverify.vectors.kinds import KINDS, nearest
from optverify.vectors.layout import text
from optverify.vectors.lint import lint, schema_faults

from .conftest import VECTORS

IDS = (VECTORS / files.IDS).read_text("utf-8").split("\n")[:-1]
LARGEST = 6_000_000


def test_there_is_a_file_a_rule_and_a_file_a_schedule():
    names = files.names()
    assert [n for n in names if "/" not in n] == rules.names()
    assert [n.partition("/")[2] for n in names if "/" in n] == [*schedules.names(), "composed"]
    written = {p.relative_to(VECTORS).as_posix() for p in VECTORS.rglob("*") if p.is_file()}
    schemas = {f"schema/{n}.json" for n in files.SCHEMAS}
    assert written == {files.path_of(n) for n in names} | schemas | {files.IDS, files.README}


def test_all_files_together_are_small():
    assert sum(p.stat().st_size for p in VECTORS.rglob("*") if p.is_file()) <= LARGEST


def test_schemas_references_and_ids_hold():
    assert lint(VECTORS, recompute=False) == []


@pytest.mark.parametrize(
    "name", ["gd", "adam", "rprop", "muon", "schedule/step", "schedule/cosine", "schedule/wsd"]
)
def test_a_file_made_anew_has_the_same_bytes(name):
    """The other files are made anew by `optverify vectors lint`."""
    assert text(files.make(name)).encode() == (VECTORS / files.path_of(name)).read_bytes()


def test_more_digits_give_the_same_text(monkeypatch):
    """77 digits are enough for the 40 that are written."""
    monkeypatch.setattr(numbers, "PRECISION", 512)
    monkeypatch.setattr(numbers, "LONGEST", 1280)
    made = json.loads(text(rulefile.rule_file("adam")))
    committed = json.loads((VECTORS / "rules" / "adam.json").read_text("utf-8"))
    for group, other in zip(made["groups"], committed["groups"], strict=True):
        for test, same in zip(group.get("tests", ()), other.get("tests", ()), strict=True):
            assert test["expected"] == same["expected"], test["id"]


def test_ids_are_stable(bank):
    """The list is committed and only added to: a test whose id is gone or new fails here."""
    present = [i for n in files.names() for i in files.ids(bank.file(n))]
    assert len(present) == len(set(present))
    assert sorted(present) == IDS


def test_some_ids_of_the_first_release():
    """Written out, so that a list made anew from other names does not pass."""
    for ident in (
        "adam/default/mixed", "adam/default/long", "adam/default/late", "adam/epsilon=hat/mixed",
        "adam/paper/random", "momentum/lr_placement=outside/mixed", "muon/default/tall",
        "schedule/cosine_warm_restarts/T_0=1,T_mult=3/restarts",
        "schedule/linear_warmup/form=(t+1)_over_W/curve",
        "schedule/composed/join=common/curve",
    ):  # fmt: skip
        assert ident in IDS


# ---- what the numbers are ----------------------------------------------------------------------------------


def triples(data):
    """(exact, float64, float32) of every number of a file."""
    if isinstance(data, dict) and {"exact", "float64", "float32"} <= data.keys():
        yield from zip(*(flat(data[k]) for k in ("exact", "float64", "float32")), strict=True)
        return
    for part in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from triples(part)


def flat(value):
    return [x for part in value for x in flat(part)] if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", files.names())
def test_every_number_is_rounded_correctly_in_both_types(bank, name):
    count = 0
    for exact, double, single in triples(bank.file(name)):
        x = read_exact(exact)
        for kind, shown in zip(KINDS.values(), (double, single), strict=True):
            value = read_hex(shown)
            if math.isinf(value):
                assert nearest(x, kind) == value
                continue
            half = Fraction(kind.spacing(value)) / 2
            assert abs(Fraction(value) - x) <= half * (1 + Fraction(1, 10**30)), (exact, shown)
            assert nearest(Fraction(value), kind) == value
        count += 1
    assert count > 20


@pytest.mark.parametrize("name", rules.names())
def test_inputs_are_exact_in_the_types_they_are_for(bank, name):
    for fed in bank.file(name)["inputs"]:
        for rows in (fed["theta"], fed["gradients"], *fed.get("given", {}).values()):
            for plain, shown in zip(flat(rows["decimal"]), flat(rows["hex"]), strict=True):
                assert plain == float.fromhex(shown)
                if "float32" in fed["dtypes"]:
                    assert float(np.float32(plain)) == plain


@pytest.mark.parametrize("name", rules.names())
def test_hyperparameters_are_short_but_for_those_that_somebody_else_chose(bank, name):
    for group in bank.file(name)["groups"]:
        for x in group["hyperparameters"].values():
            assert Fraction(x["exact"]) == Fraction(x["decimal"])
            if not group["id"].endswith("/paper") and "/like=" not in group["id"]:
                assert x["float64"] == x["float32"]


@pytest.mark.parametrize("name", rules.names())
def test_the_probe_bank_is_there(bank, name):
    """Zeros, sign flips, sizes, subnormal numbers, long runs and late ones: or it is said why not."""
    data = bank.file(name)
    told = {t.id.rpartition("/")[2] for t in bank.group(f"{name}/default")}
    left = {
        x["test"].rpartition("/")[2] for x in data["left_out"] if x["test"].startswith(f"{name}/default/")
    }
    assert told | left >= {
        "mixed", "random", "zero_gradient", "spike", "sign_flips", "zeros_first", "zeros_later",
        "near_epsilon", "below_epsilon", "huge", "subnormal", "falling", "changed_rate", "steady", "turning",
        "warming",
        "subnormal_float64", "huge_float64", "long", "late",
    }  # fmt: skip
    assert len(left) <= 5
    late = bank.test(f"{name}/default/late")
    assert late.data["t"] == 2000
    long = bank.test(f"{name}/default/long")
    assert long.input["updates"] == long.after[-1] >= 16
    if rulefile.rule_named(name).elementwise:
        assert long.after[-1] == 1024


ONE_AND_THE_SAME = {
    "amsgrad": {("default", "epsilon=hat")},
    "asgd": {("weight_decay_form=coupled", "weight_decay_form=decoupled")},
    "gd": {("weight_decay_form=coupled", "weight_decay_form=decoupled")},
    "lookahead": {("weight_decay_form=coupled", "weight_decay_form=decoupled")},
    "momentum": {("default", "first_buffer=gradient")},
    "radam": {("threshold=above_5", "threshold=from_5")},
    "sam": {("weight_decay_form=coupled", "weight_decay_form=decoupled")},
    "sgdw": {("default", "first_buffer=gradient")},
    "signum": {("default", "form=heavy_ball")},
    "svrg": {("weight_decay_form=coupled", "weight_decay_form=decoupled")},
}  # fmt: skip
"""Dialects whose theta is one: decay enters both ways alike, a sum has no weight, rho_t is never 5."""


@pytest.mark.parametrize("name", rules.names())
def test_dialects_are_told_apart_by_some_input_or_are_one(bank, name):
    """Alternatives differ by more than both tolerances; those that do not are named, here and in the file."""
    tests = {t.id: t for t in bank.tests(name)}
    apart, pairs, alike = set(), set(), set()
    for entry in bank.file(name)["alternatives"]:
        named = {frozenset(pair) for pair in entry["alike"]}
        for a, b in itertools.combinations(entry["tests"], 2):
            pair = tuple(sorted(tests[t].group["id"].partition("/")[2] for t in (a, b)))
            pairs.add(pair)
            assert differ(tests[a], tests[b]) != (frozenset((a, b)) in named), pair
            (alike if frozenset((a, b)) in named else apart).add(pair)
    assert pairs - apart == ONE_AND_THE_SAME.get(name, set())
    assert pairs - apart <= alike


@pytest.mark.parametrize("name", [*schedules.names(), "composed"])
def test_options_of_a_schedule_are_told_apart(bank, name):
    """By the tests that are not alike."""
    data = bank.file(f"schedule/{name}")
    apart, pairs = set(), set()
    for entry in data["alternatives"]:
        for a, b in itertools.combinations(entry["tests"], 2):
            pair = a.rpartition("/")[0], b.rpartition("/")[0]
            pairs.add(pair)
            if [a, b] not in entry["alike"]:
                apart.add(pair)
    forms = {("default", "form=(t+1)_over_(W+1)")} if name == "constant_warmup" else set()  # t < W either way
    assert {tuple(g.removeprefix(f"schedule/{name}/") for g in pair) for pair in pairs - apart} == forms
    family = [] if name == "composed" else schedules.get(name).axes
    assert len(pairs) >= sum(len(a.options) - 1 for a in family)


def differ(a, b):
    """True if theta, or where its gradient is taken, is not the same to float64."""
    for name in ("theta", "point"):
        if (name in a.names) != (name in b.names):
            return True
        if name not in a.names:
            continue
        allowed = sum((t.data["ulps"]["float64"] or {}).get(name) or 0 for t in (a, b))
        pairs = zip(flat(a.rows(name)), flat(b.rows(name)), flat(a.scales(name)), strict=True)
        if any(abs(x - y) > allowed * math.ulp(s) for x, y, s in pairs):
            return True
    return False


# ---- lint sees what is wrong -------------------------------------------------------------------------------


def broken(tmp_path, change):
    """A folder with the file of gd, changed."""
    for part in ("rules", "schema"):
        (tmp_path / part).mkdir()
    for name in files.SCHEMAS:
        (tmp_path / "schema" / f"{name}.json").write_text(files.schema(name), "utf-8")
    data = json.loads((VECTORS / "rules" / "gd.json").read_text("utf-8"))
    change(data)
    (tmp_path / "rules" / "gd.json").write_text(text(data), "utf-8")
    return lint(tmp_path, ["gd"])


def test_lint_passes_what_is_as_it_should_be(tmp_path):
    assert broken(tmp_path, lambda data: None) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.pop("notes"), "'notes' is a required property"),
        (
            lambda d: d["groups"][0]["tests"][0]["expected"]["theta"]["exact"][0].__setitem__(0, "1/0"),
            "does not match",
        ),
        (
            lambda d: d["groups"][0]["tests"][0]["expected"]["theta"]["exact"][0].__setitem__(0, "7"),
            "a fresh file",
        ),
        (lambda d: d["groups"][0]["tests"][1].update(id="gd/default/mixed"), "stands twice"),
        (lambda d: d["groups"][0]["tests"][1].update(input="other"), "which is not there"),
        (lambda d: d["alternatives"][0]["tests"].append("gd/default/none"), "named as an alternative"),
    ],
)
def test_lint_names_the_fault(tmp_path, change, says):
    assert any(says in line for line in broken(tmp_path, change))


def test_lint_notices_an_id_that_is_gone_and_a_stray_file(tmp_path):
    files.write(tmp_path, ["gd", "schedule/constant"])
    path = tmp_path / files.IDS
    path.write_text(path.read_text("utf-8") + "gd/default/promised\n", "utf-8")
    (tmp_path / "rules" / "mine.json").write_text("{}", "utf-8")
    wrong = lint(tmp_path, recompute=False)
    assert any("'gd/default/promised' is gone" in line for line in wrong)
    assert any("mine.json belongs to no rule" in line for line in wrong)


def test_ids_are_never_dropped_by_writing(tmp_path):
    (tmp_path / files.IDS).write_text("gd/default/promised\n", "utf-8")
    files.write(tmp_path, ["gd"])
    assert {"gd/default/promised", "gd/default/mixed"} <= set(files.promised(tmp_path))


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    files.write(tmp_path, ["gd"])
    before = (tmp_path / "rules" / "gd.json").read_bytes()
    monkeypatch.setattr(rulefile, "groups", lambda name: iter(()))
    monkeypatch.setattr("os.replace", lambda *a: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space left"):
        files.write(tmp_path, ["gd"])
    assert (tmp_path / "rules" / "gd.json").read_bytes() == before


def test_results_have_a_schema_too():
    result = {"test": "gd/default/mixed", "values": {"theta": [[1.0, "0x1p-1", None, "nan"]]}}
    good = {"format": "optverify results", "version": 1, "dtype": "float64", "results": [result]}
    assert list(schema_faults(good, "results")) == []
    assert list(schema_faults({**good, "dtype": "float16"}, "results"))
    assert list(schema_faults({**good, "results": []}, "results"))
