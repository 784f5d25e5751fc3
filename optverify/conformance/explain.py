"""Nothing fits: which single fault in the nearest rules gives every update of the box?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import sympy as sp

from optverify.conformance import names
from optverify.conformance.batch import batched
from optverify.conformance.candidates import WITHIN, couples
from optverify.conformance.faults import Fault, factors, faults
from optverify.conformance.fit import FAR, Fit, fit, made, residuals, screened, stretched
from optverify.conformance.looking import Seen, direction
from optverify.conformance.model import COUPLED, FLAT, PLAIN, SHRINK, Model, Record, Values
from optverify.conformance.patience import Patience
from optverify.conformance.rounding import in_few_bits
from optverify.conformance.search import Found
from optverify.conformance.shrinking import decays
from optverify.conformance.slips import guarded, over_all, placed, slips
from optverify.language import Rule, weight_decay
from optverify.language.wrappers import WRAPPERS

Array = np.ndarray[Any, Any]

FAINT = 1e-7
"""Decay of this size is that of rounding."""
CLIPS = ("clip_by_norm", "clip_by_value")
LIKELY = 4
"""Dialects, but for the place of epsilon, that come before all others."""
CLOSE = 0.05
"""What most updates are off, where gradients are about 1, with a slip and epsilon in another place."""
LAST = "own schedule"
"""The kind of fault that gives nearly everything: only if there is no other."""


@dataclass(frozen=True)
class Explained:
    """A fault that gives every update of a box. fit: with its constants; others: faults that do, too."""

    fault: Fault
    fit: Fit
    others: tuple[Fault, ...] = ()

    @property
    def rule(self) -> Rule:
        """The rule it is a fault of."""
        return self.fit.model.rule


# ---- with the constants that the box shows -----------------------------------------------------------------


def as_passed(
    seen: Seen, near: Sequence[Fit], patience: Patience, hints: Sequence[str] = ()
) -> Explained | None:
    """The fault that explains the box with its constants as they were passed, in one of these dialects.

    First what can go wrong with any line, then slips in the lines; in the likeliest dialects, then in the
    others. hints: names of rules that come first.
    """
    told = _told(seen)
    near = [f if told else _bare(f) for f in near if not f.model.rule.inputs]
    early = [r.first(4) for r in seen.records]
    groups = _but_for_epsilon(near)
    groups.sort(key=lambda group: _likelihood(seen, group[0].model.rule, hints))
    later: list[Fit] = []
    for some in (groups[:LIKELY], groups[LIKELY:]):
        for target in (f for group in some for f in group):
            tried = _Exactly(seen, early, target, patience)
            if (answer := tried.answer(_driven(target.model.rule))) is not None:
                return answer
        for group in some:
            for k, target in enumerate(group):
                answer, close = _slipped(seen, early, target, patience)
                if answer is not None:
                    return answer
                if not close:
                    later += group[k + 1 :]
                    break
        if (answer := _first(_slipped(seen, early, f, patience)[0] for f in later)) is not None:
            return answer
        later.clear()
    return None


def _first(answers: Iterable[Explained | None]) -> Explained | None:
    return next((a for a in answers if a is not None), None)


def _told(seen: Seen) -> float:
    """The weight decay that was passed."""
    return seen.shown.get("weight_decay", seen.shown.get("wd", 0.0))


def _likelihood(seen: Seen, rule: Rule, hints: Sequence[str]) -> tuple[bool, ...]:
    """Hinted rules first, then those with few slips; where decay was passed, those with it in their lines."""
    within = rule.options.get("weight_decay_form") in WITHIN
    return rule.name not in hints, not _alone(seen, rule), bool(_told(seen)) and not within


def _alone(seen: Seen, rule: Rule) -> bool:
    """Is the box coupled and the rule not, so that only a norm over coordinates can be what went wrong?"""
    return bool(seen.coupled) and not couples(rule)


def _but_for_epsilon(near: Sequence[Fit]) -> list[list[Fit]]:
    """The dialects in groups that differ in the place of epsilon alone, which gradients of 1 hardly show.

    In each the one with fewer options away from the default comes first.
    """
    groups: dict[tuple[Any, ...], list[Fit]] = {}
    for f in near:
        rule = f.model.rule
        options = tuple((a, o) for a, o in rule.options.items() if a != "epsilon")
        groups.setdefault((rule.name, options), []).append(f)
    for group in groups.values():
        group.sort(key=lambda f: len(f.model.rule.changed_options))
    return list(groups.values())


def _slipped(
    seen: Seen, early: Sequence[Record], target: Fit, patience: Patience
) -> tuple[Explained | None, bool]:
    """The slip in the lines of one dialect; and whether one comes close, so that its siblings may have it."""
    told = _told(seen)
    rule = target.model.rule
    ways = [(decayed, _decay_slips(decayed.model.rule)) for decayed in _with_decay(target, told)]
    ways += [(_bare(target, told), placed(rule))] if told else []
    close = False
    for here, known in (*(() if _alone(seen, rule) else ways), (target, _slips(seen, rule))):
        tried = _Exactly(seen, early, here, patience)
        if (answer := tried.answer(known)) is not None:
            return answer, True
        close = close or tried.nearest[0] < CLOSE
    return None, close


def _slips(seen: Seen, rule: Rule) -> Iterator[Fault]:
    """What can go wrong in a line; norms where coordinates act on each other, and none but these there."""
    return over_all(rule) if _alone(seen, rule) else slips(rule)


def _bare(near: Fit, told: float = 0.0) -> Fit:
    """The same without the decay that was fitted beside it; with what was passed for it."""
    values = {n: v for n, v in near.values.items() if n not in SHRINK}
    return replace(
        near,
        model=replace(near.model, shrinks=(), share=0.0),
        values={**values, "weight_decay": told} if told else values,
    )


def _decay_slips(rule: Rule) -> Iterator[Fault]:
    """Slips in the lines where weight decay stands."""
    return (f for f in slips(rule) if weight_decay in _changed_line(rule, f).free_symbols)


def _driven(rule: Rule) -> Iterator[Fault]:
    return (f for f in faults(rule) if f.kind != LAST)


@dataclass(frozen=True)
class _Exactly:
    """Faults in one dialect, with the same constants. early: the first updates of all records; nearest: what
    most updates are off with the slip that came nearest.
    """

    seen: Seen
    early: Sequence[Record]
    near: Fit
    patience: Patience
    nearest: list[float] = field(default_factory=lambda: [np.inf])

    def answer(self, known: Iterable[Fault]) -> Explained | None:
        """The first fault that gives every update, and others that do."""
        exact: list[tuple[Fault, Fit]] = []
        for fault in known:
            if self.patience.gone:
                break
            exact += self.each(fault)
        if not exact:
            return None
        (first, best), *others = exact
        return Explained(first, best, tuple(f for f, _ in others[:3]))

    def each(self, fault: Fault) -> Iterator[tuple[Fault, Fit]]:
        """The fault with the same constants, if it gives all updates; where it is NaN, with guarded roots."""
        price, found = self.priced(fault)
        if found is not None:
            yield fault, found
        elif price >= FAR and fault.twist is PLAIN:
            for other in guarded(fault):
                if (found := self.priced(other)[1]) is not None:
                    yield other, found

    def priced(self, fault: Fault) -> tuple[float, Fit | None]:
        """How far the first updates are off with a fault; with the same constants, if it gives all."""
        try:
            model = _with_fault(self.near, fault)
            known = _known(self.seen, model)
            values = {n: known.get(n, self.near.values[n]) for n in model.names}
            if "lr" in values and "lr" not in known:
                values = stretched(model, self.seen.records, values)
            rows = {n: np.array([v]) for n, v in values.items()}
            off = np.abs(residuals(model, self.early, rows))[0]
            if off.max() > self.near.good:
                self.nearest[0] = min(self.nearest[0], _mostly(off, self.early))
                return float(off.max()), None
            found = made(model, self.seen.records, values)
        except Exception:  # a slip that cannot be run (a complex number, another shape) did not happen
            return np.inf, None
        if found.matches:
            return float(off.max()), found
        later = np.abs(residuals(model, self.seen.records, rows))[0]
        self.nearest[0] = min(self.nearest[0], _mostly(later, self.seen.records))
        return float(later.max()), None


def _mostly(off: Array, records: Sequence[Record]) -> float:
    """What most of the updates are off on the probe whose gradients are about 1."""
    ends = np.cumsum([r.moves.size for r in records])
    parts = dict(zip((r.name for r in records), np.split(off, ends[:-1]), strict=True))
    return float(np.quantile(parts["placed"], 0.8)) if "placed" in parts else np.inf


def _with_fault(near: Fit, fault: Fault) -> Model:
    m = near.model
    return Model(fault.rule, batched(fault.rule), m.sign, m.shrinks, fault.twist, m.share)


def _with_decay(near: Fit, told: float) -> Iterator[Fit]:
    """The same rule, with the decay that was passed in a line of its own."""
    rule = near.model.rule
    forms = next((a.options for a in rule.axes if a.name == "weight_decay_form"), ())
    if told and rule.options.get("weight_decay_form") not in WITHIN:
        for form in ("decoupled", "coupled"):
            if form in forms:
                yield _decayed(near, form, told)


def _decayed(near: Fit, form: str, size: float) -> Fit:
    rule = near.model.rule
    dialect = rule.dialect(**{**rule.options, "weight_decay_form": form})
    values = {**near.values, "weight_decay": size}
    model = Model(dialect, batched(dialect), near.model.sign)
    return replace(near, model=model, values={n: values[n] for n in model.names})


# ---- with any constants ------------------------------------------------------------------------------------


def explained(seen: Seen, near: Iterable[Fit], patience: Patience) -> Explained | None:
    """The fault that explains the box, in one of these dialects; None if no single one does."""
    last: Explained | None = None
    for target in near:
        for answer in (
            _of(seen, target, _faults(target.model.rule), patience),
            _in_decay(seen, target, patience),
        ):
            if answer is not None and answer.fault.kind != LAST:
                return answer
            if answer is not None and last is None and _falls(answer, seen):
                last = answer
    return last


def _falls(answer: Explained, seen: Seen) -> bool:
    """Is it a schedule that changes, with constants that somebody would choose?"""
    rates = own_rates(answer.fit, seen)
    return not np.allclose(rates, rates[0], rtol=1e-6) and not implausible(answer.fit, seen, ("lr",))


def targets(seen: Seen, found: Found, hints: Sequence[Rule]) -> list[Fit]:
    """The dialects in which a fault is looked for: what the box says it is, then what comes nearest."""
    chosen: dict[Rule, Fit] = {f.model.rule: f for f in (_start(seen, rule) for rule in hints)}
    agreeing = [f for f in found.nearest if f.model.rule.name in found.agreeing]
    for near in (*agreeing[:1], *found.nearest[:2], *agreeing, *found.nearest):
        chosen.setdefault(near.model.rule, near)
    return list(chosen.values())


def _start(seen: Seen, rule: Rule) -> Fit:
    model = Model(rule, batched(rule), direction(seen.records))
    starts = screened(model, seen.records, _known(seen, model), 24)
    return fit(model, seen.records, starts[0][1], rounds=4, robust=True)


def _known(seen: Seen, model: Model) -> Values:
    told = names.ours(model.rule, seen.shown, seen.library)
    return {n: v for n, v in told.items() if n in model.names}


def _in_decay(seen: Seen, near: Fit, patience: Patience) -> Explained | None:
    """Faults in weight decay: of the dialects of the rule that have it, in the lines where it stands."""
    rule = near.model.rule
    forms = next((a.options for a in rule.axes if a.name == "weight_decay_form"), {})
    told = _told(seen)
    if weight_decay in {h.symbol for h in rule.hyperparameters} or not any(
        d.names for d in decays(seen.records)
    ):
        return None
    size = told or max(1e-3, *(abs(near.values.get(n, 0.0)) for n in SHRINK))
    for form in ("decoupled", "coupled"):
        if form not in forms:
            continue
        here = _decayed(near, form, size)
        if (answer := _of(seen, here, _decay_slips(here.model.rule), patience)) is not None:
            return answer
    return None


def _changed_line(rule: Rule, fault: Fault) -> sp.Expr:
    pairs = zip(rule.assignments, fault.rule.assignments, strict=False)
    return next((old for (_, old), (_, new) in pairs if old != new), sp.S.Zero)


def _of(seen: Seen, near: Fit, known: Iterable[Fault], patience: Patience) -> Explained | None:
    candidates = []
    for order, fault in enumerate(known):
        if patience.gone:
            break
        if (start := _screened(seen, near, fault)) is not None:
            candidates.append((start[0], order, fault, start[1], start[2]))
    candidates.sort(key=lambda c: (c[0], c[1]))
    matches: list[tuple[int, Fault, Fit]] = []
    for price, order, fault, model, values in candidates[:12]:
        if (matches and price > 0.1) or patience.gone:
            break
        found = fit(model, seen.records, values, rounds=12)
        if found.matches:
            matches.append((order, fault, found))
    if not matches:
        return None
    settled = [(implausible(f, seen), o, fault, f) for o, fault, f in matches]
    settled.sort(key=lambda m: (m[2].kind == LAST, m[0], m[1]))
    _, _, fault, best = settled[0]
    return Explained(fault, best, tuple(m[2] for m in settled[1:4]))


def _faults(rule: Rule) -> Iterator[Fault]:
    yield from faults(rule)
    for name in CLIPS:
        if not rule.inputs and not any(h.name in ("clip_value", "max_norm") for h in rule.hyperparameters):
            wrapped = WRAPPERS[name](rule)
            yield Fault("clipped", f"its gradients are {WRAPPERS[name].title} first", wrapped)
    yield from slips(rule)


def _screened(seen: Seen, near: Fit, fault: Fault) -> tuple[float, Model, Values] | None:
    try:
        model = _with_fault(near, fault)
        known = _known(seen, model)
        sure = set(model.names) - set(SHRINK) <= set(known)
        ranked = screened(model, seen.records, known, 1 if sure else 8, [near.values], not sure)
        return ranked[0][0], model, ranked[0][1]
    except Exception:  # a slip that cannot be run (a complex number, another shape) did not happen
        return None


def implausible(found: Fit, seen: Seen, spared: Sequence[str] = ()) -> int:
    """How many constants are neither known, nor usual, nor round."""
    known = {x for v in seen.shown.values() for x in (v, *in_few_bits(v).values())}
    count = 0
    for h in found.model.rule.hyperparameters:
        value = found.values.get(h.name)
        if value is None or h.name in spared:
            continue
        plain = any(abs(value - k) <= 1e-6 * abs(k) for k in (*known, h.default or 0.0))
        near_one = float(f"{1 - value:.1e}") == float(f"{1 - value:.6e}")
        count += not (plain or near_one or float(f"{value:.1e}") == float(f"{value:.6e}"))
    return count


def in_shrinking(found: Fit) -> Explained | None:
    """A match whose decay is none: of the wrong sign, or not of theta."""
    rule = found.model.rule
    for name in found.model.shrinks:
        size = found.values.get(name, 0.0)
        if name in FLAT and abs(size) > FAINT:
            text = "weight decay does not depend on theta: the same is taken off every coordinate"
        elif size < -FAINT:
            text = "weight decay has the wrong sign: |theta| grows under decay"
            text += " (it is subtracted from the gradient)" if name in COUPLED else ""
        else:
            continue
        return Explained(Fault("weight decay", text, rule), found)
    return None


def own_rates(found: Fit, seen: Seen) -> list[float]:
    """The factors on lr, update by update, of a box with a schedule of its own."""
    record = seen.records[-2 if len(seen.records) > 1 else -1]
    plain = Model(found.model.rule, found.model.steps, found.model.sign, found.model.shrinks)
    moves = plain.moves(record, {n: np.array([v]) for n, v in found.values.items()})
    each = factors(moves, record)[0].reshape(len(record.grads), -1)[:, 0]
    return [float(x) for x in each]
