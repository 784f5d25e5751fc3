"""What a verdict depends on, as one key: the same content gives the same key, any change another one.

The recurrence counts, not the file it stands in: a comment in a rule file changes nothing. Of a claim, its
topic file counts and those it imports from; and everything that proofs are made with.
"""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import sympy as sp

from optverify.claims import Claim
from optverify.language import Rule, ScheduleFamily

ROOT = Path(__file__).parents[1]
TOOLS = ("language", "views", "proof", "backends", "problems", "training")
"""Folders whose every file a claim may rest on."""
IMPORT = re.compile(r"^from optverify\.claims(?:\.(\w+))? import (\([^)]*\)|.*)", re.MULTILINE)
LIBRARIES = (
    "sympy",
    "mpmath",
    "numpy",
    "autograd",
    "z3-solver",
    "python-flint",
    "PEPit",
    "cvxpy",
    "clarabel",
)
"""Distributions that a verdict may rest on; one that is not installed counts as that."""


def digest(parts: Iterable[str | bytes]) -> str:
    """SHA-256 of the parts, each with its length, so that none runs into the next."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


@cache
def tools_key() -> str:
    """Everything that proofs are made with: sources, the data beside the claims, libraries, Python."""
    files = [p for folder in TOOLS for p in sorted((ROOT / folder).rglob("*")) if p.suffix in {".py", ".j2"}]
    files += sorted((ROOT / "steps").glob("_*.py")) + sorted((ROOT / "claims").glob("_*.py"))
    files += sorted((ROOT / "claims").rglob("*.json"))
    named = (part for p in files for part in (str(p.relative_to(ROOT)), p.read_bytes()))
    return digest([platform.python_version(), *(f"{name} {_version(name)}" for name in LIBRARIES), *named])


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


@cache
def topic_key(topic: str) -> str:
    """The file of a topic, and those of other topics it imports from."""
    pending, seen = [topic], set[str]()
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending += _imported_topics(name)
    return digest(part for name in sorted(seen) for part in (name, _source(name)))


@cache
def _source(topic: str) -> str:
    path = ROOT / "claims" / f"{topic}.py"
    return path.read_text(encoding="utf-8") if path.exists() else ""


@cache
def _imported_topics(topic: str) -> list[str]:
    """Names after `from optverify.claims`, be they of topics or, harmlessly, of what they hold."""
    found = []
    for below, names in IMPORT.findall(_source(topic)):
        found += [below] if below else re.findall(r"\w+", names)
    return found


@lru_cache(maxsize=4096)
def rule_key(rule: Rule) -> str:
    """A rule in one dialect: recurrence, states, hyperparameters with their ranges, and its step on disk."""
    hyperparameters = [f"{h.name} {h.symbol!r} {h.default} {h.domain}" for h in rule.hyperparameters]
    states = [f"{s} {sp.srepr(sp.sympify(s.initial))} {s.scalar} {s.side}" for s in rule.states]
    lines = [f"{sp.srepr(lhs)} = {sp.srepr(rhs)}" for lhs, rhs in rule.assignments]
    step = ROOT / "steps" / f"{rule.name}.py"
    return digest([
        rule.name, str(sorted(rule.options.items())), sp.srepr(rule.gradient_point),
        *hyperparameters, *states, *lines, step.read_bytes() if step.exists() else b"",
    ])  # fmt: skip


def schedule_key(family: ScheduleFamily) -> str:
    """A schedule: its lines and what stands in them."""
    lines = [f"{sp.srepr(lhs)} = {sp.srepr(rhs)}" for lhs, rhs in family.lines()]
    return digest(
        [family.name, *(f"{h.name} {h.default} {h.domain}" for h in family.hyperparameters), *lines]
    )


def claim_key(claim: Claim) -> str:
    """A claim about its own subjects."""
    subjects = []
    for name, subject in claim.subjects:
        loaded = subject.load()
        subjects += [name, rule_key(loaded) if isinstance(loaded, Rule) else schedule_key(loaded)]
    return digest(["claim", claim.id, claim.expected, tools_key(), topic_key(claim.topic), *subjects])
