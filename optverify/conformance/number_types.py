"""What an optimizer does in other types of numbers: half precision, and complex parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from optverify.conformance.adapters import drive
from optverify.conformance.protocol import Array, Make, Unsupported

TYPES = ("float16", "float32", "float64")
"""In which a gradient of zero must move nothing."""
COMPLEX = 3 + 4j


def at_rest(make: Make, adapter: str | None = None) -> Mapping[str, str]:
    """Type -> what a gradient of zero does to a parameter that has no history.

    "still" is right without weight decay; an epsilon that the type cannot hold turns it to NaN.
    """
    return {name: _at_rest(make, np.zeros(3, name), adapter) for name in TYPES}


def _at_rest(make: Make, theta: Array, adapter: str | None) -> str:
    try:
        after = _updated(make, theta, np.zeros_like(theta), adapter)
    except (Unsupported, TypeError, ValueError) as error:
        return f"refused: {error}"
    if np.isnan(after).any():
        return f"not a number: is eps a number of {theta.dtype}? The smallest one is {_smallest(theta):.3g}"
    if after.dtype != theta.dtype:
        return f"becomes {after.dtype}"
    return "still" if np.array_equal(after, theta) else "moves"


def _smallest(theta: Array) -> float:
    return float(np.finfo(theta.dtype).smallest_subnormal)


def complex_form(make: Make, adapter: str | None = None) -> str:
    """What an adaptive optimizer takes for the square of a complex gradient, by its first update."""
    theta = np.zeros(1, complex)
    try:
        after = _updated(make, theta, theta + COMPLEX, adapter)
    except (Unsupported, TypeError, ValueError) as error:
        return f"complex parameters are refused: {error}"
    if not np.iscomplexobj(after):
        return "the imaginary part is dropped"
    step = -after[0]
    return next((name for name, way in FORMS.items() if _along(step, way)), "another form")


FORMS = {
    "g*g: the phase is lost": 1 + 0j,
    "|g|^2: the step points along the gradient": COMPLEX / 5,
    "two reals: each part has its own square": 1 + 1j,
}
"""Form -> the direction of its first step."""


def _along(step: complex, way: complex) -> bool:
    """True if the step points this way, but for an epsilon."""
    return bool(abs(step) > 0 and abs(step / abs(step) - way / abs(way)) < 1e-3)


def _updated(make: Make, theta: Array, grad: Array, adapter: str | None) -> Array:
    box = drive(make, [theta], adapter)
    try:
        with np.errstate(all="ignore"):
            box.update([grad])
        return box.params()[0]
    finally:
        box.close()
