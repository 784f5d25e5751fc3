"""What an optimizer does in other types of numbers: half precision, complex parameters, two types at once."""

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


def in_company(make: Make, adapter: str | None = None) -> str | None:
    """What goes wrong when a float32 and a float64 parameter are trained together; None if nothing does.

    All numbers are float32 numbers, so both must move as in the company of their own type.
    """
    try:
        alike, mixed = (
            _together(make, kinds, adapter) for kinds in (("float64",) * 2, ("float32", "float64"))
        )
    except (Unsupported, TypeError, ValueError):
        return None
    for k, (one, other) in enumerate(zip(alike, mixed, strict=True)):
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            if not np.allclose(a, b, rtol=1e-5, atol=1e-7):
                return (
                    f"parameters of two types are not treated as those of one: at update {k + 1} parameter"
                    f" {i} is {b.flat[0]:.7g}, not {a.flat[0]:.7g}{_again(one, other, i) if k == 0 else ''}"
                )
    return None


def _again(one: list[Array], other: list[Array], i: int) -> str:
    """A decay that is made more than once: the first gradients are zero."""
    start = START[i]
    with np.errstate(all="ignore"):
        times = float(np.log(other[i] / start).flat[0] / np.log(one[i] / start).flat[0])
    if not np.isfinite(times) or round(times) < 2 or abs(times - round(times)) > 1e-2:
        return ""
    return f": as if weight decay were applied {round(times)} times, once for each group of a type"


ALIKE, MIXED = ("float64", "float64"), ("float32", "float64")
START = (np.array([1.0, -2.0]), np.array([0.5, 4.0]))
GRADS = (np.array([0.0, 0.0]), np.array([0.5, -0.25]), np.array([-1.0, 2.0]))


def _together(make: Make, kinds: tuple[str, ...], adapter: str | None) -> list[list[Array]]:
    """The parameters after each update, each in its own type."""
    box = drive(make, [p.astype(kind) for p, kind in zip(START, kinds, strict=True)], adapter)
    path = []
    try:
        with np.errstate(all="ignore"):
            for g in GRADS:
                box.update([g.astype(kind) for kind in kinds])
                path.append([p.astype(float) for p in box.params()])
    finally:
        box.close()
    return path


def _updated(make: Make, theta: Array, grad: Array, adapter: str | None) -> Array:
    box = drive(make, [theta], adapter)
    try:
        with np.errstate(all="ignore"):
            box.update([grad])
        return box.params()[0]
    finally:
        box.close()
