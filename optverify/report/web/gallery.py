"""The section of figures, in the page itself."""

from __future__ import annotations

from collections.abc import Mapping

from optverify.report.web.figure import inline
from optverify.report.web.section import Group, Link, Section, html

ID = "figures"
CAPTIONS = {
    "trajectories": (
        "Paths on Rosenbrock’s valley",
        "A ring every 100 updates, the minimum is the star. Gradient descent drops into the"
        " valley and then creeps; momentum runs along it.",
    ),
    "schedules": (
        "Schedules",
        "The learning rate over the updates already made, a panel a schedule.",
    ),
    "convergence": (
        "An ill-conditioned quadratic",
        "The dashed lines are the rates that the step matrices give. The quadratic is rotated: on"
        " one that lies along the axes, rules that scale each coordinate look better than they"
        " are.",
    ),
    "stability": (
        "Where momentum is stable",
        "The spectral radius of a step on a quadratic; the line is the edge of stability that is proved.",
    ),
    "effective_step": (
        "How long a step is",
        "On Rosenbrock’s function. Gradient descent and momentum move in proportion to the"
        " gradient; Adam and RMSProp move by about lr whatever the gradient is, so that their"
        " ratio rises as it shrinks.",
    ),
    "nonconvergence": (
        "Where Adam does not converge",
        "The gradients are 3, −1, −1, again and again, so the best point is −1. Adam goes to +1,"
        " and its average regret stays up; AMSGrad goes to the minimum.",
    ),
    "inclusions": (
        "Which rule contains which",
        "Every arrow is an identity that is checked on both recurrences.",
    ),
    "mnist": (
        "A small network on MNIST",
        "32 hidden units, batches of 64, 4,000 images; every rule at its best learning rate of 1,"
        " 2, 5 times powers of ten. The differences between rules are small beside those between"
        " learning rates.",
    ),
}
"""Figure -> its title and what to see in it."""


def gallery(figures: Mapping[str, str]) -> Section:
    """figures: name -> SVG text, as `drawn.make_figures` gives them; the page puts them in when seen."""
    drawn = {name: inline(figures[name], f"f{k}.") for k, name in enumerate(CAPTIONS)}
    return Section(
        ID,
        "Figures",
        html("gallery.html.j2", captions=CAPTIONS),
        ("gallery.js",),
        ("figure.css",),
        {"svg": drawn},
        contents=(
            Group("All", tuple(Link(f"figure.{name}", title) for name, (title, _) in CAPTIONS.items())),
        ),
    )
