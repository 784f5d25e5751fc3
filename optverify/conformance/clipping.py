"""Which clipping is this? A function clip(grads, max_norm), by what it does to a few gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Clip = Callable[[list[Array], float], Any]
Scaled = Callable[[Sequence[Array], float], list[Array]]

NEAR = 1e-12
PROBES: tuple[tuple[tuple[tuple[float, ...], ...], float], ...] = (
    (((1.8, 2.4), (0.0, -4.0)), 1.0),  # norms 3 and 4
    (((0.3,), (0.0, -0.4)), 1.0),  # shorter than allowed
    (((0.6,), (0.0, -0.8)), 1.0),  # just as long
    (((0.012,), (0.016, 0.0)), 0.01),
)
"""Gradients of two arrays, and the largest norm that is allowed."""


@dataclass(frozen=True)
class ClippingDiagnosis:
    """form: what it does, None if none is known that does the same; faults, remarks: in words."""

    form: str | None
    faults: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """True if it clips in a way that is known, and nothing is wrong with it."""
        return self.form is not None and not self.faults

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {"form": self.form, "faults": list(self.faults), "remarks": list(self.remarks)}

    def __str__(self) -> str:
        faults = [f"fault: {f}" for f in self.faults]
        return "\n  ".join([self.form or "no clipping that is known here", *faults, *self.remarks])


def diagnose_clipping(clip: Clip) -> ClippingDiagnosis:
    """Say how a function clips, and what it does where norms are 0, overflow or are infinite.

    clip: takes a list of arrays and the largest norm; returns the clipped ones, or changes them in place.
    """
    form = next((name for name, scaled in FORMS.items() if _does(clip, scaled)), None)
    remarks = [REMARKS[form]] if form in REMARKS else []
    if _in_place(clip):
        remarks.append("it changes the gradients that it is given")
    return ClippingDiagnosis(form, tuple(_faults(clip)), (*remarks, *_infinite(clip)))


def clipped(clip: Clip, grads: Sequence[Any], max_norm: float) -> list[Array]:
    """What it makes of fresh copies of these gradients."""
    given = [np.array(g, float) for g in grads]
    with np.errstate(all="ignore"):
        made = clip(given, max_norm)
    looks = isinstance(made, list | tuple) and len(made) == len(given)
    return [np.asarray(g) for g in (made if looks else given)]


def _does(clip: Clip, scaled: Scaled) -> bool:
    for grads, most in PROBES:
        wanted = scaled([np.array(g) for g in grads], most)
        found = clipped(clip, grads, most)
        if not all(np.allclose(a, b, rtol=NEAR, atol=0) for a, b in zip(found, wanted, strict=True)):
            return False
    return True


# ---- the ways to clip --------------------------------------------------------------------------------------


def _norm(grads: Sequence[Array]) -> float:
    return float(np.sqrt(sum(np.sum(g * g) for g in grads)))


def _together(eps: float) -> Scaled:
    def scaled(grads: Sequence[Array], most: float) -> list[Array]:
        return [g * min(1.0, most / (_norm(grads) + eps)) for g in grads]

    return scaled


def _each(eps: float) -> Scaled:
    return lambda grads, most: [_together(eps)([g], most)[0] for g in grads]


FORMS: dict[str, Scaled] = {
    "by global norm": _together(0.0),
    "by global norm, 1e-06 added to it": _together(1e-6),
    "by the norm of each array": _each(0.0),
    "by the norm of each array, 1e-06 added to it": _each(1e-6),
    "by value": lambda grads, most: [np.clip(g, -most, most) for g in grads],
    "not at all": lambda grads, most: list(grads),
}
PER_TENSOR = "the direction of all gradients together is not preserved: per-tensor clip"
REMARKS = {
    "by global norm, 1e-06 added to it": "as torch does: shorter than allowed by 1e-06 over the norm",
    "by the norm of each array": PER_TENSOR,
    "by the norm of each array, 1e-06 added to it": PER_TENSOR,
    "by value": "the direction of a gradient is not preserved",
}


# ---- where it is hard --------------------------------------------------------------------------------------


def _faults(clip: Clip) -> Iterator[str]:
    for most in (1.0, 0.0):
        still = clipped(clip, [(0.0, 0.0), (0.0,)], most)
        if any(g.any() for g in still):
            said = "not a number" if any(np.isnan(g).any() for g in still) else "something else"
            yield f"0/0 at zero norm: a gradient of zero becomes {said} for max_norm = {most:g}"
    huge = clipped(clip, [(1e200, 1e200)], 1.0)[0]
    if not np.isfinite(huge).all():
        yield f"the norm of a huge gradient overflows: 1e200 becomes {huge.tolist()}"
    elif not huge.any():
        yield "a huge gradient silently becomes a zero update: its squares overflow; scale before squaring"


def _infinite(clip: Clip) -> Iterator[str]:
    """The policy for what is not finite, whatever it is."""
    found = clipped(clip, [(np.inf, 1.0)], 1.0)[0]
    yield f"an infinite gradient: [inf, 1] becomes {found.tolist()}"


def _in_place(clip: Clip) -> bool:
    given = [np.array([3.0]), np.array([4.0])]
    clip(given, 1.0)
    return bool(given[0][0] != 3.0 or given[1][0] != 4.0)
