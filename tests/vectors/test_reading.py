"""Results from strangers: each fault gives one clear sentence, in bounded time and memory."""

import io
import json
import time
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optverify.vectors import reading
from optverify.vectors.bank import Bank
from optverify.vectors.judging import read
from optverify.vectors.streaming import verdicts

HEAD = {"format": "optverify results", "version": 1, "dtype": "float64"}


def file_of(*results, **head):
    return {**HEAD, **head, "results": list(results)}


def deep(levels):
    made = 1.0
    for _ in range(levels):
        made = [made]
    return made


def rows(bank, ident="gd/default/random"):
    return [[float(x) for x in row] for row in bank.test(ident).rows("theta")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "is not JSON .* it ends too early"),
        (b'{"format": "optverify results", "version": 1, "resu', "it ends too early"),
        (b'{"a": 1,}', "is not JSON"),
        (b"[" * 200_000, "is nested too deeply"),
        (b'{"a":' * 200_000, "is nested too deeply"),
        (b'{"a": NaN}', "NaN is not JSON: write what is not finite as a string"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": 1, "a": 2}', "the key 'a' stands twice"),
        (b'{"a": ' + b"9" * 5000 + b"}", "a number has 5000 characters"),
        (b'{"a": 0.' + b"9" * 5000 + b"}", "a number has 5002 characters"),
        (b'\xff\xfe{"a": 1}', "is not UTF-8 text"),
        (b"__import__('os').system('true')", "is not JSON"),
    ],
)
def test_what_is_no_json_is_one_sentence(text, says):
    with pytest.raises(ValueError, match=f"^it {says}|^it: {says}|^it .*{says}") as caught:
        reading.parse(text, "it")
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


def test_a_byte_order_mark_does_no_harm():
    assert reading.parse(b'\xef\xbb\xbf{"a": 1}', "it") == {"a": 1}


def test_a_file_without_end_is_read_no_further_than_the_limit():
    begun = time.monotonic()
    with (
        open("/dev/zero", "rb") as endless,
        pytest.raises(ValueError, match="it is larger than 16 MiB: split it"),
    ):
        reading.bounded(endless, "it")
    assert time.monotonic() - begun < 5


def test_memory_stays_bounded_for_the_worst_file():
    """As many empty lists as fit into the limit; a hundredth of it is measured."""
    text = b"[" + b"[]," * (reading.LARGEST // 300) + b"0]"
    tracemalloc.start()
    reading.parse(text, "it")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 * len(text)


def test_a_folder_and_a_file_that_is_not_there_are_one_sentence(tmp_path):
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(OSError, match=r"^cannot read '"):
            reading.load(path)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "it is a list: give an object with 'format'"),
        ({}, "it has no 'format': give a string"),
        ({"format": "other", "version": 1}, 'it needs "format": "optverify results" and "version": 1'),
        ({**HEAD, "version": 2, "results": []}, "is not a file of results"),
        ({**HEAD, "version": True}, "'version' is True: give an integer"),
        ({**HEAD, "dtype": "float16", "results": []}, "dtype 'float16'"),
        ({**HEAD, "dtype": ["float64"], "results": []}, "'dtype' is a list: give a string"),
        (HEAD, "it has no 'results': give a list"),
        (file_of(), "it has no results"),
        (file_of(7), "it, result 1 is 7: give an object with 'test'"),
        (file_of({"test": 7}), "'test' is 7: give a string"),
        (
            file_of({"test": "adm/default/random", "values": {}}),
            "there is no rule or schedule in the vectors 'adm': did you mean 'adam'",
        ),
        (
            file_of({"test": "adam/default/randon", "values": {}}),
            "there is no test 'adam/default/randon': did you mean 'adam/default/random'",
        ),
        (
            file_of({"test": "../../etc/passwd", "values": {}}),
            "there is no rule or schedule in the vectors '..'",
        ),
        (file_of({"test": "schedule/../../x/y", "values": {}}), "there is no .* 'schedule/..'"),
        (file_of({"test": "a" * 10**6, "values": {}}), "there is no rule or schedule"),
        (file_of({"test": "gd/default/random"}), "has no 'values': give an object"),
        (file_of({"test": "gd/default/random", "values": []}), "'values' is a list: give an object"),
        (file_of({"test": "gd/default/random", "values": {}}), "has no 'theta'"),
        (file_of({"test": "gd/default/random", "values": {"tehta": []}}), "array 'tehta'.*theta"),
        (file_of({"test": "gd/default/random", "values": {"theta": 3}}), "theta is 3: give a list"),
        (file_of({"test": "gd/default/random", "values": {"theta": [[1, 2]]}}), "theta has 1 rows, not 6"),
        (
            file_of({"test": "gd/default/random", "values": {"theta": [[1]] * 6}}),
            "1 numbers after update 1, not 2",
        ),
        (
            file_of({"test": "gd/default/random", "values": {"theta": [["x", 1]] * 6}}),
            "theta is 'x': give a number",
        ),
        (
            file_of({"test": "gd/default/random", "values": {"theta": [[True, 1]] * 6}}),
            "is True: give a number",
        ),
        (
            file_of({"test": "gd/default/random", "values": {"theta": [[{}, 1]] * 6}}),
            "is a map: give a number",
        ),
        (
            file_of({"test": "gd/default/random", "values": {"theta": [deep(300)] * 6}}),
            "theta is nested too deeply",
        ),
        (file_of({"test": "gd/default/random", "values": {"theta": deep(900)}}), "has 1 rows, not 6"),
        (file_of({"test": "gd/default/random", "skipped": 3}), "'skipped' is 3: give a string"),
    ],
)
def test_results_that_do_not_fit_are_one_sentence(bank, data, says):
    with pytest.raises(ValueError, match=says) as caught:
        read(data, bank, "it")
    assert len(str(caught.value)) < 400


