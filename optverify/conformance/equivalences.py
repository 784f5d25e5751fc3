"""Which dialects of a rule the probes tell apart, and why the others are one and the same.

`python -m optverify.conformance.equivalences` runs all dialects of all rules on the bank, proves every pair
that it does not tell apart, and writes `equivalent.json`; a pair without a proof is an error.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp

from optverify.conformance.probes import Probe, awkward, bank
from optverify.conformance.reference import Run, equations, run_rule, scale
from optverify.language import Option, Rule, beta2, momentum, t
from optverify.proof import NotProved, Refuted, show_equal
from optverify.rules import names
from optverify.rules import rule as rule_named
from optverify.views.closed import closed_form

Array = np.ndarray[Any, Any]
Options = Mapping[str, Option]

FORMAT, VERSION = "optverify equivalent dialects", 1
FILE = Path(__file__).with_name("equivalent.json")
APART = 1e-5
"""Two dialects are told apart by updates that differ by more than this, relative: float32 shows it, too."""


# ---- what the bank tells apart -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """All numbers of a run in a row. sizes: what a difference is relative to; rounding: what it explains."""

    numbers: Array
    sizes: Array
    rounding: Array

    @classmethod
    def of(cls, run: Run) -> Outcome:
        """The updates over lr and the points of the gradients, of all parameters."""
        rows: list[tuple[Array, Array, Array]] = []
        for i in range(len(run.params[0])):
            for numbers in (run.updates(i), run.offsets(i)):
                rows.append((numbers, *scale(run, i, numbers)))
        return cls(*(np.concatenate([np.ravel(row[k]) for row in rows]) for k in range(3)))

    def gap(self, other: Outcome) -> Array:
        """The largest relative difference, rounding aside; a number for each row of self."""
        with np.errstate(all="ignore"):
            noise = np.maximum(self.rounding, other.rounding)
            differ = np.maximum(np.abs(self.numbers - other.numbers) - noise, 0)
            ratio = np.where(differ > 0, differ / np.maximum(self.sizes, other.sizes), 0)
        both_nan = np.isnan(self.numbers) & np.isnan(other.numbers)
        ratio[(self.numbers == other.numbers) | both_nan] = 0
        return np.asarray(np.nan_to_num(ratio, nan=np.inf, posinf=np.inf).max(axis=-1))


@dataclass
class _Grouping:
    """Dialects by their outcome on one probe; the first of each group stands for it."""

    groups: list[list[Rule]]
    outcomes: list[Outcome]

    def add(self, dialect: Rule, outcome: Outcome) -> None:
        """Put it to those that do the same, or begin a group."""
        if self.groups:
            gaps = self._gaps(outcome)
            best = int(np.argmin(gaps))
            if gaps[best] <= APART:
                self.groups[best].append(dialect)
                return
        self.groups.append([dialect])
        self.outcomes.append(outcome)

    def _gaps(self, new: Outcome) -> Array:
        """How far it is from each group."""
        fields = ("numbers", "sizes", "rounding")
        return Outcome(*(np.stack([getattr(o, field) for o in self.outcomes]) for field in fields)).gap(new)


def groups(
    family: Rule, dialects: Iterable[Rule] | None = None, probes: Sequence[Probe] | None = None
) -> list[list[Rule]]:
    """The dialects, all by default, in groups that no probe tells apart; the first probe thins them out."""
    values = awkward(family)
    probes = bank(family, values, long=0) if probes is None else probes
    left = [list(family.dialects() if dialects is None else dialects)]
    alone: list[list[Rule]] = []
    for probe in probes:
        split: list[list[Rule]] = []
        for group in left:
            found = _Grouping([], [])
            for dialect in group:
                found.add(dialect, Outcome.of(run_rule(dialect, values, probe, states=False)))
            split += found.groups
        alone += [group for group in split if len(group) == 1]
        left = [group for group in split if len(group) > 1]
    return [*alone, *left]


def telling(
    one: Rule, other: Rule, values: Mapping[str, float], probes: Sequence[Probe] | None = None
) -> Probe | None:
    """The probe on which two dialects, with these hyperparameters, differ most; None if they do not.

    The rules may be any two that take the same inputs.
    """
    best: tuple[float, Probe | None] = (APART, None)
    for probe in bank(one, values, long=0) if probes is None else probes:
        pair = (Outcome.of(run_rule(r, values, probe, states=False)) for r in (one, other))
        gap = float(next(pair).gap(next(pair)))
        best = max(best, (gap, probe), key=lambda b: b[0])
    return best[1]


# ---- why some are one --------------------------------------------------------------------------------------


def prove(one: Rule, other: Rule) -> str:
    """Show that two dialects move theta alike for all gradients, rates and hyperparameters; says how.

    Raises NotProved.
    """
    failures = []
    for way in (_never_five, _one_step, _from_the_start, _scaled):
        try:
            _equal(one.gradient_point, other.gradient_point)
            return way(one, other)
        except (NotProved, Refuted) as failed:
            failures.append(f"{way.__name__[1:]}: {failed}")
    raise NotProved(f"{one.name}, {apart(one, other)}: " + "; ".join(failures))


def apart(one: Rule, other: Rule) -> str:
    """The options in which they differ, in words."""
    differ = [a for a, option in one.options.items() if option != other.options[a]]
    return ", ".join(f"{a} = {one.options[a]} or {other.options[a]}" for a in differ)


def _equal(left: sp.Expr, right: sp.Expr) -> None:
    """Equal for every truth of the conditions in them. Raises Refuted or NotProved."""
    conditions = sorted(
        {c for e in (left, right) for p in e.atoms(sp.Piecewise) for _, c in p.args if c != sp.true},
        key=sp.default_sort_key,
    )
    for truths in product((sp.true, sp.false), repeat=len(conditions)):
        case = dict(zip(conditions, truths, strict=True))
        show_equal(left.xreplace(case), right.xreplace(case), "one side")


def _common(one: Rule, other: Rule) -> list[str]:
    """Theta and the states that both keep. NotProved if a state of one alone counts for them."""
    mine, theirs = ({s.name for s in r.states} for r in (one, other))
    common = ["theta", *sorted(mine & theirs)]
    for rule in (one, other):
        stray = {s.before for s in rule.states if s.name not in common}
        if stray and any(_closed(rule)[name].free_symbols & stray for name in common):
            raise NotProved("their states differ")
    return common


@lru_cache(maxsize=1024)
def _closed(rule: Rule) -> dict[str, sp.Expr]:
    return closed_form(rule)


def _starts(rule: Rule) -> dict[sp.Symbol, sp.Expr]:
    return {s.before: sp.sympify(s.initial) for s in rule.states}


def _one_step(one: Rule, other: Rule) -> str:
    """Every update is the same function of the states, which start alike."""
    ours, theirs = _closed(one), _closed(other)
    for name in _common(one, other):
        _equal(ours[name], theirs[name])
        if name != "theta":
            _equal(*(sp.sympify(r.state(name).initial) for r in (one, other)))
    return "the closed forms of an update are equal"


def _from_the_start(one: Rule, other: Rule) -> str:
    """The first update is the same from the initial states, and every later one is."""
    ours, theirs = _closed(one), _closed(other)
    later = sp.Symbol("k", integer=True, positive=True) + 1
    for name in _common(one, other):
        first = [e.xreplace(_starts(r)).subs(t, 1) for e, r in ((ours[name], one), (theirs[name], other))]
        _equal(*first)
        _equal(ours[name].subs(t, later), theirs[name].subs(t, later))
    return "the first updates from the initial states are equal, and so are the closed forms of later ones"


def _scaled(one: Rule, other: Rule) -> str:
    """A state of one is a multiple of the other's, and theta does not see the factor."""
    share = sp.Symbol("share", nonnegative=True)
    below = {momentum: share / (1 + share)}  # momentum < 1 for all share >= 0
    ours, theirs = ({n: e.xreplace(below) for n, e in _closed(r).items()} for r in (one, other))
    (name,) = [n for n in _common(one, other) if n != "theta"][:1] or [""]
    if not name or any(s.initial != 0 for r in (one, other) for s in r.states) or len(ours) > 2:
        raise NotProved("no single state that starts at 0")
    state = one.state(name).before
    factor = sp.cancel(ours[name].xreplace({state: 0}) / theirs[name].xreplace({state: 0}))
    if factor.free_symbols - {share} or not factor.is_positive:
        raise NotProved(f"{name} is no multiple")
    seen = {n: e.xreplace({state: factor * state}) for n, e in ours.items()}
    _equal(seen[name], factor * theirs[name])
    _equal(_signs(seen["theta"]), _signs(theirs["theta"]))
    multiple = sp.factor(factor.xreplace({share: momentum / (1 - momentum)}))
    return f"{name} of the one is {multiple} times that of the other, and theta reads its sign alone"


