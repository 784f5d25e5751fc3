"""What a table says about sensitivity: the final loss over lr, its quartiles over seeds, and the best lr."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .columns import CELL, KEY, RESULTS, Row

NOT_A_SETTING = KEY.keys() | RESULTS.keys() | {"problem", "rule", "seed", "lr"}
QUARTILES = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Point:
    """All seeds at one lr. quartiles: of the final loss; a run that diverged counts as infinite."""

    lr: float | None
    rows: tuple[Row, ...]
    quartiles: tuple[float, float, float]

    @property
    def median(self) -> float:
        """The final loss of the usual seed."""
        return self.quartiles[1]


@dataclass(frozen=True)
class Series:
    """One rule on one problem over lr. settings: those in which it differs from the rule's other series."""

    problem: str
    rule: str
    settings: Mapping[str, Any]
    points: tuple[Point, ...]

    @property
    def label(self) -> str:
        """The rule, and what distinguishes this series."""
        return " ".join([self.rule, *(written(name, value) for name, value in self.settings.items())])

    @property
    def best(self) -> Point:
        """Where the median is least; the smallest lr of equals."""
        return min(self.points, key=lambda p: p.median)


@dataclass(frozen=True)
class Best:
    """Where a rule does best on a problem: the least median of the final loss over seeds.

    settings: besides lr, those that vary. steps_to_tolerance: of the median seed there, None if it never came
    that far. diverged: of all rows of the rule on the problem. at_edge: lr is the first or last of three or
    more, so that a wider grid could do better.
    """

    problem: str
    rule: str
    lr: float | None
    settings: Mapping[str, Any]
    final_value: float | None
    steps_to_tolerance: int | None
    diverged: int
    rows: int
    at_edge: bool


def series(rows: Iterable[Row]) -> list[Series]:
    """The series of a table, in its order of problems, rules and settings; rows that failed have no part."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row["diverged"] is not None:
            groups[row["problem"], row["rule"]].append(row)
    found = []
    for (problem, rule), members in groups.items():
        varying = [n for n in members[0] if n not in NOT_A_SETTING and len({r.get(n) for r in members}) > 1]
        varying.sort(key=lambda name: (name != "options", name in CELL, name))
        parts: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
        for row in members:
            parts[tuple(row.get(name) for name in varying)].append(row)
        for values, part in parts.items():
            settings = {n: v for n, v in zip(varying, values, strict=True) if v is not None}
            found.append(Series(problem, rule, settings, _points(part)))
    return found


def best(rows: Iterable[Row]) -> list[Best]:
    """The best of each rule on each problem, in the order of the table."""
    groups: dict[tuple[str, str], list[Series]] = defaultdict(list)
    for s in series(rows):
        groups[s.problem, s.rule].append(s)
    return [_best(members) for members in groups.values()]


def _best(members: Sequence[Series]) -> Best:
    least = min(members, key=lambda s: s.best.median)
    point, points = least.best, least.points
    every = [row for s in members for p in s.points for row in p.rows]
    steps = [row["steps_to_tolerance"] for row in point.rows]
    middle = _quartiles([math.inf if s is None else s for s in steps])[1]
    return Best(
        least.problem, least.rule, point.lr, dict(least.settings),
        final_value=point.median if math.isfinite(point.median) else None,
        steps_to_tolerance=math.ceil(middle) if math.isfinite(middle) else None,
        diverged=sum(row["diverged"] for row in every), rows=len(every),
        at_edge=len(points) > 2 and point in (points[0], points[-1]),
    )  # fmt: skip


def _points(rows: Sequence[Row]) -> tuple[Point, ...]:
    by_lr: dict[float | None, list[Row]] = defaultdict(list)
    for row in rows:
        by_lr[row.get("lr")].append(row)
    return tuple(
        Point(lr, tuple(by_lr[lr]), _quartiles([_loss(row) for row in by_lr[lr]]))
        for lr in sorted(by_lr, key=lambda lr: lr or 0.0)
    )


def _loss(row: Row) -> float:
    value = row["final_value"]
    return math.inf if value is None or row["diverged"] else float(value)


def _quartiles(values: list[float]) -> tuple[float, float, float]:
    """By linear interpolation, which NumPy's cannot do beside infinity."""
    ordered = sorted(values)
    found = []
    for q in QUARTILES:
        below, part = divmod(q * (len(ordered) - 1), 1.0)
        low, high = ordered[int(below)], ordered[min(int(below) + 1, len(ordered) - 1)]
        found.append(low if part == 0 or low == high else low + part * (high - low))
    return found[0], found[1], found[2]


def written(name: str, value: Any) -> str:
    """`beta1=0.9`; of options each one."""
    if name == "options":
        options = json.loads(value)
        return " ".join(f"{axis}={str(o).lower()}" for axis, o in options.items()) or "default options"
    return f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
