"""Which optimizer is this? The rule, dialect and constants of a black box, or what went wrong in it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from optverify.conformance import equivalences, names
from optverify.conformance.adapters import chosen
from optverify.conformance.amiss import amiss, undetermined
from optverify.conformance.batch import batched
from optverify.conformance.candidates import NAMED
from optverify.conformance.diagnosis import Diagnosis, Kind, Named, Other
from optverify.conformance.explain import (
    Explained,
    as_passed,
    explained,
    implausible,
    in_shrinking,
    own_rates,
    targets,
)
from optverify.conformance.fit import Fit, fit, made
from optverify.conformance.held import LOOSE, Checks, Driven
from optverify.conformance.looking import look
from optverify.conformance.model import PLAIN, SHRINK, Model, Record
from optverify.conformance.paths import disagreements
from optverify.conformance.patience import Patience
from optverify.conformance.protocol import Make
from optverify.conformance.reference import Departure, Run, compare, run_box, run_rule
from optverify.conformance.rounding import in_few_bits, snapped
from optverify.conformance.search import Search
from optverify.conformance.several import TOGETHER, several
from optverify.conformance.spoken import dialect_words, passed, sentence, title
from optverify.language import Option, Rule
from optverify.libraries import names as libraries
from optverify.rules import names as rule_names
from optverify.rules import rule as rule_named

SECONDS = 8.0
"""Of the processor, for the search of a rule and of a fault."""
ALMOST = 1e-6
"""What updates are off, relative to the largest of their coordinate, where some numbers are in float32."""
MIRRORED = {"decoupled": "after_step", "after_step": "decoupled"}
"""Forms of decay that are each other with other constants: those at round numbers are meant."""
CLIPPED = "clip_by_norm("
COMPOSED = "clipped"
NAN, UNSTEADY = "non-finite values", "not reproducible"

# ---- the diagnosis -----------------------------------------------------------------------------------------


def diagnose(
    make: Make, *, adapter: str | None = None, hint: str | None = None, subject: str | None = None
) -> Diagnosis:
    """Say which rule, dialect and constants an optimizer computes, or what is wrong with it.

    make: as for `check`. hint: a rule to be looked at first. Raises TypeError if nothing can drive it, and
    ValueError for an adapter or a rule that is not known; what the optimizer raises becomes the diagnosis.
    """
    if hint is not None:
        rule_named(hint)
    began = time.monotonic()
    name = subject or _named(make)
    with np.errstate(all="ignore"):
        found = _Diagnosing(make, adapter, hint, name).found()
    return replace(found, seconds=time.monotonic() - began)


def _named(make: Any) -> str:
    name = getattr(make, "__name__", None) or getattr(getattr(make, "func", None), "__name__", None)
    return "the optimizer" if name in (None, "<lambda>") else str(name)


class _Diagnosing:
    """One diagnosis. troubles: what is wrong whatever the rule is; notes: what was seen besides."""

    def __init__(self, make: Make, adapter: str | None, hint: str | None, subject: str) -> None:
        self.make, self.adapter, self.hint, self.subject = make, adapter, hint, subject
        self.library = _library(make, adapter)
        self.seen = look(make, adapter, self.library)
        self.box = Driven(make, adapter, self.seen)
        self.troubles: list[Named] = []
        self.notes: list[str] = []

    def found(self) -> Diagnosis:
        """What the box is."""
        if not self.seen.records:
            return self.failed()
        self.general()
        if any(x.kind == UNSTEADY for x in self.troubles):
            return self.said("fault", "it does not do the same twice", faults=tuple(self.troubles))
        if not any(np.any(r.moves) for r in self.seen.records):
            fault = Named("never moves", "the parameters are never moved: every update is zero")
            return self.said("fault", "it does nothing", faults=(fault, *self.troubles))
        if (early := self.never_finite()) is not None:
            return early
        return self.looked_for(Patience(SECONDS))

    def looked_for(self, patience: Patience) -> Diagnosis:
        """A rule, or a rule with a fault, or neither. A rule with constants that nobody would choose comes
        after a fault with those that were passed.
        """
        hints = self.hinted()
        search = Search(self.seen, [r.name for r in hints], patience.but(1.0))
        shown = search.shown()
        odd = shown is not None and all(implausible(f, self.seen, ("lr",)) for f in shown.matches)
        if shown is not None and not odd:
            return self.matched(shown.matches)
        if (plain := self.as_it_is(search)) is not None:
            return plain
        if (answer := as_passed(self.seen, search.likely, patience.but(2.0), search.hints)) is not None:
            return self.at_fault(answer)
        found = shown or search.everywhere()
        if found.matches:
            return self.matched(found.matches)
        near = targets(self.seen, found, hints)
        if (answer := explained(self.seen, near[:3], patience)) is not None:
            return self.at_fault(answer)
        return self.unknown(near[:1])

    def said(self, kind: Kind, text: str, **more: Any) -> Diagnosis:
        """A diagnosis with what was seen besides."""
        return Diagnosis(self.subject, kind, text, notes=tuple(self.notes), **more)

    # ---- whatever the rule is ----------------------------------------------------------------------------

    def failed(self) -> Diagnosis:
        """No update could be made."""
        runs = [run for _, run in self.seen.runs]
        said = next(
            (r.error or r.unsupported for r in runs if r.error or r.unsupported), "no update was made"
        )
        return self.said("fails", f"it cannot be driven: {said}")

    def general(self) -> None:
        """Gradients written into, crashes on the way, ways of one optimizer that part, runs that differ."""
        for probe, run in self.seen.runs:
            if run.spoiled:
                self.troubles.append(
                    Named("input modified in place",
                          f"the gradient is modified in place: it writes into the gradients that it is given "
                          f"(update {run.spoiled[0]} of probe {probe.name})")
                )  # fmt: skip
                break
        for probe, run in self.seen.runs:
            if run.error:
                self.troubles.append(Named("raises", f"it raises {run.error}, in update {run.failed} of probe "  # noqa: E501
                                           f"{probe.name}"))  # fmt: skip
                break
        for found in disagreements(self.make, self.adapter, self.seen.dtype):
            if found.raises:
                self.notes.append(f"paths disagree: {found}")
            else:
                self.troubles.append(Named("paths disagree", str(found)))
        probe, run = self.seen.runs[0]
        again = run_box(self.make, probe.first(4), self.adapter, states=False)
        if self.seen.shape and not _same(run, again):
            self.troubles.append(
                Named(UNSTEADY, "made and driven again in the same way it gives other numbers: state is "
                      "shared between optimizers, or it is random")
            )  # fmt: skip

    def never_finite(self) -> Diagnosis | None:
        """A box whose first updates are not numbers has nothing to be fitted to."""
        first = [r for r in self.seen.records if len(r.moves)]
        silent = [r for r in first if not np.isfinite(r.moves).any()]
        for r in first:
            gone = ~np.isfinite(r.moves)
            if gone.any():
                k = int(np.argwhere(gone)[0][0]) + 1
                zero = "a zero gradient" if np.all(r.grads[:k][gone[:k]] == 0) else "usual gradients"
                self.troubles.append(
                    Named(NAN, f"the update is not finite (NaN or infinite) from update {k} on, "
                          f"on {zero}" + (": 0/0, a division by zero" if zero != "usual gradients" else ""))
                )  # fmt: skip
                break
        if len(silent) < len(first):
            return None
        self.notes.append(
            "a division by zero at the first update is what first t = 0 gives: 1 - beta^0 = 0, 0/0"
        )
        return self.said("fault", "no update is finite: NaN from the first on", faults=tuple(self.troubles))

    def hinted(self) -> list[Rule]:
        """The rules that the box says it is: by hint, or by its name and that of its class."""
        said = [self.hint] if self.hint else []
        name = "".join(c for c in self.subject.lower() if c.isalnum())
        fits = [n for n in rule_names() if n.replace("_", "") in name and len(n) > 2]
        said += sorted(fits, key=len, reverse=True)[:1]
        return [rule_named(n) for n in dict.fromkeys(said) if n]

    # ---- it is a rule ------------------------------------------------------------------------------------

    def matched(self, fits: Sequence[Fit]) -> Diagnosis:
        """The simplest rule that fits, with its decay in its own place and its constants at round numbers."""
        if (answer := in_shrinking(fits[0])) is not None:
            return self.at_fault(answer)
        chosen = self.settled_on(fits)
        if chosen is None:
            return self.unknown(fits[:1])
        best, checks = chosen
        rule, values = best.model.rule, dict(best.values)
        told = passed(rule, self.seen.shown, self.library)
        faults = [*self.own_troubles(best), *amiss(best, self.seen.shown, told, self.library)]
        faults += self.together(best, checks)
        if not (faults or checks.holds):
            return self.half_known(best, checks)
        kind: Kind = "fault" if faults else "matches" if checks.departure is None else "near miss"
        if silent := undetermined(best, self.seen.records):
            self.notes.append(
                f"{', '.join(silent)}: no influence on any update that was seen; the default is shown"
            )
        self.notes += checks.notes
        return self.said(
            kind,
            sentence(rule, values, told),
            rule=_family(rule).name,
            options=_changed(rule),
            values=values,
            passed=told,
            sure=checks.sure(best),
            others=tuple(self.others(best, fits[1:], checks)),
            faults=tuple(faults),
            departure=checks.departure if faults and checks.departure else None,
        )

    def as_it_is(self, search: Search) -> Diagnosis | None:
        """A rule with the constants that were passed, if it gives all, or all but the last digits."""
        if exact := [f for f in search.likely if f.matches]:
            return self.matched(exact)
        near = [f for f in (*search.likely, *search.fits) if f.worst <= ALMOST and not f.matches]
        return self.nearly(near[0]) if near else None

    def nearly(self, found: Fit) -> Diagnosis:
        """A rule that gives every update but for the rounding of some numbers in float32."""
        rule = found.model.rule
        values = {n: v for n, v in found.values.items() if n not in SHRINK}
        told = passed(rule, self.seen.shown, self.library)
        self.notes.append(f"updates are off by up to {found.worst:.0e}, as with some numbers in float32")
        return self.said(
            "fault" if self.troubles else "near miss", sentence(rule, values, told), rule=_family(rule).name,
            options=_changed(rule), values=values, passed=told, faults=tuple(self.troubles),
        )  # fmt: skip

    def together(self, best: Fit, checks: Checks) -> list[Named]:
        """What goes wrong with several parameters, or on the bank."""
        troubles = [Named(x.kind, x.text) for x in several(self.make, self.adapter, self.seen, best)]
        if best.model.rule.name.startswith(CLIPPED) and {x.kind for x in troubles} == {TOGETHER}:
            self.notes.append("the norm is that of all gradients together: clip_by_global_norm")
            return []
        return troubles

    def half_known(self, best: Fit, checks: Checks) -> Diagnosis:
        """It agrees with a rule on some probes; what it does on the others is not known, so no fault."""
        rule, values = best.model.rule, best.values
        told = passed(rule, self.seen.shown, self.library)
        text = f"it departs later: in probe {checks.failed} ({checks.note})"
        return self.said(
            "unknown", f"at first it is {sentence(rule, values, told)}; {text}",
            rule=_family(rule).name, options=_changed(rule), values=values, passed=told,
            sure=checks.sure(best), departure=checks.departure,
        )  # fmt: skip

    def settled_on(self, fits: Sequence[Fit]) -> tuple[Fit, Checks] | None:
        """A fit as a real dialect with which the whole bank agrees; or the first that is a real dialect."""
        tried: list[tuple[Fit, Checks]] = []
        for found in fits[:3]:
            if (settled := self.settled(found)) is not None:
                tried.append((settled, Checks(self.box, settled.model.rule, settled.values)))
                if tried[-1][1].holds:
                    return tried[-1]
        for other in self.siblings(tried[0][0]) if tried else ():
            checks = Checks(self.box, other.model.rule, other.values)
            if checks.holds:
                return other, checks
        return tried[0] if tried else None

    def siblings(self, best: Fit) -> Iterator[Fit]:
        """Dialects one option away that give the same updates so far."""
        rule = best.model.rule
        for other in rule.dialects():
            away = sum(other.options[a] != o for a, o in rule.options.items())
            if away == 1 and {h.name for h in other.hyperparameters} <= best.values.keys():
                model = Model(other, batched(other))
                found = made(model, self.seen.records, {n: best.values[n] for n in model.names}, best.spread)
                if found.matches:
                    yield found

    def own_troubles(self, best: Fit) -> list[Named]:
        """What is wrong whatever the rule is; numbers that are not finite where those of the rule are not
        either, because it is to be without epsilon, are only said.
        """
        small = [n for n in best.values if n.startswith("eps")]
        told = names.ours(best.model.rule, self.seen.shown, self.library)
        if not all(told.get(n, 1.0) == 0 for n in small) or not _undefined(best, self.seen.records):
            return self.troubles
        self.notes += [
            f"{x.text}, as the rule itself without epsilon" for x in self.troubles if x.kind == NAN
        ]
        return [x for x in self.troubles if x.kind != NAN]

    def settled(self, found: Fit) -> Fit | None:
        """The fit as a real dialect: decay and direction in its axes; constants at round numbers."""
        rule = found.model.rule
        extras = {n: found.values.get(n, 0.0) for n in found.model.shrinks}
        direct = {"maximize": True} if found.model.sign < 0 else {}
        options = {**rule.options, **direct}
        tried: list[tuple[Mapping[str, Option], float]] = []
        if not any(abs(x) > 1e-7 for x in extras.values()):
            tried.append((options, 0.0))
        forms = next((list(a.options) for a in rule.axes if a.name == "weight_decay_form"), [])
        size = max((abs(x) for x in extras.values()), default=0.0)
        if size > 0:
            order = {"_coupled": "coupled", "_decoupled": "decoupled", "_alone": "decoupled_without_lr",
                     "_after": "after_step"}  # fmt: skip
            likely = [order[n] for n in sorted(extras, key=lambda n: -abs(extras[n]))]
            likely += [MIRRORED[f] for f in likely if f in MIRRORED]
            tried += [({**options, "weight_decay_form": f}, size) for f in likely if f in forms]
        made_up: list[tuple[int, Fit]] = []
        for chosen_options, decay in tried:
            dialect = _family_dialect(rule, chosen_options)
            model = Model(dialect, batched(dialect))
            start = {n: found.values.get(n, decay) for n in model.names}
            new = made(model, self.seen.records, start)
            if ("weight_decay" not in found.values and "weight_decay" in start) or not new.matches:
                new = fit(model, self.seen.records, start, rounds=15)
            else:
                new = replace(new, spread=found.spread)
            if new.matches:
                new = snapped(new, self.seen.records, self.round_hints(dialect))
                made_up.append((implausible(new, self.seen), new))
                if not made_up[-1][0]:
                    break
        return min(made_up, key=lambda f: f[0])[1] if made_up else None

    def round_hints(self, rule: Rule) -> dict[str, list[float]]:
        """Numbers that a constant may well be: what was passed, and what that is in few bits."""
        told = names.ours(rule, self.seen.shown, self.library)
        made: dict[str, list[float]] = {}
        for h in rule.hyperparameters:
            own = [told[h.name]] if h.name in told else []
            own += [h.default] if h.default is not None else []
            usual = [0.9, 0.99, 0.999, 0.9999, 0.95] if h.name.startswith("beta") else []
            made[h.name] = [*own, *(x for u in (*own, *usual) for x in in_few_bits(u).values())]
        return made

    def others(self, best: Fit, fits: Sequence[Fit], checks: Checks) -> Iterator[Other]:
        """What cannot be told from it: dialects that are the same, that are here, and other rules."""
        rule = best.model.rule
        proved = equivalences.alike(rule)
        known = {tuple(r.options.items()) for r, _ in proved}
        for other, why in proved:
            yield Other(_family(other).name, _differing(other, rule), f"the same, proved: {why}")
        for other, why in checks.alike():
            if tuple(other.options.items()) not in known:
                yield Other(_family(other).name, _differing(other, rule), why)
        for f in fits:
            if f.model.rule.name != rule.name:
                values = ", ".join(f"{n} = {v:.4g}" for n, v in f.values.items() if n not in SHRINK)
                yield Other(f.model.rule.name, _changed(f.model.rule), f"contains it, with {values}")

    # ---- it is a rule with a fault -----------------------------------------------------------------------

    def at_fault(self, answer: Explained) -> Diagnosis:
        """A rule and what is wrong with it."""
        fault = answer.fault
        found = snapped(answer.fit, self.seen.records, self.round_hints(answer.rule))
        rule = _as_decayed(answer)
        values = {n: v for n, v in found.values.items() if n not in SHRINK}
        told = passed(rule, self.seen.shown, self.library)
        text = fault.text
        if fault.kind == "own schedule":
            rates = ", ".join(f"{x:.4g}" for x in own_rates(found, self.seen)[:6])
            text = f"{text}: lr times {rates}, ..."
        named = Named(fault.kind, text, fault.line)
        kinds = "; ".join(dict.fromkeys(f.text for f in answer.others if f.text != fault.text))
        if kinds:
            self.notes.append(f"it could be as well, and looks the same: {kinds}")
        extras = {n: v for n, v in found.values.items() if n in SHRINK and abs(v) > 1e-9}
        count = sum(r.moves.size for r in self.seen.records)
        head = f"{title(rule)} with a fault: {fault.text}"
        if fault.kind == COMPOSED:
            self.notes.append(f"it is {title(rule)}, and {fault.text}")
        if fault.twist is PLAIN and not answer.fit.model.shrinks:
            bank = Checks(self.box, fault.rule, found.values)
            if not bank.holds:
                self.notes.append(f"with this fault probe {bank.failed} departs still: there may be another")
        faults = (*(() if fault.kind == COMPOSED else (named,)), *self.troubles)
        return self.said(
            "fault" if faults else "matches",
            head if faults else f"{title(rule)}; {fault.text}",
            rule=_family(rule).name if "(" not in rule.name else rule.name,
            options=_changed(rule),
            values={**values, **({"weight_decay": max(extras.values(), key=abs)} if extras else {})},
            passed=told,
            first_t=_first_t(fault.text),
            sure=f"with this fault all {count} numbers of {len(self.seen.records)} probes are given, to "
            f"{found.worst:.0e} of the largest update",
            faults=faults,
            departure=self.departure(rule, values) if faults else None,
        )

    def unknown(self, near: Sequence[Fit]) -> Diagnosis:
        """No rule, and no rule with one fault."""
        if not near:
            return self.said("unknown", "no rule comes near", faults=tuple(self.troubles))
        found = near[0]
        rule = found.model.rule
        values = {n: v for n, v in found.values.items() if n not in SHRINK}
        traits = "; ".join(self.traits())
        text = (
            f"no known rule in any dialect; the nearest is {title(rule)} ({', '.join(dialect_words(rule))}), which "  # noqa: E501
            f"gives {found.exact:.0%} of the numbers of its updates"
        )
        if traits:
            self.notes.append(f"it looks like this: {traits}")
        return self.said(
            "unknown", text, rule=_family(rule).name, options=_changed(rule), values=values,
            passed=passed(rule, self.seen.shown, self.library), faults=tuple(self.troubles),
            departure=self.departure(rule, values),
        )  # fmt: skip

    def traits(self) -> Iterator[str]:
        """What can be said of an update without a rule."""
        records = {r.name: r for r in self.seen.records}
        if (r := records.get("silent")) is not None:
            still = not np.any(r.moves[:4])
            yield "it stays where it is without a gradient" if still else "it moves without a gradient"
        if self.seen.coupled is not None:
            yield (
                "the gradient of a coordinate moves others" if self.seen.coupled
                else "every coordinate goes its own way"
            )  # fmt: skip
        if (r := records.get("ladder")) is not None and len(r.moves) > 0:
            sizes, moves = np.abs(r.grads[0]).ravel(), np.abs(r.moves[0]).ravel()
            kept = (sizes > 1e-3) & (moves > 0) & np.isfinite(moves)
            if kept.sum() > 3:
                slope = float(np.polyfit(np.log(sizes[kept]), np.log(moves[kept]), 1)[0])
                yield f"its first update grows like the gradient to the power {slope:.2g}"

    def departure(self, rule: Rule, values: Mapping[str, float]) -> Departure | None:
        """Where the box first parts from a rule with these values."""
        for probe, run in self.seen.runs[1:]:
            lr = values.get("lr", probe.lr)
            plain = replace(probe, lr=lr, steps=tuple(replace(s, lr=None) for s in probe.steps[:8]))
            short = replace(
                run, params=run.params[:9], points=run.points[:9], rates=[[lr]] * len(plain.steps)
            )
            try:
                expected = run_rule(rule, {n: v for n, v in values.items() if n != "lr"}, plain, states=False)
            except (ValueError, TypeError, KeyError, np.linalg.LinAlgError):
                return None
            if (d := compare(short, expected, max(LOOSE, expected.tolerance))) is not None:
                return d
        return None


def _undefined(best: Fit, records: Sequence[Record]) -> bool:
    """Is the rule no number wherever the box is none?"""
    rows = {n: np.array([v]) for n, v in best.values.items()}
    pairs = zip(records, best.model.every_move(records, rows), strict=True)
    return all(not np.isfinite(moves[0][~np.isfinite(r.moves)]).any() for r, moves in pairs)


def _library(make: Make, adapter: str | None) -> str | None:
    """The library whose names are known, by the adapter that takes the box."""
    try:
        name = chosen(make, [np.zeros((2, 3))], adapter).name
    except TypeError:
        raise
    except Exception:  # of the user's code: it will be seen again, and reported, when it is driven
        return None
    return name if name in libraries() else None


def _same(one: Run, other: Run) -> bool:
    pairs = zip(one.params, other.params, strict=False)
    return all(np.array_equal(a[0], b[0], equal_nan=True) for a, b in pairs)


def _first_t(text: str) -> int:
    found = text.partition("first t = ")[2].split(",")[0].split(";")[0].split(" ")[0]
    return int(found) if found.lstrip("-").isdigit() else 1


def _family(rule: Rule) -> Rule:
    return rule_named(NAMED.get(rule.name, rule.name)) if "(" not in rule.name else rule


def _changed(rule: Rule) -> dict[str, Option]:
    """The options away from the default of the family."""
    defaults = {a.name: a.default for a in _family(rule).axes}
    return {a: o for a, o in rule.options.items() if defaults.get(a) != o}


def _differing(other: Rule, rule: Rule) -> dict[str, Option]:
    return {a: o for a, o in other.options.items() if rule.options.get(a) != o}


def _family_dialect(rule: Rule, options: Mapping[str, Option]) -> Rule:
    return rule.dialect(**options)


def _as_decayed(answer: Explained) -> Rule:
    """The rule of a fault without the fault, in its dialect."""
    rule = answer.rule
    if "(" in rule.name:
        return rule
    return rule.dialect(**rule.options)


__all__ = ["Diagnosis", "Named", "Other", "diagnose"]