def test_two_results_of_one_test_are_refused(bank):
    one = {"test": "gd/default/random", "values": {"theta": rows(bank)}}
    with pytest.raises(ValueError, match="two results of test 'gd/default/random'"):
        read(file_of(one, one), bank, "it")


@pytest.mark.parametrize(
    ("value", "number"),
    [("0x1.8p-3", 0.1875), ("-0X1P+2", -4.0), (1, 1.0), (None, "nan"), ("nan", "nan"), ("-Infinity", "-inf"),
     ("0x1p999999", "inf"), (10**400, "inf")],
)  # fmt: skip
def test_numbers_come_in_three_forms(value, number):
    found = reading.number(value, "it")
    assert str(found) == number if isinstance(number, str) else found == number


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0x",
        "0x.p1",
        "1.5",
        "1e5",
        "0x1.8",
        "0x1p",
        "0x1p9999999",
        "0x" + "1" * 100 + "p0",
        " 0x1p0",
        "infinite",
    ],
)
def test_other_text_is_no_number(value):
    with pytest.raises(ValueError, match="give a number"):
        reading.number(value, "it")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_no_value_does_more_than_a_valueerror(value):
    from .conftest import VECTORS

    bank = Bank(VECTORS)
    one = {"test": "gd/default/random"}
    values = ({**one, "values": value}, {**one, "values": {"theta": value}})
    for data in (value, {**HEAD, "results": value}, file_of(value), *map(file_of, values)):
        with suppress(ValueError):
            read(data, bank, "it")


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_a_valueerror(data):
    with suppress(ValueError):
        reading.parse(data, "it")


def test_vectors_that_are_none_are_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="there are no vectors in"):
        Bank(tmp_path).test("adam/default/random")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "adam.json").write_text('{"format": "other"}', "utf-8")
    with pytest.raises(ValueError, match=r"adam\.json is not a file of optverify vectors, version 1"):
        Bank(tmp_path).test("adam/default/random")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.pop("groups"), "KeyError: 'groups'"),
        (lambda d: d.update(groups=7), "TypeError"),
        (lambda d: d["groups"][0]["tests"][0].pop("ulps"), "KeyError: 'ulps'"),
        (lambda d: d["groups"][0]["tests"][0].update(input="none"), "StopIteration"),
        (lambda d: first(d)["exact"][0].__setitem__(0, "1e999999999"), "neither a fraction nor a number"),
        (lambda d: first(d)["exact"][0].__setitem__(0, "1/0"), "neither a fraction nor a number"),
        (lambda d: first(d)["exact"].pop(), "rows of one form alone"),
        (lambda d: d["notes"].clear(), "KeyError"),
    ],
)
def test_a_damaged_file_of_vectors_is_one_sentence(tmp_path, change, says):
    from .conftest import VECTORS

    data = json.loads((VECTORS / "rules" / "gd.json").read_text("utf-8"))
    change(data)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "gd.json").write_text(json.dumps(data), "utf-8")
    with pytest.raises(ValueError, match=rf"gd\.json is damaged \(.*{says}.*\): write it anew"):
        Bank(tmp_path).test("gd/default/random")


def first(data):
    return data["groups"][0]["tests"][0]["expected"]["theta"]


# ---- streams -----------------------------------------------------------------------------------------------


def stream(*lines):
    return io.BytesIO(b"\n".join(x if isinstance(x, bytes) else json.dumps(x).encode() for x in lines))


def test_a_stream_is_judged_line_by_line(bank):
    good = {"test": "gd/default/random", "values": {"theta": rows(bank)}}
    bad = {"test": "gd/default/steady", "dtype": "float32", "values": {"theta": [[0.0, 0.0]] * 6}}
    found = list(verdicts(stream(HEAD, b"", good, bad), "it", bank))
    assert [(v.test.id, v.dtype, v.outcome) for v in found] == [
        ("gd/default/random", "float64", "pass"), ("gd/default/steady", "float32", "fail"),
    ]  # fmt: skip


def test_a_verdict_comes_before_the_next_line_is_read(bank):
    """A program and its judge can talk: nothing waits for the end of the stream."""

    class Talking(io.BytesIO):
        read_lines = 0

        def readline(self, *a):
            self.read_lines += 1
            return super().readline(*a)

    one = {"test": "gd/default/random", "dtype": "float64", "values": {"theta": rows(bank)}}
    other = {
        "test": "gd/default/steady",
        "dtype": "float64",
        "values": {"theta": rows(bank, "gd/default/steady")},
    }
    file = Talking(stream(one, other).getvalue())
    found = verdicts(file, "it", bank)
    next(found)
    assert file.read_lines == 1


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([b"{"], "it, line 1 is not JSON"),
        ([HEAD, b"[" * 5000 + b"]" * 5000], "it, line 2 is nested too deeply|it, line 2 is a list"),
        ([HEAD, HEAD], "it, line 2: a head belongs into the first line"),
        ([{"test": "gd/default/random", "values": {}}], "line 1 .*has no 'dtype'"),
        ([HEAD, b'"' + b"x" * (2**20 + 5) + b'"'], "it, line 2 is longer than 1024 KiB"),
    ],
)
def test_a_line_that_is_wrong_is_named_by_its_number(bank, lines, says):
    with pytest.raises(ValueError, match=says):
        list(verdicts(stream(*lines), "it", bank))


def test_a_test_that_comes_twice_in_a_stream_is_refused(bank):
    one = {"test": "gd/default/random", "values": {"theta": rows(bank)}}
    with pytest.raises(ValueError, match="line 3: there was a result of test 'gd/default/random' before"):
        list(verdicts(stream(HEAD, one, one), "it", bank))
