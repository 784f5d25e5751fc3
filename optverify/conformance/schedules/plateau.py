"""A schedule that follows a metric: reduce on plateau, and the ways in which its counter goes wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from optverify.conformance.schedules.diagnosis import ScheduleDiagnosis
from optverify.conformance.schedules.driving import number, reader
from optverify.conformance.schedules.numbers import Rates, alike, places, rounded
from optverify.conformance.schedules.slips import Slip
from optverify.schedules import ReduceOnPlateau

METRICS: dict[str, tuple[float, ...]] = {
    "a metric that does not change": (1.0,) * 24,
    "a metric that falls": tuple(1.0 - 0.03 * k for k in range(24)),
    "a metric that rises": tuple(1.0 + 0.03 * k for k in range(24)),
    "a metric that falls by less than the threshold": tuple(1.0 - 1e-6 * k for k in range(24)),
    "a metric that gets better once in five steps": tuple(1.0 - 0.1 * (k // 5) for k in range(24)),
    "a metric that is not a number at times": (1.0, math.nan, 1.0, math.nan, 0.5, *(math.nan,) * 12),
}


class Consecutive(ReduceOnPlateau):
    """Reduces on every bad step once patience is over: the counter is not set back after a fall."""

    def step(self, metric: float) -> float:
        """As in ReduceOnPlateau, but the counter goes on."""
        before, bad = self.lr, self.bad_steps
        rate = super().step(metric)
        if rate < before:
            self.bad_steps = bad + 1
        return rate


def driven(plateau: Any, metrics: Sequence[float]) -> Rates:
    """The rate after each step, of an object with step(metric) that shows its rate."""
    read = reader(plateau)
    rates = []
    for metric in metrics:
        plateau.step(metric)
        rates.append(number(read()))
    return np.array(rates)


def diagnose_plateau(make: Callable[[], Any], expected: ReduceOnPlateau | None = None) -> ScheduleDiagnosis:
    """Say which rule this is, or what is wrong with its counter.

    make: a function without arguments that makes an object with step(metric) that shows its rate as lr;
    expected: what it should be; if None, its numbers are read off a metric that does not change.
    """
    runs = {name: driven(make(), metrics) for name, metrics in METRICS.items()}
    first = runs["a metric that does not change"]
    wrong = _differs(runs, _settings(expected)) if expected is not None else None
    if expected is not None and wrong is None:
        return ScheduleDiagnosis(None, repr(expected), (), (), True, 0.0, first)
    same = None if expected is None else False
    for text, kind, settings in _variants(_settings(expected) if expected else _guess(first)):
        if settings and not _differs(runs, settings):
            if expected is None and kind != "reset":
                return ScheduleDiagnosis(None, _repr(settings), (), _said(settings), None, 0.0, first)
            slip = Slip(kind, text, wrong and wrong[1])
            return ScheduleDiagnosis(None, _repr(settings), (slip,), (), same, 0.0, first)
    faults = []
    if wrong is not None:
        name, t, found, wanted = wrong
        text = f"with {name}, after step {t + 1} the rate is {found:.10g}, not {wanted:.10g}"
        faults = [Slip("departs", text, t)]
    return ScheduleDiagnosis(None, None, tuple(faults), (), same, math.nan, first)


Settings = dict[str, Any]
NAMES = ("lr", "mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "lr_min", "eps")


def _settings(plateau: ReduceOnPlateau) -> Settings:
    return {name: getattr(plateau, name) for name in NAMES}


def _made(settings: Settings) -> ReduceOnPlateau:
    kind = Consecutive if settings.get("consecutive") else ReduceOnPlateau
    return kind(**{k: v for k, v in settings.items() if k != "consecutive"})


def _repr(settings: Settings) -> str:
    return repr(_made(settings)).replace("Consecutive", "ReduceOnPlateau")


def _differs(runs: dict[str, Rates], settings: Settings) -> tuple[str, int, float, float] | None:
    """Where the first run departs from these settings: metric, step, rate found and expected."""
    for name, rates in runs.items():
        wanted = driven(_made(settings), METRICS[name])
        if not alike(rates, wanted):
            t = int(places(rates, wanted)[0])
            return name, t, float(rates[t]), float(wanted[t])
    return None


def _variants(base: Settings | None) -> Iterator[tuple[str, str, Settings]]:
    if base is None:
        return
    patience = base["patience"]
    yield "", "same", base
    text = "reduces at `patience` bad steps (the form with >=), not after them (>): patience is one less"
    if patience > 0:
        yield text, ">=", {**base, "patience": patience - 1}
    yield "reduces one bad step too late", ">", {**base, "patience": patience + 1}
    reset = "reduces on consecutive steps: the counter is not reset after a fall"
    for p in dict.fromkeys((patience, max(patience - 1, 0))):
        yield reset, "reset", {**base, "patience": p, "consecutive": True}
    yield "the cooldown has no effect", "cooldown", {**base, "cooldown": 0}
    yield "the lowest rate has no effect", "minimum", {**base, "lr_min": 0.0}
    other = {"rel": "abs", "abs": "rel"}[base["threshold_mode"]]
    yield (
        f"the threshold is {other}, not {base['threshold_mode']}",
        "threshold",
        {
            **base,
            "threshold_mode": other,
        },
    )
    yield "every improvement counts: the threshold has no effect", "threshold", {**base, "threshold": 0.0}
    mode = {"min": "max", "max": "min"}[base["mode"]]
    yield (
        f"the better metric is the wrong one: mode {mode!r}, not {base['mode']!r}",
        "mode",
        {
            **base,
            "mode": mode,
        },
    )


def _guess(rates: Rates) -> Settings | None:
    """The settings of a run with a metric that does not change."""
    falls = np.flatnonzero(np.diff(rates) < 0) + 1
    if not len(falls):
        return None
    patience = int(falls[0]) - 1
    apart = int(falls[1] - falls[0]) if len(falls) > 1 else patience + 1
    lr, low = rounded(float(rates[0])), float(rates[-1])
    factor = rounded(float(rates[falls[0]] / rates[0]))
    settled = len(rates) - falls[-1] > apart + 1
    made = {"lr": lr, "factor": factor, "patience": patience, "cooldown": max(0, apart - patience - 1)}
    rest = {"mode": "min", "threshold": 1e-4, "threshold_mode": "rel", "eps": 1e-8}
    return {**rest, **made, "lr_min": rounded(low) if settled and low > 1e-8 else 0.0}


def _said(settings: Settings) -> tuple[str, ...]:
    p = settings["patience"]
    return (f"reduces at {p + 1} bad steps: patience {p} in the form with >, {p + 1} in that with >=",)
