"""Which optimizer is this? The rule, the dialect and the constants of a black box, or what went wrong in it."""  # noqa: E501

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from optverify.conformance import equivalences, names
from optverify.conformance.adapters import chosen
from optverify.conformance.batch import batched
from optverify.conformance.explain import Explained, explained, in_shrinking, own_rates, targets
from optverify.conformance.fit import SHRINK, Fit, Model, Values, fit, in_few_bits, made, snapped
from optverify.conformance.probes import Probe, bank
from optverify.conformance.protocol import Make
from optverify.conformance.reference import (
    TOLERANCE,
    Departure,
    Run,
    compare,
    largest_relative,
    matches,
    run_box,
    run_rule,
)
from optverify.conformance.search import NAMED, Search, look
from optverify.conformance.several import several
from optverify.conformance.spoken import constant, dialect_words, differs, number, passed, sentence, title
from optverify.conformance.verdict import shown_by
from optverify.language import Option, Rule, t
from optverify.libraries import names as libraries
from optverify.rules import names as rule_names
from optverify.rules import rule as rule_named

FORMAT, VERSION = "optverify diagnosis", 1
LONG = 300
LOOSE = 1e-8
"""What an update may be off where a constant could not be found to the last digit."""
NEAR = 1e-6
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
        self.troubles: list[Named] = []
        self.notes: list[str] = []

    def found(self) -> Diagnosis:  # noqa: PLR0911
        """What the box is."""
        if not self.seen.records:
            return self.failed()
        self.general()
        if not any(np.any(r.moves) for r in self.seen.records):
            fault = Named("never moves", "the parameters are never moved: every update is zero")
            return self.said("fault", "it does nothing", faults=(fault, *self.troubles))
        if (early := self.never_finite()) is not None:
            return early
        search = Search(self.seen, self.hint)
        shown = search.shown()
        if shown is not None:
            return self.matched(shown.matches)
        if (answer := explained(self.seen, search.likely)) is not None:
            return self.at_fault(answer)
        found = search.everywhere()
        if found.matches:
            return self.matched(found.matches)
        near = targets(self.seen, found, self.hinted())
        done = {f.model.rule for f in search.likely}
        fresh = [f for f in near if f.model.rule not in done]
        if (answer := explained(self.seen, fresh[:3])) is not None:
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
        """Gradients written into, runs that differ, numbers that are not finite, crashes on the way."""
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
        probe, run = self.seen.runs[0]
        again = run_box(self.make, probe.first(4), self.adapter, states=False)
        if self.seen.shape and not _same(run, again):
            self.troubles.append(
                Named("not reproducible", "made and driven again in the same way it gives other numbers: state is "  # noqa: E501
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
                    Named("non-finite values", f"the update is not finite (NaN or infinite) from update {k} on, "  # noqa: E501
                          f"on {zero}" + (": 0/0, a division by zero" if zero != "usual gradients" else ""))
                )  # fmt: skip
                break
        if len(silent) < len(first):
            return None
        guess = self.started_at_zero()
        return self.said("fault", guess or "its updates are not finite (NaN)", faults=tuple(self.troubles))

    def started_at_zero(self) -> str:
        """A rule with 1 - beta^t gives such numbers when t starts at 0."""
        self.troubles.append(
            Named("counter starts elsewhere", "a division by zero at the first update, as where first t = 0: "
                  "1 - beta^0 = 0 and 0/0")
        )  # fmt: skip
        return "no update is finite: NaN from the first on"

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
        settled = [self.settled(f) for f in fits[:3]]
        best = next((s for s in settled if s is not None), None)
        if best is None:
            return self.unknown(fits[:1])
        rule, values = best.model.rule, dict(best.values)
        told = passed(rule, self.seen.shown, self.library)
        faults = [*self.troubles, *self.ignored(best)]
        checks = _Checks(self, rule, values)
        if checks.departure is None:
            faults += [Named(x.kind, x.text) for x in several(self.make, self.adapter, self.seen, best)]
        elif not checks.departure.near:
            text = f"it is this rule at first, and departs in probe {checks.failed} ({checks.note})"
            together = [Named(x.kind, x.text) for x in several(self.make, self.adapter, self.seen, best)]
            faults += together or [Named("departs later", text)]
        kind: Kind = "fault" if faults else "matches"
        if kind == "matches" and checks.departure is not None:
            kind = "near miss"
        undetermined = [n for n, s in best.spread.items() if math.isinf(s) and n in values]
        if undetermined:
            self.notes.append(
                f"{', '.join(undetermined)}: no influence on any update that was seen; the default is shown"
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
            tried += [({**options, "weight_decay_form": f}, size) for f in likely if f in forms]
        best: Fit | None = None
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
                best = snapped(new, self.seen.records, self.round_hints(dialect))
                break
        return best

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

    def ignored(self, best: Fit) -> list[Named]:
        """Hyperparameters that were passed and do nothing."""
        read = {h.name for h in best.model.rule.hyperparameters}
        family = rule_named(best.model.rule.name)
        silent = []
        told = passed(best.model.rule, self.seen.shown, self.library)
        for name, value in told.items():
            if best.values.get(name) == 0 and value != 0:
                silent.append(_without_influence(name, value))
        everything = (
            {"weight_decay", "momentum"}
            if self.library is None
            else {h.name for h in family.every_hyperparameter}
        )
        told = {n: v for n, v in passed(family, self.seen.shown, self.library).items() if n in everything}
        for name in ("weight_decay", "momentum"):
            if name in self.seen.shown:
                told[name] = self.seen.shown[name]
        for name, value in told.items():
            if name not in read and value != 0 and name in ("weight_decay", "momentum"):
                silent.append(_without_influence(name, value))
        return silent

    def others(self, best: Fit, fits: Sequence[Fit], checks: _Checks) -> Iterator[Other]:
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
        return self.said(
            "fault",
            head,
            rule=_family(rule).name if "(" not in rule.name else rule.name,
            options=_changed(rule),
            values={**values, **({"weight_decay": max(extras.values(), key=abs)} if extras else {})},
            passed=told,
            first_t=_first_t(fault.text),
            sure=f"with this fault all {count} numbers of {len(self.seen.records)} probes are given, to "
            f"{found.worst:.0e} of the largest update",
            faults=(named, *self.troubles),
            departure=self.departure(rule, values),
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


def _without_influence(name: str, value: float) -> Named:
    return Named(
        "hyperparameter without influence",
        f"{name} = {number(value)} was passed and has no effect (no influence on any update): it is ignored",
    )


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


# ---- the whole bank ----------------------------------------------------------------------------------------


class _Checks:
    """The box on every probe of the bank, beside the rule that was found."""

    def __init__(self, owner: _Diagnosing, rule: Rule, values: Values) -> None:
        self.owner, self.rule, self.values = owner, rule, values
        seen = owner.seen
        shape = {2: None, 1: (6,), 0: ()}.get(len(seen.shape))
        self.probes = bank(rule, values, seen.dtype, shape=shape, long=LONG)
        self.runs: list[tuple[Probe, Run]] = []
        self.departure: Departure | None = None
        self.failed, self.note = "", ""
        self.notes: list[str] = []
        self.updates, self.worst, self.skipped = 0, 0.0, 0
        for probe in self.probes:
            self.check(probe)

    def given(self, rule: Rule) -> dict[str, float]:
        read = {h.name for h in rule.hyperparameters}
        return {n: v for n, v in self.values.items() if n in read and n != "lr"}

    def check(self, probe: Probe) -> None:
        """Compare on one probe; the first departure is kept."""
        owner = self.owner
        if not owner.seen.shape and len(probe.params) > 1:
            return
        run = run_box(owner.make, probe, owner.adapter, states=False)
        if not run.count or (run.unsupported and not run.count):
            self.skipped += 1
            return
        try:
            expected = run_rule(self.rule, self.given(self.rule), probe, states=False)
        except (ValueError, np.linalg.LinAlgError):
            self.skipped += 1
            return
        tolerance = max(expected.tolerance, LOOSE if self.loose() else 0.0)
        departure = compare(run, expected, tolerance)
        if departure is not None and probe.partial:
            shared = run_rule(self.rule, self.given(self.rule), probe, clock="shared", states=False)
            if compare(run, shared, tolerance) is None:
                self.notes.append("t goes on for a parameter without a gradient")
                departure, expected = None, shared
        if departure is not None and _overflowed(expected, departure):
            departure = None
        if departure is None:
            self.runs.append((probe, run))
            self.updates += run.count
            self.worst = max(self.worst, largest_relative(run, expected))
        elif self.departure is None or (self.departure.near and not departure.near):
            self.departure, self.failed, self.note = departure, probe.name, probe.note

    def loose(self) -> bool:
        """Is a constant not at a round number? Its last digits are then those of a fit."""
        known = set(self.owner.seen.shown.values())
        return any(
            float(f"{v:.7g}") != v and v not in known and 1 - float(f"{1 - v:.7g}") != v
            for v in self.values.values()
        )

    def sure(self, best: Fit) -> str:
        """How sure: what agrees, and how well constants are known."""
        total = len(self.probes) - self.skipped
        text = (
            f"{len(self.runs)} of {total} probes agree ({self.updates} updates), largest relative error "
            f"{self.worst:.1e}"
        )
        vague = [
            f"{n} to {best.spread[n]:.0e}" for n, v in self.values.items()
            if 1e-6 * abs(v) < best.spread.get(n, 0.0) < math.inf and float(f"{v:.4g}") != v
        ]  # fmt: skip
        return text + (f"; known only roughly: {', '.join(vague)}" if vague else "")

    def alike(self) -> Iterator[tuple[Rule, str]]:
        """Dialects one or two axes away that agree with the box on every probe, and why."""
        order = sorted(self.runs, key=lambda pair: len(pair[0].steps))
        for other in self.rule.dialects():
            away = [a for a in other.options if other.options[a] != self.rule.options[a]]
            if not 0 < len(away) <= 1 or self.needs_more(other):
                continue
            if all(self.agrees(other, probe, run) for probe, run in order):
                yield other, self.why(away[0], other)

    def needs_more(self, other: Rule) -> bool:
        own = {h.name for h in self.rule.hyperparameters}
        return any(h.name not in own for h in other.hyperparameters)

    def agrees(self, other: Rule, probe: Probe, run: Run) -> bool:
        try:
            expected = run_rule(other, self.given(other), probe, states=False)
            return matches(run, expected, max(expected.tolerance, LOOSE if self.loose() else 0.0))
        except (ValueError, KeyError, TypeError, np.linalg.LinAlgError):
            return False

    def why(self, axis: str, other: Rule) -> str:
        """Why no probe tells a dialect from the one that was found."""
        zero = [n for n, v in self.values.items() if v == 0]
        if axis in ("lr_placement", "buffer") and not self.owner.seen.settable:
            return "they differ once lr changes, and this optimizer's cannot be changed in mid-run"
        if zero:
            return f"the same while {' and '.join(f'{n} = 0' for n in zero)}"
        return "with these constants no probe that it takes shows a difference"


def _overflowed(expected: Run, departure: Departure) -> bool:
    """The rule itself is no number any more."""
    return not math.isfinite(departure.expected) and departure.of == "update"


__all__ = ["TOLERANCE", "Diagnosis", "Named", "Other", "diagnose", "differs", "t"]
