"""Which rule, and which dialect of it, a box is: all of them are held against what it did.

First the rules whose hyperparameters the box shows, with these as they are; then the default dialect of each
rule, from many starts at once; then the other dialects of the rules that come nearest. Weight decay and the
direction of the step are told apart from the rest: a tenth of the dialects of a rule stands for all.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from optverify.conformance import names
from optverify.conformance.batch import batched
from optverify.conformance.candidates import (
    NAMED,
    WITHIN,
    Dialect,
    bases,
    couples,
    every_name,
    families,
    is_spread,
    named,
)
from optverify.conformance.fit import Fit, cost, fit, improved, made, residuals, screened, without
from optverify.conformance.looking import Seen, direction
from optverify.conformance.model import GIVEN, SHRINK, Model, Values
from optverify.conformance.patience import Patience
from optverify.conformance.shrinking import Decay, decays
from optverify.language import Rule
from optverify.language.hyperparameter import unit

USUAL_RULES = ("adam", "momentum", "nesterov", "rmsprop", "adagrad", "adadelta", "gd", "lamb", "lars", "muon")
CLIPPED = tuple(f"clip_by_norm({n})" for n in ("gd", "momentum", "adam", "rmsprop", "adagrad"))
"""Usual compositions."""
HOPELESS = 2.0
"""The cost of a start that is hardly worth a fit."""
EXACT = 1e-9
"""That of one that fits as it is."""
CLOSE = 0.05
"""That of a start that all but fits."""
FIRST = 4
"""Dialects that come before rules of single coordinates, for a box whose coordinates act on each other."""
FEW = 3
"""Hyperparameters that a box may keep to itself, if it shows no other than a rule's."""


@dataclass(frozen=True)
class Found:
    """What the search came to. matches: fits without a residual, the simplest first; nearest: the others, the
    best first; tried: the number of fits made; agreeing: rules whose hyperparameters the box shows.
    """

    matches: tuple[Fit, ...]
    nearest: tuple[Fit, ...]
    tried: int = 0
    agreeing: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Candidate:
    """A dialect that has been screened. starts: with their costs, the best first."""

    model: Model
    starts: tuple[tuple[float, Values], ...]

    @property
    def cost(self) -> float:
        return self.starts[0][0]


