"""The symmetries of the invariance table."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from optverify.claims._invariance import Symmetry, Units, scaled_along, show_scaled, without_small
from optverify.language import Source
from optverify.proof.symmetry import show_mirrored, show_permuted, show_rotated, show_translated

kingma = Source(
    "Kingma and Ba", 2015, "Adam: a method for stochastic optimization",
    "the abstract and section 2.1: invariance to (diagonal) rescaling of the gradients", "ICLR",
    arxiv="1412.6980",
)  # fmt: skip
zeiler = Source(
    "Zeiler", 2012, "ADADELTA: an adaptive learning rate method",
    "section 3.2, correct units with Hessian approximation", arxiv="1212.5701",
)  # fmt: skip
nocedal = Source(
    "Nocedal and Wright", 2006, "Numerical optimization", "section 2.2, scaling", "Springer",
    url="https://doi.org/10.1007/978-0-387-40065-5",
)  # fmt: skip
hansen = Source(
    "Hansen, Ros, Mauny, Schoenauer and Auger", 2011, "Impacts of invariance in search: when CMA-ES and PSO"
    " face ill-conditioned and non-separable problems", "the discussion of invariance",
    "Applied Soft Computing 11", url="https://doi.org/10.1016/j.asoc.2011.03.001",
)  # fmt: skip
zhang_rotation = Source(
    "Zhang, Maes, Milligan, Jolicoeur-Martineau, Mitliagkas, Scieur, Lacoste-Julien and Guille-Escuret", 2025,
    "Understanding Adam requires better rotation dependent assumptions", "the introduction", "NeurIPS",
    arxiv="2410.19964",
)  # fmt: skip
bernstein = Source(
    "Bernstein and Newhouse", 2024, "Old optimizer, new norm: an anthology",
    "the story of Shampoo as steepest descent in the spectral norm", arxiv="2409.20325",
)  # fmt: skip

TWO, HALF, ONE = Fraction(2), Fraction(1, 2), Fraction(1)


def _fractions(rows: Any) -> Any:
    return np.array([[Fraction(x) for x in row] for row in rows], dtype=object)


TURN = _fractions([["3/5", "-4/5"], ["4/5", "3/5"]])
OTHER_TURN = _fractions([["5/13", "12/13"], ["-12/13", "5/13"]])
COLUMN, ROW = _fractions([[2], [3]]), _fractions([[1, 5]])


def same(x: Any) -> Any:
    """x as it is."""
    return x


def twice(x: Any) -> Any:
    """2 x."""
    return x * TWO


def half(x: Any) -> Any:
    """x/2."""
    return x * HALF


def mirrored(x: Any) -> Any:
    """-x."""
    return x * -ONE


def moved(x: Any) -> Any:
    """x plus another number in each coordinate."""
    return x + COLUMN * (ROW if x.shape[1] > 1 else ONE)


def stretched(x: Any) -> Any:
    """x times another factor in each coordinate."""
    return x * COLUMN * (ROW if x.shape[1] > 1 else ONE)


def turned(x: Any) -> Any:
    """A rotation of a vector; of a matrix, of the four entries two by two."""
    if x.shape[1] == 1:
        return TURN @ x
    flat = np.concatenate([TURN @ np.array([x[0, 0], x[1, 1]]), OTHER_TURN @ np.array([x[0, 1], x[1, 0]])])
    return np.array([[flat[0], flat[2]], [flat[3], flat[1]]], dtype=object)


def turned_on_both_sides(x: Any) -> Any:
    """U x V^T with two rotations."""
    return TURN @ x @ OTHER_TURN.T


def reordered(x: Any) -> Any:
    """Rows and columns in the other order."""
    return x[::-1, ::-1]


GRADIENTS = "any gradients, every t, each other hyperparameter at any value of its range"
SCALE, RATE = (
    Units(gradient=1, parameters=0, loss=1, rate=0),
    Units(gradient=1, parameters=0, loss=1, rate=-1),
)
UNITS = Units(gradient=-1, parameters=1, loss=0, rate=0)
DIAGONAL = replace(SCALE, separate=True)

SYMMETRIES = (
    Symmetry(
        "scale", "The path of {rule} does not change when the loss is multiplied by a number.",
        r"(g_t) \mapsto (c \, g_t), \; c > 0 \quad \Longrightarrow \quad (\theta_t) \mapsto (\theta_t)",
        f"same start and learning rate, {GRADIENTS}; where epsilon is 0, gradients other than 0",
        (kingma, nocedal), partial(show_scaled, SCALE), partial(scaled_along, SCALE),
        twice, same, loss=TWO,
    ),
    Symmetry(
        "rate", "To multiply the loss by a number is to multiply the learning rate of {rule} by it.",
        r"(g_t) \mapsto (c \, g_t), \; \mathrm{lr} \mapsto \mathrm{lr}/c, \; c > 0 \quad \Longrightarrow"
        r" \quad (\theta_t) \mapsto (\theta_t)",
        f"same start, {GRADIENTS}; where epsilon is 0, gradients other than 0",
        (nocedal,), partial(show_scaled, RATE), partial(scaled_along, RATE),
        twice, same, rate=HALF, loss=TWO,
    ),
    Symmetry(
        "units", "The steps of {rule} have the units of the parameters.",
        r"\theta_0 \mapsto c \, \theta_0, \; (g_t) \mapsto (g_t/c), \; c > 0 \quad \Longrightarrow \quad"
        r" (\theta_t) \mapsto (c \, \theta_t)",
        f"same learning rate, {GRADIENTS}; where epsilon is 0, gradients other than 0",
        (zeiler, nocedal), partial(show_scaled, UNITS), partial(scaled_along, UNITS), half, twice,
    ),
    Symmetry(
        "diagonal", "{rule} is invariant to diagonal rescaling of the gradients.",
        r"(g_t) \mapsto (D \, g_t), \; D \text{ diagonal and positive} \quad \Longrightarrow \quad (\theta_t)"
        r" \mapsto (\theta_t)",
        f"same start and learning rate, {GRADIENTS}; where epsilon is 0, gradients other than 0",
        (kingma,), partial(show_scaled, DIAGONAL), partial(scaled_along, DIAGONAL), stretched, same,
    ),
    Symmetry(
        "mirror", "{rule} runs the mirror image when parameters and gradients change their sign.",
        r"\theta_0 \mapsto -\theta_0, \; (g_t) \mapsto (-g_t) \quad \Longrightarrow \quad (\theta_t) \mapsto"
        r" (-\theta_t)",
        GRADIENTS, (hansen,), show_mirrored, partial(without_small, show_mirrored), mirrored, mirrored,
    ),
    Symmetry(
        "translation", "It does not matter to {rule} where the origin is.",
        r"\theta_0 \mapsto \theta_0 + a, \; (g_t) \mapsto (g_t) \quad \Longrightarrow \quad (\theta_t)"
        r" \mapsto (\theta_t + a)",
        GRADIENTS, (hansen,), show_translated, partial(without_small, show_translated), same, moved,
    ),
    Symmetry(
        "rotation", "{rule} does not care about the choice of axes: it is rotation equivariant.",
        r"\theta_0 \mapsto Q \theta_0, \; (g_t) \mapsto (Q g_t), \; Q \text{ orthogonal} \quad"
        r" \Longrightarrow \quad (\theta_t) \mapsto (Q \theta_t)",
        f"orthogonal maps of all coordinates of one array, {GRADIENTS}", (hansen, zhang_rotation),
        show_rotated, partial(without_small, show_rotated), turned, turned,
    ),
    Symmetry(
        "two_sided", "{rule} is equivariant to rotations of a matrix from both sides.",
        r"W_0 \mapsto U W_0 V^\top, \; (G_t) \mapsto (U G_t V^\top), \; U, V \text{ orthogonal} \quad"
        r" \Longrightarrow \quad (W_t) \mapsto (U W_t V^\top)",
        f"one matrix of parameters, {GRADIENTS}", (bernstein, zhang_rotation),
        partial(show_rotated, two_sided=True), partial(without_small, partial(show_rotated, two_sided=True)),
        turned_on_both_sides, turned_on_both_sides, matrices=True,
    ),
)  # fmt: skip

PERMUTATION = Symmetry(
    "permutation", "{rule} does not depend on the order of the coordinates.",
    r"\theta_0 \mapsto P \theta_0 Q, \; (g_t) \mapsto (P g_t Q), \; P, Q \text{ permutations} \quad"
    r" \Longrightarrow \quad (\theta_t) \mapsto (P \theta_t Q)",
    f"permutations of rows and of columns, {GRADIENTS}", (hansen,), show_permuted,
    partial(without_small, show_permuted), reordered, reordered,
)  # fmt: skip
"""True of every rule whose coordinates go their own ways: a claim only where it fails."""