def _signs(e: sp.Expr) -> sp.Expr:
    """Signs without their positive factors."""
    return e.replace(lambda x: isinstance(x, sp.sign), lambda x: sp.sign(sp.factor(x.args[0])))


def _never_five(one: Rule, other: Rule) -> str:
    """They differ where RAdam's rho_t is 5 alone, which it is for no rational beta2, hence for no float.

    (rho_t - 5)(1 - beta2^t)/2 is the polynomial (3 beta2 - 2)(1 + ... + beta2^(t-1)) - t beta2^t, with whole
    coefficients and the constant -2. The numerator of a rational root divides 2, so a root in (0, 1) is at
    most 2/3; there both terms are at most 0 and the second is not 0. At beta2 = 0 it is -2.
    """
    rho = next((lhs for lhs, _ in one.assignments if lhs.name == "rho_t"), None)
    if rho is None:
        raise NotProved("no rho_t")
    weak = {rho > 5: rho >= 5}
    ours, theirs = ([(lhs, rhs.xreplace(weak)) for lhs, rhs in r.assignments] for r in (one, other))
    if ours != theirs or _starts(one) != _starts(other):
        raise NotProved("they differ elsewhere")
    length: sp.Expr = rho
    for lhs, rhs in reversed(one.assignments):
        length = length.xreplace({lhs: rhs})
    _show_polynomial(length)
    return "they differ at rho_t = 5 alone, and rho_t = 5 has no rational solution beta2 in [0, 1)"