class Search:
    """One search. hints: rules to be looked at first; fits: what was made so far; likely: dialects with the
    constants that the box shows, the nearest first.
    """

    def __init__(self, seen: Seen, hints: Sequence[str] = (), patience: Patience | None = None) -> None:
        self.seen = seen
        self.hints = tuple(NAMED.get(h, h) for h in hints)
        self.patience = patience or Patience(8.0)
        self.sign = direction(seen.records)
        self.shrinks = decays(seen.records)
        self.fits: list[Fit] = []
        self.agreeing: tuple[str, ...] = ()
        self.likely: tuple[Fit, ...] = ()

    # ---- with the constants that the box shows -----------------------------------------------------------

    def shown(self) -> Found | None:
        """The rules whose hyperparameters the box shows, with these as they are; None if none fits."""
        self.agreeing = tuple(n for n in families() if n in self.hints or self.agrees(n))
        waiting = self.as_shown()
        waiting.sort(key=lambda c: c.cost)
        near = self.plausible(waiting)
        self.likely = (*near[:FIRST], *self.single(), *near[FIRST:])
        for k, c in enumerate([*self.clipped(), *waiting[:12]]):
            if (c.cost > HOPELESS and k >= 4) or (k > 2 and self.patience.but(4.0).gone):
                break
            if self.follow(c).matches:
                return self.simplest()
        others = [n for n in families() if n not in self.agreeing] if self.agreeing else []
        close = sorted((c for n in others for c in self.screened(bases(n)[:1], (), 12)), key=lambda c: c.cost)
        for c in close[:3]:
            if c.cost < CLOSE and self.follow(c).matches:
                return self.simplest()
        return None

    def clipped(self) -> list[_Candidate]:
        """Rules of single coordinates whose gradients are clipped, where coordinates act on each other."""
        found = [c for n in CLIPPED if self.seen.coupled for c in self.screened(bases(n)[:2], (), 24)]
        return sorted((c for c in found if c.cost < 1), key=lambda c: c.cost)[:3]

    def as_shown(self) -> list[_Candidate]:
        """Dialects with the constants shown: of usual rules first, until one is it; of other rules those that
        are one option away from the default, and all of the rules that come nearest.
        """
        waiting: list[_Candidate] = []
        usual = [n for n in (*self.hints, *USUAL_RULES) if n in self.agreeing]
        others = [n for n in self.agreeing if n not in usual]
        for n in dict.fromkeys(usual):
            waiting += self.screened(bases(n), (), 1)
            if any(c.cost < EXACT for c in waiting):
                return waiting
        for n in others:
            waiting += self.screened((d for d in bases(n) if d.changes <= 1), (), 1)
        nearest = sorted((c for c in waiting if c.model.rule.name in others), key=lambda c: c.cost)
        for n in list(dict.fromkeys(c.model.rule.name for c in nearest))[:3]:
            waiting += self.screened((d for d in bases(n) if d.changes > 1), (), 1)
        return waiting

    def agrees(self, name: str) -> bool:
        """Does the box show the hyperparameters of a rule, and no others?"""
        rule, shown = named(name), self.seen.shown
        told = names.ours(rule, shown, self.seen.library)
        if len(told) < 2:
            return False
        own = {h.name for h in bases(name)[0].rule().hyperparameters} - GIVEN - {"weight_decay"}
        used = sum(shown.get(n) in told.values() for n in shown if n in every_name())
        spare = sum(n in every_name() for n in shown) - used
        missing = len(own - told.keys())
        return spare == 0 and missing <= (FEW if couples(rule) else 1)

    def plausible(self, waiting: Sequence[_Candidate]) -> tuple[Fit, ...]:
        """The dialects that come nearest with the constants shown; those that are in use first."""
        chosen: dict[Rule, _Candidate] = {}
        hinted = [c for c in waiting if c.model.rule.name in self.hints]
        spread = [c for c in waiting if is_spread(c.model.rule)]
        usual = [c for c in spread if c.model.rule.name in USUAL_RULES]
        usual.sort(key=lambda c: (len(c.model.rule.changed_options), c.cost))
        home = [c for c in hinted if is_spread(c.model.rule)]
        for c in (
            *home,
            *hinted[:3],
            *waiting[:1],
            *usual[:8],
            *waiting[:4],
            *spread[:8],
            *hinted,
            *waiting[:24],
        ):
            chosen.setdefault(c.model.rule, c)
        return tuple(made(c.model, self.seen.records, c.starts[0][1]) for c in chosen.values())

    def single(self) -> Iterator[Fit]:
        """Usual rules of single coordinates with the constants shown, for a box whose coordinates act on
        each other: one of them may have gone wrong.
        """
        for name in USUAL_RULES if self.seen.coupled else ():
            rule = named(name)
            told = names.ours(rule, self.seen.shown, self.seen.library)
            if couples(rule) or len(told) < min(2, len(rule.hyperparameters)):
                continue
            model = Model(rule, batched(rule), self.sign)
            starts = screened(
                model, self.seen.records, {n: v for n, v in told.items() if n in model.names}, 1
            )
            yield made(model, self.seen.records, starts[0][1])

    # ---- with any ----------------------------------------------------------------------------------------

    def everywhere(self) -> Found:
        """Default dialects of all rules; then the other dialects of those that come nearest."""
        first = [c for name in families() for c in self.screened(bases(name)[:1])]
        first.sort(key=lambda c: (c.model.rule.name not in self.hints, c.cost))
        tried = {(f.model.rule, f.model.shrinks) for f in self.fits}
        for c in first[:12]:
            if self.patience.but(2.0).gone:
                break
            if (c.model.rule, c.model.shrinks) not in tried and self.follow(c).matches:
                return self.simplest()
        ranked = sorted(self.fits, key=lambda f: (f.model.rule.name not in self.hints, plainness(f)))
        order = [f.model.rule.name for f in ranked] + [c.model.rule.name for c in first]
        order = list(dict.fromkeys(order))
        for chosen, effort in ((order[:5], 20), (order[5:10], 8)):
            if self.opened(chosen, effort):
                return self.simplest()
        return self.found()

    def opened(self, chosen: Sequence[str], effort: int) -> bool:
        """Do the other dialects of these rules fit? The cheapest of all are followed first."""
        waiting: list[_Candidate] = []
        for name in chosen:
            if self.patience.gone:
                return False
            seeds = [f.values for f in self.fits if f.model.rule.name == name]
            waiting += self.screened(bases(name)[1:], seeds, 16)
        waiting.sort(key=lambda c: c.cost)
        waiting = sorted((self.nearer(c) for c in waiting[: 2 * effort]), key=lambda c: c.cost)
        for c in waiting[:effort]:
            if self.patience.gone:
                return False
            if self.follow(c).matches:
                return True
        return False

    # ---- one dialect -------------------------------------------------------------------------------------

    def screened(
        self, rules: Iterable[Dialect], seeds: Sequence[Values] = (), size: int = 48
    ) -> Iterator[_Candidate]:
        """Each dialect that could be it, from many starts; one of each form of decay that could be it."""
        for dialect in rules:
            rule = dialect.rule()
            if rule.needs_matrix and len(self.seen.shape) != 2:
                continue
            if self.seen.coupled is not None and couples(rule) != self.seen.coupled:
                continue
            known = names.ours(rule, self.seen.shown, self.seen.library)
            within = rule.options.get("weight_decay_form", "none") != "none"
            for decay in [Decay()] if within else self.shrinks:
                model = Model(rule, batched(rule), self.sign, decay.names, share=decay.share)
                values = {n: v for n, v in known.items() if n in model.names or n == "weight_decay"}
                swapped = [values | pair for pair in swaps(rule, values)] if size == 1 else []
                starts = screened(model, self.seen.records, values, size, [*seeds, *swapped], size > 1)
                yield _Candidate(model, tuple(starts[:4]))

    def nearer(self, c: _Candidate) -> _Candidate:
        """The candidate with a better first start."""
        records = self.seen.records
        values = improved(c.model, records, c.starts[0][1], rounds=1)
        price = float(cost(residuals(c.model, records, {n: np.array([v]) for n, v in values.items()}))[0])
        return _Candidate(c.model, ((price, values), *c.starts))

    def follow(self, c: _Candidate) -> Fit:
        """The best fit of a dialect."""
        records = self.seen.records
        best = made(c.model, records, c.starts[0][1])
        for _, values in c.starts[:2]:
            near = best.values if best.matches else improved(c.model, records, values)
            found = fit(c.model, records, near, rounds=15)
            if not found.matches and found.worst < 0.1:
                found = without(found, records)
            best = min(best, found, key=lambda f: f.rank)
            if best.matches or best.rank > -1.5:
                break
        if not best.matches and best.rank < -2 and c.model.shrinks:
            best = self.real(best)
        self.fits.append(best)
        return best

    def real(self, near: Fit) -> Fit:
        """A fit with decay as the rule itself has it, for rules that do more with it than shrink theta."""
        rule = near.model.rule
        axis = next((a for a in rule.axes if a.name == "weight_decay_form"), None)
        v = near.values
        size = max(abs(v.get(n, 0.0)) for n in SHRINK)
        for form in axis.options if axis else ():
            if form in ("none", *WITHIN):
                continue
            dialect = rule.dialect(**{**rule.options, "weight_decay_form": form})
            model = Model(dialect, batched(dialect), self.sign)
            start = {n: v.get(n, max(size, 1e-4)) for n in model.names}
            tried = fit(model, self.seen.records, start, rounds=12)
            near = min(near, tried, key=lambda f: f.rank)
        return near

    # ---- what was found ----------------------------------------------------------------------------------

    def simplest(self) -> Found:
        """What fits with fewer constants than the first that was found, if anything does."""
        best = min((f for f in self.fits if f.matches), key=complexity)
        own = set(best.model.names) - set(SHRINK)
        tried = {f.model.rule for f in self.fits}
        seeds = [best.values]
        for name in (*families(), *(CLIPPED if self.seen.coupled else ())):
            if name == best.model.rule.name:
                continue
            few = [d for d in bases(name) if {h.name for h in d.rule().hyperparameters} < own]
            fresh = [d for d in few if d.rule() not in tried]
            for c in sorted(self.screened(fresh, seeds, 4), key=lambda c: c.cost)[:3]:
                if c.cost < 1 and not self.patience.gone:
                    self.follow(c)
        others = [d for d in bases(best.model.rule.name) if d.rule() not in tried]
        for c in sorted(self.screened(others, seeds, 2), key=lambda c: c.cost)[:4]:
            if c.cost < 1e-3:
                self.follow(c)
        return self.found()

    def odd(self, found: Fit) -> int:
        """How many constants are not those that were passed."""
        told = names.ours(found.model.rule, self.seen.shown, self.seen.library)
        return sum(
            n in found.values and not math.isclose(found.values[n], v, rel_tol=1e-6) for n, v in told.items()
        )

    def found(self) -> Found:
        """All that was found."""
        matches = sorted((f for f in self.fits if f.matches), key=lambda f: (self.odd(f), complexity(f)))
        others = sorted((f for f in self.fits if not f.matches), key=plainness)
        return Found(tuple(matches), tuple(others), len(self.fits), self.agreeing)


def swaps(rule: Rule, values: Values) -> Iterator[Values]:
    """Two constants of one kind in each other's place."""
    alike = [h for h in rule.hyperparameters if h.domain is unit and h.name in values]
    for a, b in itertools.combinations(alike, 2):
        if values[a.name] != values[b.name]:
            yield {a.name: values[b.name], b.name: values[a.name]}


def plainness(found: Fit) -> float:
    """The rank of a fit, a little worse for every constant that it needs."""
    return found.rank + 0.05 * len(found.model.rule.hyperparameters)


def complexity(found: Fit) -> tuple[int, int, float]:
    """Fewer constants first, then fewer axes away from the default."""
    rule = found.model.rule
    return (len(rule.hyperparameters), len(rule.changed_options), found.worst)


__all__ = ["Found", "Search"]
