"""What a check comes to: a verdict with all its numbers, and the text that explains it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from optverify.conformance.reference import Departure
from optverify.formulas import notebook

Status = Literal["matches", "near miss", "departs", "raises", "fails", "not applicable"]
Options = Mapping[str, str | bool]

FORMAT, VERSION = "optverify check", 1


@dataclass(frozen=True)
class Outcome:
    """What one check came to.

    status: "near miss" is the rule with some numbers in float32, which is let pass; "fails" is a fault other
    than that of numbers. ulps: the largest error
    of an update, in units in the last place. tolerance: what it may be off, relative. detail: what was
    raised, why it does not apply, or what else should be known.
    """

    check: str
    shows: str
    status: Status
    ulps: float = 0.0
    tolerance: float = 0.0
    departure: Departure | None = None
    detail: str = ""

    @property
    def ok(self) -> bool:
        """False if the optimizer departs, raises or fails."""
        return self.status not in ("departs", "raises", "fails")

    def to_dict(self) -> dict[str, Any]:
        """For JSON: numbers that are not finite are written as strings."""
        d = self.departure
        return {
            "check": self.check,
            "shows": self.shows,
            "status": self.status,
            "ulps": _number(self.ulps),
            "tolerance": self.tolerance,
            "detail": self.detail,
            "departure": d
            and {
                "update": d.step,
                "parameter": d.param,
                "coordinate": list(d.coordinate),
                "of": d.of,
                "expected": _number(d.expected),
                "got": _number(d.got),
                "relative_error": _number(d.relative_error),
                "line": d.line,
            },
        }


def _number(x: float) -> float | str:
    return x if math.isfinite(x) else str(x)


@dataclass(frozen=True)
class Alternative:
    """A dialect, maybe of a library, or other values of the hyperparameters, with which every check agrees.

    options: all that differ from the rule's default dialect. values: hyperparameters that had to be others.
    libraries: that have this dialect. left_out: how many more there are beside it.
    """

    rule: str
    options: Options = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """What shows its equation."""
        return shown_by(self.rule, self.options)

    @property
    def spelled(self) -> str:
        """`epsilon='hat', maximize=True`."""
        return ", ".join(f"{axis}={option!r}" for axis, option in self.options.items())

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "rule": self.rule,
            "options": dict(self.options),
            "values": dict(self.values),
            "libraries": list(self.libraries),
            "command": self.command,
        }


def shown_by(rule: str, options: Options) -> str:
    """The command that shows a dialect."""
    chosen = (
        f" --option {axis}={str(o).lower() if isinstance(o, bool) else o}" for axis, o in options.items()
    )
    return f"optverify show {rule}" + "".join(chosen)


@dataclass(frozen=True)
class Verdict:
    """An optimizer beside a rule.

    subject: its name; rule, options: the dialect asked for (what differs from the default), of the library
    `like`; values: hyperparameter -> number, origin: where it comes from ("given", "its own", "default").
    outcomes: a check each. alternatives: what does match, where the rule does not. notes: what else was seen.
    """

    subject: str
    rule: str
    options: Options
    values: Mapping[str, float]
    origin: Mapping[str, str]
    outcomes: tuple[Outcome, ...]
    like: str | None = None
    alternatives: tuple[Alternative, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """True if nothing departs and something was run."""
        return bool(self.run) and not self.failed

    @property
    def run(self) -> tuple[Outcome, ...]:
        """The checks that could be run."""
        return tuple(o for o in self.outcomes if o.status != "not applicable")

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Those that departed or raised."""
        return tuple(o for o in self.outcomes if not o.ok)

    @property
    def ulps(self) -> float:
        """The largest error among the checks that agree, in units in the last place."""
        return max((o.ulps for o in self.run if o.status == "matches"), default=0.0)

    @property
    def name(self) -> str:
        """`adam`, `adam (epsilon='hat')` or `adam as torch has it`."""
        chosen = ", ".join(f"{axis}={option!r}" for axis, option in self.options.items())
        if self.like is not None:
            return f"{self.rule} as {self.like} has it" + (f" ({chosen})" if chosen else "")
        return f"{self.rule} ({chosen})" if chosen else self.rule

    @property
    def status(self) -> Status:
        """In a word, that of the worst outcome."""
        found = {o.status for o in self.run}
        order: tuple[Status, ...] = ("departs", "raises", "fails", "near miss", "matches")
        return next((status for status in order if status in found), "not applicable")

    def _repr_html_(self) -> str:
        return notebook.block(f"{self.subject}: {'✓' if self.ok else '✗'} {self.name}", notebook.text(self))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "subject": self.subject,
            "rule": self.rule,
            "like": self.like,
            "options": dict(self.options),
            "values": {n: {"value": _number(v), "from": self.origin[n]} for n, v in self.values.items()},
            "verdict": self.status,
            "ok": self.ok,
            "ulps": _number(self.ulps),
            "checks": [o.to_dict() for o in self.outcomes],
            "alternatives": [a.to_dict() for a in self.alternatives],
            "notes": list(self.notes),
            "explanation": str(self),
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        return "\n".join(self._agreement() if self.ok else self._explanation())

    # ---- text --------------------------------------------------------------------------------------------

    def _agreement(self) -> Iterator[str]:
        worst = max(self.run, key=lambda o: o.ulps)
        largest = f"largest error {self.ulps:.3g} ulps ({worst.check})"
        yield f"{self.subject} is {self.name}: {self.counted}, {largest}"
        near = [o.check for o in self.run if o.status == "near miss"]
        if near:
            yield _row("near miss", f"with some of its numbers in float32: {', '.join(near)}")
        yield from self._surroundings()

    @property
    def counted(self) -> str:
        """`17 of 18 checks agree`."""
        return f"{len(self.run) - len(self.failed)} of {len(self.run)} checks agree"

    def _explanation(self) -> Iterator[str]:
        if not self.run:
            yield f"{self.subject} could not be compared with {self.name}: no check could be run"
            yield from self._surroundings()
            return
        first = next((o for o in self.failed if o.status == "departs"), self.failed[0])
        d = first.departure
        if first.status != "departs" or d is None:
            verb = "stops in" if first.status == "raises" else "fails"
            yield f"{self.subject} {verb} check {first.check}: {first.detail}"
        else:
            yield f"{self.subject} departs from {self.name} at update {d.step}, {_where(d)}"
        yield _row("check", f"{first.check}: {first.shows}")
        if d is not None and d.of != "error":
            yield from _numbers(d, first.tolerance)
        yield _row("others", self._others(first))
        yield from self._surroundings()
        if any(o.status == "departs" for o in self.outcomes):
            yield from self._way_out()

    def _others(self, first: Outcome) -> str:
        rest = [o.check for o in self.failed if o is not first]
        return f"{self.counted}" + (
            f"; these depart too: {', '.join(rest)}" if rest else "; no other departs"
        )

    def _surroundings(self) -> Iterator[str]:
        """Values, notes and what was left out."""
        if self.values:
            by_origin: dict[str, list[str]] = {}
            for name, value in self.values.items():
                by_origin.setdefault(self.origin[name], []).append(f"{name}={value:g}")
            yield _row("with", "; ".join(f"{', '.join(v)} ({origin})" for origin, v in by_origin.items()))
        reasons: dict[str, list[str]] = {}
        for o in self.outcomes:
            if o.status == "not applicable":
                reasons.setdefault(o.detail, []).append(o.check)
        for reason, checks in reasons.items():
            yield _row("not run", f"{', '.join(checks)}: {reason}")
        for note in self.notes:
            yield _row("note", note)

    def _corrected(self, values: Mapping[str, float]) -> str:
        """`beta2=0.99 (it says 0.999)`."""
        words = {"its own": "it says", "given": "you said", "default": "the default is"}
        each = (
            f"{name}={value:.6g} ({words[self.origin[name]]} {self.values[name]:g})"
            for name, value in values.items()
        )
        return ", ".join(each)

    def _way_out(self) -> Iterator[str]:
        if not self.alternatives:
            yield _row("it is", f"no dialect of {self.rule} with these values; ov.diagnose looks further")
            yield _row("equation", shown_by(self.rule, self.options))
            return
        best, *more = self.alternatives
        if best.values:
            what = f"{self.name} with {self._corrected(best.values)}"
        else:
            known = f", the one of {_listed(best.libraries)}" if best.libraries else ""
            what = f"{best.rule} with {best.spelled or 'default options'}{known}"
        yield _row("it is", f"{what}: every check agrees")
        if more:
            others = "; ".join(a.spelled or "default options" for a in more[:3])
            yield _row("", f"or, not to be told apart here, one of {len(more)} more: {others}")
        yield _row("equation", best.command)


def _where(d: Departure) -> str:
    if d.of == "error":
        return f"parameter {d.param}"
    place = f", coordinate {list(d.coordinate)}" if d.coordinate else ""
    what = "where its gradient is taken: " if d.of == "point" else ""
    return f"{what}parameter {d.param}{place}"


def _numbers(d: Departure, tolerance: float) -> Iterator[str]:
    of = "(theta - its old value) / lr" if d.of == "update" else "(point of the gradient - theta) / lr"
    yield _row("expected", f"{d.expected:.15g}    {of}")
    yield _row("got", f"{d.got:.15g}    relative error {d.relative_error:.3g}, allowed {tolerance:.0e}")
    if not math.isfinite(d.got) and math.isfinite(d.expected):
        yield _row("", "the parameter is not finite any more")
    elif d.got * d.expected < 0:
        yield _row("", "it goes the other way")
    if d.line:
        yield _row("line", f"{d.line}    is the first whose value departs")


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _row(head: str, text: str) -> str:
    return f"  {head:<9} {text}"