@lru_cache(maxsize=64)
def _show_polynomial(length: sp.Expr) -> None:
    """rho_t is what the proof says of it."""
    left = (length - 5) * (1 - beta2**t) / 2
    show_equal(left, (3 * beta2 - 2) * (1 - beta2**t) / (1 - beta2) - t * beta2**t, "the polynomial of rho_t")


# ---- the list ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Alike:
    """Options that make no difference.

    where: axis -> the options of other axes for which that is so; axes not named: all. options: each says
    what differs; because: the proof in words.
    """

    rule: str
    where: Mapping[str, Sequence[Option]]
    options: Sequence[Options]
    because: str

    def applies(self, dialect: Options) -> bool:
        """True for a dialect that is one of them."""
        elsewhere = all(dialect[axis] in allowed for axis, allowed in self.where.items())
        return elsewhere and any(o.items() <= dialect.items() for o in self.options)


@lru_cache(maxsize=1)
def listed() -> dict[str, tuple[Alike, ...]]:
    """Rule -> what makes no difference, from equivalent.json; ValueError for another format."""
    data = json.loads(FILE.read_text("utf-8"))
    if (data.get("format"), data.get("version")) != (FORMAT, VERSION):
        raise ValueError(f"{FILE} is not a file of {FORMAT}, version {VERSION}: write it anew")
    return {
        name: tuple(Alike(name, a["where"], a["options"], a["because"]) for a in found["alike"])
        for name, found in data["rules"].items()
    }


