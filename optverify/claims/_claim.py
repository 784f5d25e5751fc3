"""A claim, what it is about, and how it is decided."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import sympy as sp

from optverify.formulas import notebook
from optverify.language import Rule, ScheduleFamily, Source
from optverify.proof import Missing, NotProved, Refuted
from optverify.rules import rule
from optverify.schedules import registry as schedules

Verdict = Literal["holds", "holds under conditions", "refuted", "not decided", "error"]
Evidence = Literal[
    "proved",
    "decided by SMT",
    "exact certificate",
    "exact enumeration",
    "interval arithmetic",
    "numerical",
    "none",
]
"""Classes of evidence, strongest first.

proved: for symbolic t and hyperparameters, by exact algebra. exact certificate: numbers that anyone can
check, in rationals: a counterexample, or multipliers up to a stated horizon. exact enumeration: each of
finitely many cases, exactly. none: nothing was decided.
"""


@dataclass(frozen=True)
class Decision:
    """What a check found. detail: what was derived, or the exact counterexample, in words."""

    verdict: Verdict
    evidence: Evidence
    detail: str


def holds(detail: str, evidence: Evidence = "proved") -> Decision:
    """The statement is true wherever its scope reaches."""
    return Decision("holds", evidence, detail)


def holds_under_conditions(detail: str, evidence: Evidence = "proved") -> Decision:
    """The textbook sentence is true under the conditions that the statement names, and false without them."""
    return Decision("holds under conditions", evidence, detail)


def refuted(detail: str, evidence: Evidence = "exact certificate") -> Decision:
    """The textbook sentence is false; detail holds the counterexample."""
    return Decision("refuted", evidence, detail)


@dataclass(frozen=True)
class Subject:
    """A rule in a dialect, or a schedule, by name."""

    kind: Literal["rule", "schedule"]
    name: str
    options: tuple[tuple[str, Any], ...] = ()

    def load(self) -> Rule | ScheduleFamily:
        """The rule or the schedule as the registry has it."""
        return _loaded(self)


@cache
def _loaded(subject: Subject) -> Rule | ScheduleFamily:
    if subject.kind == "rule":
        return rule(subject.name, **dict(subject.options))
    return schedules.get(subject.name)


def about(name: str, **dialect: Any) -> Subject:
    """The rule of that name in this dialect."""
    return Subject("rule", name, tuple(dialect.items()))


def about_schedule(name: str) -> Subject:
    """The schedule of that name."""
    return Subject("schedule", name)


def trial_values(rule: Rule) -> dict[str, sp.Rational]:
    """Numbers for its hyperparameters, all different and in their ranges: 1/2 for lr, 1/3, 1/4, ..."""
    return {h.name: sp.Rational(1, k) for k, h in enumerate(rule.hyperparameters, 2)}


def trial_in_words(rule: Rule) -> str:
    """The trial values as `lr = 1/2, momentum = 1/3`."""
    return ", ".join(f"{name} = {value}" for name, value in trial_values(rule).items())


def in_scope(rule: Rule, **options: Any) -> None:
    """Raise NotProved for a dialect that the statement is not about; mutants keep their options."""
    for axis, option in options.items():
        if axis not in rule.options:
            raise NotProved(f"the statement is about {axis} = {option!r}, and {rule.name} has no such axis")
        if (chosen := rule.options[axis]) != option:
            raise NotProved(f"the statement is about {axis} = {option!r}, not {chosen!r}")


@dataclass(frozen=True)
class Claim:
    r"""A sentence from the textbooks, made precise and decided.

    id: like `gd.convex.rate`. title: the sentence as a textbook says it. statement: LaTeX, what is decided.
    scope: what it covers (dimension, convexity, noise, horizon). topic: the name of its file.
    subjects: parameter of the check -> the rule or schedule it is handed. expected, evidence: the verdict
    known to be right, and on what it rests. corrected_by: for a refuted sentence, the id of the claim that
    proves what is true instead, where one is known. needs: the extra without which it cannot be run, "pep"
    for slow ones. family: what the claims about one rule each have in common, `property.first_step` of
    `property.first_step.adam`; its own id for one that stands alone. check: derives a Decision from the
    subjects alone.
    """

    id: str
    title: str
    statement: str
    scope: str
    sources: tuple[Source, ...]
    topic: str
    subjects: tuple[tuple[str, Subject], ...]
    expected: Verdict
    evidence: Evidence
    check: Callable[..., Decision] = field(repr=False, compare=False)
    corrected_by: str = ""
    needs: str = ""
    family: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "family", self.family or self.id)

    @property
    def rules(self) -> tuple[str, ...]:
        """Names of the rules it is about, each once."""
        return self._names("rule")

    @property
    def schedules(self) -> tuple[str, ...]:
        """Names of the schedules it is about, each once."""
        return self._names("schedule")

    def _names(self, kind: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(s.name for _, s in self.subjects if s.kind == kind))

    def decide(self, **changed: Rule | ScheduleFamily) -> Result:
        """Decide the claim, about its own subjects or, where named, a changed one: `decide(rule=mutant)`.

        Never raises for what a check does: a failed step gives "not decided", an exception "error".
        """
        known = [name for name, _ in self.subjects]
        for name in changed:
            if name not in known:
                raise TypeError(f"claim {self.id!r} has no subject {name!r}; it has {', '.join(known)}")
        began, missing = time.perf_counter(), ""
        try:
            handed = {name: changed.get(name) or subject.load() for name, subject in self.subjects}
            decision = self.check(**handed)
        except Refuted as found:
            decision = refuted(str(found))
        except NotProved as failed:
            missing = failed.extra if isinstance(failed, Missing) else ""
            decision = Decision("not decided", "none", str(failed))
        except Exception as failed:  # one broken check must not hide the others
            decision = Decision("error", "none", f"{type(failed).__name__}: {failed}")
        seconds = time.perf_counter() - began
        return Result(self, decision.verdict, decision.evidence, decision.detail, seconds, missing)


@dataclass(frozen=True)
class Result:
    """A decided claim. verdict, evidence: what was found now; detail: why; seconds: how long it took.

    missing: the extra whose absence left it undecided, if that is why.
    """

    claim: Claim
    verdict: Verdict
    evidence: Evidence
    detail: str
    seconds: float
    missing: str = ""

    @property
    def ok(self) -> bool:
        """True when the verdict is the one known to be right."""
        return self.verdict == self.claim.expected

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.claim.statement}$"

    def _repr_html_(self) -> str:
        c = self.claim
        verdict = f"{notebook.GLYPHS[self.verdict]} {self.verdict}, {self.evidence}"
        facts = [("id", c.id), ("scope", c.scope), ("why", self.detail), *(("source", s) for s in c.sources)]
        return notebook.block(
            c.title, verdict, notebook.formula(c.statement), notebook.table(("", ""), facts)
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        c = self.claim
        return {
            "id": c.id,
            "topic": c.topic,
            "title": c.title,
            "statement": c.statement,
            "scope": c.scope,
            "sources": [str(s) for s in c.sources],
            "rules": list(c.rules),
            "schedules": list(c.schedules),
            "corrected_by": c.corrected_by,
            "expected": c.expected,
            "verdict": self.verdict,
            "evidence": self.evidence,
            "detail": self.detail,
            "missing": self.missing,
            "seconds": self.seconds,
            "ok": self.ok,
        }


def claim(
    id: str,
    title: str,
    *,
    statement: str,
    scope: str,
    sources: list[Source],
    expected: Verdict = "holds",
    evidence: Evidence = "proved",
    corrected_by: str = "",
    needs: str = "",
    **subjects: Subject,
) -> Callable[[Callable[..., Decision]], Claim]:
    """Make a Claim of the check below; further keywords are its parameters and what they are handed."""

    def make(check: Callable[..., Decision]) -> Claim:
        topic = check.__module__.rpartition(".")[2]
        return Claim(
            id,
            title,
            statement,
            scope,
            tuple(sources),
            topic,
            tuple(subjects.items()),
            expected,
            evidence,
            check,
            corrected_by,
            needs,
        )

    return make
