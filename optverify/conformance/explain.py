"""Nothing fits: which single fault in the nearest rules gives every update of the box?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy as sp

from optverify.conformance import names
from optverify.conformance.batch import batched
from optverify.conformance.faults import Fault, factors, faults, slips
from optverify.conformance.fit import COUPLED, FLAT, SHRINK, Fit, Model, Values, fit, screened
from optverify.conformance.search import Found, Seen, decays, direction
from optverify.language import Rule, weight_decay
from optverify.language.wrappers import WRAPPERS

FAINT = 1e-7
"""Decay of this size is that of rounding."""
CLIPS = ("clip_by_norm", "clip_by_value")


@dataclass(frozen=True)
class Explained:
    """A fault that gives every update of a box. fit: with its constants; others: faults that give the same."""  # noqa: E501

    fault: Fault
    fit: Fit
    others: tuple[Fault, ...] = ()

    @property
    def rule(self) -> Rule:
        """The rule it is a fault of."""
        return self.fit.model.rule


def explained(seen: Seen, near: Iterable[Fit]) -> Explained | None:
    """The fault that explains the box, in one of these dialects; None if no single one does."""
    for target in near:
        for answer in (_of(seen, target, list(_faults(target.model.rule))), _in_decay(seen, target)):
            if answer is not None:
                return answer
    return None


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


def _in_decay(seen: Seen, near: Fit) -> Explained | None:
    """Faults in weight decay: of the dialects of the rule that have it, in the lines where it stands."""
    rule = near.model.rule
    forms = next((a.options for a in rule.axes if a.name == "weight_decay_form"), {})
    told = seen.shown.get("weight_decay", seen.shown.get("wd", 0.0))
    if weight_decay in {h.symbol for h in rule.hyperparameters} or not (
        told or any(d.names for d in decays(seen.records))
    ):
        return None
    sizes = [abs(near.values.get(n, 0.0)) for n in SHRINK]
    for form in ("decoupled", "coupled"):
        if form not in forms:
            continue
        dialect = rule.dialect(**{**rule.options, "weight_decay_form": form})
        values = {**near.values, "weight_decay": told or max(max(sizes), 1e-3)}  # noqa: PLW3301
        model = Model(dialect, batched(dialect), near.model.sign)
        here = replace(near, model=model, values={n: values[n] for n in model.names})
        lines = [f for f in slips(dialect) if weight_decay in _changed_line(dialect, f).free_symbols]
        if (answer := _of(seen, here, lines)) is not None:
            return answer
    return None


def _changed_line(rule: Rule, fault: Fault) -> sp.Expr:
    pairs = zip(rule.assignments, fault.rule.assignments, strict=False)
    return next((old for (_, old), (_, new) in pairs if old != new), sp.S.Zero)


def _of(seen: Seen, near: Fit, known: Sequence[Fault]) -> Explained | None:
    candidates = []
    for order, fault in enumerate(known):
        found = _screened(seen, near, fault)
        if found is not None:
            candidates.append((found[0], order, fault, found[1], found[2]))
    candidates.sort(key=lambda c: (c[0], c[1]))
    matches: list[tuple[int, Fault, Fit]] = []
    for price, order, fault, model, values in candidates[:12]:
        if matches and price > 0.1:
            break
        made = fit(model, seen.records, values, rounds=12)
        if made.matches:
            matches.append((order, fault, made))
    if not matches:
        return None
    settled = [(implausible(f, seen), o, fault, f) for o, fault, f in matches]
    settled.sort(key=lambda m: (m[2].kind == "own schedule", m[0], m[1]))
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
        model = Model(
            fault.rule,
            batched(fault.rule),
            near.model.sign,
            near.model.shrinks,
            fault.twist,
            near.model.share,
        )
        known = _known(seen, model)
        sure = set(model.names) - set(SHRINK) <= set(known)
        ranked = screened(model, seen.records, known, 1 if sure else 12, [near.values], not sure)
        return ranked[0][0], model, ranked[0][1]
    except (
        Exception
    ):  # a slip that cannot be run (a complex number, a shape that does not fit) did not happen
        return None


def implausible(found: Fit, seen: Seen) -> int:
    """How many constants are neither known, nor usual, nor round."""
    known = set(seen.shown.values())
    count = 0
    for h in found.model.rule.hyperparameters:
        value = found.values.get(h.name)
        if value is None:
            continue
        plain = any(abs(value - k) <= 1e-6 * abs(k) for k in (*known, h.default or 0.0))
        count += not (plain or float(f"{value:.1e}") == float(f"{value:.6e}"))
    return count


def in_shrinking(found: Fit) -> Explained | None:
    """A match whose decay is none: of the wrong sign, or not of theta."""
    sizes = {n: found.values.get(n, 0.0) for n in found.model.shrinks}
    rule = found.model.rule
    for name, size in sizes.items():
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
    made = factors(moves, record)[0].reshape(len(record.grads), -1)[:, 0]
    return [float(x) for x in made]