def alike(dialect: Rule) -> tuple[tuple[Rule, str], ...]:
    """Every other dialect of its rule that no probe tells from it, and why."""
    found = []
    for entry in listed().get(dialect.name, ()):
        if entry.applies(dialect.options):
            others = ({**dialect.options, **options} for options in entry.options)
            found += [(dialect.dialect(**o), entry.because) for o in others if o != dialect.options]
    return tuple(found)


def pairs(family: Rule) -> Iterator[tuple[Rule, Rule, str]]:
    """Every listed pair of dialects that are one, with the proof in words."""
    for dialect in family.dialects():
        seen = list(dialect.options.items())
        for other, because in alike(dialect):
            if str(seen) < str(list(other.options.items())):
                yield dialect, other, because


def summary(family: Rule, found: Sequence[Sequence[Rule]]) -> dict[str, Any]:
    """The entry of a rule in equivalent.json. Raises NotProved for a group without a proof."""
    kinds: dict[tuple[str, ...], list[Sequence[Rule]]] = {}
    proofs: dict[tuple[str, ...], set[str]] = {}
    for group in found:
        if len(group) > 1:
            key = tuple(json.dumps(o) for o in _differing(group))
            kinds.setdefault(key, []).append(group)
            proofs.setdefault(key, set()).update(prove(group[0], other) for other in group[1:])
    entries = [
        {
            "where": _where(family, members, json.loads(key[0])),
            "options": [json.loads(o) for o in key],
            "because": "; ".join(sorted(proofs[key])),
        }
        for key, members in kinds.items()
    ]
    return {
        "dialects": sum(map(len, found)),
        "told_apart": len(found),
        "fingerprint": fingerprint(family),
        "alike": entries,
    }


def _differing(group: Sequence[Rule]) -> list[dict[str, Option]]:
    """What differs in a group: an axis -> option for each member."""
    axes = [a.name for a in group[0].axes if len({str(d.options[a.name]) for d in group}) > 1]
    return [{axis: d.options[axis] for axis in axes} for d in group]


def _where(family: Rule, members: Sequence[Sequence[Rule]], differing: Options) -> dict[str, list[Option]]:
    """The options of the other axes, where they are not all."""
    made: dict[str, list[Option]] = {}
    for axis in family.axes:
        if axis.name not in differing:
            used = {str(group[0].options[axis.name]) for group in members}
            options = [o for o in axis.options if str(o) in used]
            if len(options) < len(axis.options):
                made[axis.name] = options
    return made


def fingerprint(family: Rule) -> str:
    """What the groups of a rule depend on: its equations, one axis changed at a time, and its probes."""
    values = awkward(family)
    made = hashlib.sha256(repr(sorted(values.items())).encode())
    for dialect in family.dialects(changed=1):
        made.update(equations(dialect).source.encode())
    for probe in bank(family, values, long=0):
        given = [x for step in probe.steps for x in (*step.grads, step.lr, step.inputs)]
        made.update(_rounded([probe.name, *probe.params, *given]).encode())
    return made.hexdigest()[:16]


def _rounded(x: Any) -> str:
    """Numbers to nine digits: the last ones depend on the machine."""
    if isinstance(x, Mapping):
        return ", ".join(f"{name}: {_rounded(value)}" for name, value in x.items())
    if isinstance(x, (list, tuple)):
        return " ".join(map(_rounded, x))
    return x if isinstance(x, str) else "None" if x is None else " ".join(f"{n:.9g}" for n in np.ravel(x))


def write() -> None:
    """Run every dialect of every rule, prove what the bank does not tell apart, and write the file."""
    rules = {name: summary(rule_named(name), groups(rule_named(name))) for name in names()}
    data = {"format": FORMAT, "version": VERSION, "rules": rules}
    FILE.write_text(json.dumps(data, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    write()
