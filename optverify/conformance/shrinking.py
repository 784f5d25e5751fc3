"""Weight decay, read off the coordinates that never had a gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from optverify.conformance.model import COUPLED, FLAT, Record

Array = np.ndarray[Any, Any]


WHOLE = 0.999
"""A share of theta that is no decay: theta is lost, or turned round."""


@dataclass(frozen=True)
class Decay:
    """A form of decay that can be: names of SHRINK, and the share of theta that goes where it is known."""

    names: tuple[str, ...] = ()
    share: float = 0.0


def decays(records: Sequence[Record]) -> list[Decay]:
    """The forms of decay that can be, from coordinates that never had a gradient: none if they stay.

    What is taken off them by itself is a share of theta, the same for all and in every update, or the same
    amount; decay that goes through the gradient is neither, but for rules that are linear in it. Some rules
    draw theta to zero by themselves.
    """
    shares, amounts, later = _without_gradient(records)
    if not any(np.any(x) for x in amounts):
        return [Decay()]
    first, size = np.concatenate([s.ravel() for s in shares]), np.concatenate([a.ravel() for a in amounts])
    if _equal(first, records[0].dtype):
        share = -float(np.mean(first))
        if share > WHOLE:
            return [Decay()]
        outer = [Decay((n,), share) for n in _outer(share, later)]
        return [*outer, Decay(COUPLED)]
    if _equal(size, records[0].dtype):
        return [Decay(FLAT, -float(np.mean(size))), Decay(COUPLED), Decay()]
    return [Decay(COUPLED), Decay()]


def _equal(x: Array, dtype: str) -> bool:
    return bool(np.ptp(x) <= 1e-6 * np.max(np.abs(x)) + 8 * float(np.finfo(dtype).eps))


def _without_gradient(
    records: Sequence[Record],
) -> tuple[list[Array], list[Array], list[tuple[float, float]]]:
    """What coordinates without a gradient lost at first, as a share and as it is; lr and share later."""
    shares: list[Array] = []
    amounts: list[Array] = []
    later: list[tuple[float, float]] = []
    for r in records:
        r = r.first(4) if r.name == "silent" else r  # noqa: PLW2901
        silent = np.all(r.grads == 0, axis=0) & (r.theta[0] != 0) & np.isfinite(r.theta).all(axis=0)
        if not np.any(silent) or not len(r.grads):
            continue
        lost, before = r.moves[:, silent], r.theta[: len(r.moves), silent]
        kept = np.isnan(r.rates)
        kept[4:] = False
        shares.append(lost[kept] / before[kept])
        amounts.append(lost[kept])
        later += [
            (float(r.rates[k]), float(np.mean(lost[k] / before[k])))
            for k in np.flatnonzero(~np.isnan(r.rates))
        ]
    return shares, amounts, later


def _outer(share: float, later: Sequence[tuple[float, float]]) -> tuple[str, ...]:
    """Does the share follow lr?"""
    if any(abs(now + share) > 1e-6 * abs(share) for _, now in later):
        return ("_decoupled", "_after")
    return ("_alone",) if later else ("_decoupled", "_after")
