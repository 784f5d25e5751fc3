"""Sensitivity plots: what is drawn, and that the same rows give the same bytes."""

import math
import subprocess
import sys

import numpy as np
import pytest

from optverify.sweep.figures import FAR, MARKERS, save, sensitivity
from optverify.training.figures import COLOURS, DASHES

from .test_series import row

RATES = (1e-3, 1e-2, 1e-1)


def table():
    """Two rules on two problems; gradient descent diverges at the largest lr."""
    return [
        row(None if rule == "gd" and lr == 0.1 else (1 + seed) * lr, lr, rule, problem, seed)
        for rule in ("adam", "gd") for problem in ("booth", "beale") for lr in RATES for seed in range(3)
    ]  # fmt: skip


def lines(axes):
    return {line.get_label(): line for line in axes.get_lines() if not line.get_label().startswith("_")}


def test_a_panel_a_problem_and_a_line_a_rule():
    figure = sensitivity(table())
    first, second, *_ = figure.axes
    assert (first.get_title(), second.get_title()) == ("booth", "beale")
    for axes in (first, second):
        assert axes.get_xscale() == axes.get_yscale() == "log"
        assert set(lines(axes)) == {"adam", "gd"}
        np.testing.assert_allclose(lines(axes)["adam"].get_xdata(), RATES)
        np.testing.assert_allclose(lines(axes)["adam"].get_ydata(), 2 * np.array(RATES))  # the median seed
        band = axes.collections[0].get_paths()[0].vertices
        for lr in RATES:
            at = band[np.isclose(band[:, 0], lr), 1]
            np.testing.assert_allclose([at.min(), at.max()], [1.5 * lr, 2.5 * lr])


def test_where_it_diverged_is_a_cross_and_no_line():
    axes = sensitivity(table()).axes[0]
    assert math.isnan(lines(axes)["gd"].get_ydata()[-1])
    crosses = [line for line in axes.get_lines() if line.get_marker() == "x" and len(line.get_xdata())]
    assert [list(line.get_xdata()) for line in crosses] == [[0.1]]


def test_far_above_the_start_is_a_cross_too():
    rows = [row(value, lr) for lr, value in ((1e-3, 5.0), (1e-2, 10.0 * FAR * 1.01), (1e-1, 1e200))]
    axes = sensitivity(rows).axes[0]
    crosses = [line for line in axes.get_lines() if line.get_marker() == "x"]
    assert [list(line.get_xdata()) for line in crosses] == [[1e-2, 1e-1]]
    assert axes.get_ylim()[1] < 1e3


def test_the_infimum_is_subtracted():
    least = -78.33233140754282
    axes = sensitivity([row(least + lr, lr, problem="styblinski_tang") for lr in RATES]).axes[0]
    np.testing.assert_allclose(lines(axes)["gd"].get_ydata(), RATES, rtol=1e-9)
    assert "above its least value -78.33" in axes.get_ylabel()


def test_a_loss_below_zero_gets_an_even_scale():
    axes = sensitivity([row(-lr, lr, problem="saddle") for lr in RATES]).axes[0]
    assert axes.get_yscale() == "linear"


def test_every_line_has_a_look_of_its_own():
    """Colour is never the only cue."""
    looks = {(COLOURS[i % 7], DASHES[i // 7 % 7], MARKERS[i % 8]) for i in range(60)}
    assert len(looks) == 60
    rows = [row(1.0, lr, "adam", settings={"beta1": k / 100}) for k in range(10) for lr in RATES]
    axes = sensitivity(rows).axes[0]
    drawn = lines(axes).values()
    assert len({(line.get_color(), line.get_marker()) for line in drawn}) == len(drawn) == 10
    assert len({(line.get_linestyle(), line.get_marker()) for line in drawn}) == 10


def test_too_many_lines_and_none_are_refused():
    many = [row(1.0, 0.1, "adam", settings={"beta1": k / 100}) for k in range(70)]
    with pytest.raises(ValueError, match="70 lines in one panel cannot be told apart"):
        sensitivity(many)
    with pytest.raises(ValueError, match="there is nothing to draw"):
        sensitivity([])


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_it_is_written_whole(tmp_path, ending):
    save(sensitivity(table()), tmp_path / f"s.{ending}")
    assert [p.name for p in tmp_path.iterdir()] == [f"s.{ending}"]
    assert (tmp_path / f"s.{ending}").stat().st_size > 1000
    with pytest.raises(ValueError, match=r"ends in \.svg, \.png or \.pdf"):
        save(sensitivity(table()), tmp_path / "s.txt")


def test_the_same_rows_give_the_same_bytes_whatever_the_settings(tmp_path):
    """In another process, with a matplotlibrc of the reader's own."""
    save(sensitivity(table()), tmp_path / "here.svg")
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 7\nsvg.hashsalt: mine\nfont.size: 20\n")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from sweep.test_figures import save, sensitivity, table\n"
        "save(sensitivity(table()), 'there.svg')\n"
    )
    tests = str(__import__("pathlib").Path(__file__).parents[1])
    subprocess.run([sys.executable, "-c", code, tests], cwd=tmp_path, check=True, timeout=120)
    assert (tmp_path / "here.svg").read_bytes() == (tmp_path / "there.svg").read_bytes()
