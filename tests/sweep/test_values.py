"""What the command line writes: grids, lists, seeds, problems. Nothing is evaluated."""

import pytest

from optverify.sweep import seeds, spaced, values
from optverify.sweep.cell import canonical
from optverify.sweep.values import problem_parts, split


def test_a_grid_goes_from_end_to_end_in_equal_ratios():
    assert spaced(1e-4, 1, 5) == [1e-4, 1e-3, 1e-2, 1e-1, 1.0]
    assert values("lr", "1e-4:1:13")[::3] == [1e-4, 1e-3, 1e-2, 1e-1, 1.0]
    assert values("lr", "1e-4:1:13")[1] == 0.000215443  # six digits, whatever the machine


def test_a_finer_grid_holds_the_coarser_one():
    assert set(spaced(1e-4, 1, 13)) < set(spaced(1e-4, 1, 25))


def test_a_grid_in_equal_steps():
    assert values("momentum", "0:0.9:4:linear") == [0.0, 0.3, 0.6, 0.9]


def test_lists_numbers_grids_and_options():
    assert values("beta1", "0.8, 0.9") == [0.8, 0.9]
    assert values("lr", "1e-3,0.1:1:2") == [1e-3, 0.1, 1.0]
    assert values("epsilon", "hat,outside") == ["hat", "outside"]


@pytest.mark.parametrize(
    "text", ["", ",", "1:2", "1e-4:1:x", "1e-4:1:13:log", "a:b:3", "1:1:3", "1:0.1:3", "0:1:3", "1:inf:3",
             "nan:1:3", "1:2:1", "1:2:99999999", "1:2:3:linear:4"],
)  # fmt: skip
def test_what_is_no_grid_is_refused_by_name(text):
    with pytest.raises(ValueError, match="lr: "):
        values("lr", text)


def test_seeds():
    assert seeds("0:5") == [0, 1, 2, 3, 4]
    assert seeds("7") == [7]
    assert seeds("3,10:12") == [3, 10, 11]


@pytest.mark.parametrize("text", ["", "-1", "1.5", "a", "5:0", "0:", ":5", "0:99999999999"])
def test_what_is_no_seed_is_refused(text):
    with pytest.raises(ValueError, match="seeds: "):
        seeds(text)


def test_problems_with_parameters():
    assert problem_parts("rosenbrock") == ("rosenbrock", {})
    assert problem_parts("mlp(hidden=(8, 4), data='blobs')") == ("mlp", {"hidden": (8, 4), "data": "blobs"})
    assert canonical(" mlp( hidden = (8,4),data='blobs' ) ") == "mlp(data='blobs', hidden=(8, 4))"
    assert split("rosenbrock(dim=10),mlp(hidden=(8,4)), booth") == [
        "rosenbrock(dim=10)", "mlp(hidden=(8,4))", "booth",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "a b", "rosenbrock(10)", "rosenbrock(dim=print())", "a.b", "a()()", "f(**{'a': 1})",
     "rosenbrock(dim=", "(" * 5000, "x(a=" + "[" * 500 + "]" * 500 + ")", "x(a=1)(b=2)", "1", "x\0"],
)  # fmt: skip
def test_what_is_no_problem_is_refused_and_never_run(text):
    with pytest.raises(ValueError, match="is neither a name nor of the form") as caught:
        problem_parts(text)
    assert len(str(caught.value)) < 200
