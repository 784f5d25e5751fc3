"""What a diagnosis says: a rule, its dialect, its constants; what is wrong; in words and for JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from optverify.conformance.reference import Departure
from optverify.conformance.spoken import constant
from optverify.conformance.verdict import shown_by
from optverify.formulas import notebook
from optverify.language import Option

FORMAT, VERSION = "optverify diagnosis", 1
Kind = Literal["matches", "near miss", "fault", "unknown", "fails"]


@dataclass(frozen=True)
class Other:
    """A dialect, or another rule, that cannot be told from the one that was found, and why."""

    rule: str
    options: Mapping[str, Option]
    why: str

    def __str__(self) -> str:
        spelled = ", ".join(f"{a}={o!r}" for a, o in self.options.items())
        return f"{self.rule}{' with ' + spelled if spelled else ''}: {self.why}"


@dataclass(frozen=True)
class Named:
    """Something wrong. kind: a word or two; text: a sentence; line: the line as it reads in the box."""

    kind: str
    text: str
    line: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """What a box is.

    kind: "matches" a rule, "near miss" (with some numbers in float32), "fault" (a rule with what is named in
    faults), "unknown" (the nearest rule is named), "fails" (it raises, or cannot be driven). sentence: rule,
    dialect and constants in words. values: the constants; passed: those the user passed; sure: how sure.
    others: what cannot be told apart. departure: the first from the nearest rule. notes: what else was seen.
    """

    subject: str
    kind: Kind
    sentence: str
    rule: str | None = None
    options: Mapping[str, Option] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)
    passed: Mapping[str, float] = field(default_factory=dict)
    first_t: int = 1
    sure: str = ""
    others: tuple[Other, ...] = ()
    faults: tuple[Named, ...] = ()
    departure: Departure | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """True if it is a known rule and nothing is wrong with it."""
        return self.kind in ("matches", "near miss") and not self.faults

    @property
    def command(self) -> str:
        """What shows its equations."""
        return shown_by(self.rule, self.options) if self.rule else ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        d = self.departure
        return {
            "format": FORMAT, "version": VERSION, "subject": self.subject, "kind": self.kind, "ok": self.ok,
            "sentence": self.sentence, "rule": self.rule, "options": dict(self.options),
            "values": {n: _plain(v) for n, v in self.values.items()},
            "passed": {n: _plain(v) for n, v in self.passed.items()},
            "first_t": self.first_t, "sure": self.sure,
            "others": [{"rule": o.rule, "options": dict(o.options), "why": o.why} for o in self.others],
            "faults": [{"kind": f.kind, "text": f.text, "line": f.line} for f in self.faults],
            "departure": d and {"update": d.step, "parameter": d.param, "coordinate": list(d.coordinate),
                                "of": d.of, "expected": _plain(d.expected), "got": _plain(d.got),
                                "relative_error": _plain(d.relative_error)},
            "command": self.command, "notes": list(self.notes), "seconds": round(self.seconds, 3),
        }  # fmt: skip

    def _repr_html_(self) -> str:
        return notebook.block(self.subject, notebook.text(self))

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.subject}: {self.sentence}"
        for fault in self.faults:
            yield _row("fault", f"{fault.kind}: {fault.text}")
            if fault.line and fault.line not in fault.text:
                yield _row("", f"the line reads {fault.line}")
        if self.rule:
            spelled = ", ".join(f"{a}={o!r}" for a, o in self.options.items())
            nearest = "nearest" if self.kind == "unknown" else "rule"
            yield _row(nearest, f"{self.rule}{', ' + spelled if spelled else ''}    {self.command}")
        if self.values:
            yield _row("constants", ", ".join(constant(n, v, self.passed) for n, v in self.values.items()))
        if self.departure is not None:
            yield from _departed(self.departure)
        if self.sure:
            yield _row("sure", self.sure)
        for k, other in enumerate(self.others[:4]):
            yield _row("" if k else "or", str(other))
        if len(self.others) > 4:
            yield _row("", f"and {len(self.others) - 4} more that cannot be told apart")
        for note in self.notes:
            yield _row("note", note)


def _plain(x: float) -> float | str:
    return x if math.isfinite(x) else str(x)


def _row(head: str, text: str) -> str:
    return f"  {head:<9} {text}"


def _departed(d: Departure) -> Iterator[str]:
    where = f", coordinate {list(d.coordinate)}" if d.coordinate else ""
    yield _row("departs", f"at update {d.step}, parameter {d.param}{where}")
    if d.of != "error":
        of = "(theta - its old value) / lr" if d.of == "update" else "(point of the gradient - theta) / lr"
        yield _row("", f"expected {d.expected:.12g}, got {d.got:.12g}    {of}")
