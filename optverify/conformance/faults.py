"""What can go wrong when a rule is written down again: named kinds of faults, each a way to run the rule.

This is the way the rule is driven: counters, gradients, memory. Slips in its lines are in `slips`. Each is
held against what a box did like any dialect; one that gives every update is what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from optverify.conformance.model import PLAIN, Record, Twist
from optverify.language import Rule, lr, t
from optverify.language.symbols import State

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Fault:
    """One thing gone wrong. kind: a word or two; text: a sentence; rule, twist: how it is run."""

    kind: str
    text: str
    rule: Rule
    twist: Twist = PLAIN
    line: str = ""

    def __hash__(self) -> int:
        return hash((self.kind, self.text, self.rule))


def faults(rule: Rule) -> Iterator[Fault]:
    """Every fault that the rule, in this dialect, can have; the commoner first."""
    yield from _counters(rule)
    yield from _memory(rule)
    yield from _gradients(rule)
    yield from _steps(rule)


# ---- counters ----------------------------------------------------------------------------------------------


def _counters(rule: Rule) -> Iterator[Fault]:
    if not any(t in rhs.free_symbols for _, rhs in rule.assignments):
        return

    def at(first: int, pace: int = 1) -> Twist:
        return Twist(clock=lambda r: first + pace * (r.clock - 1))

    for first in (2, 0, 3, -1):
        text = f"the counter starts elsewhere: first t = {first}, not 1 (off by {abs(first - 1)})"
        if first == 0:
            text += "; 1 - beta^0 = 0 is divided by at the first update"
        yield Fault("counter starts elsewhere", text, rule, at(first))
    for pace in (2, 3, 4):
        for first in (1, pace):
            yield Fault(
                "counter too fast",
                f"the counter advances {pace} times an update: t = {first}, {first + pace}, ..., "
                "as if every parameter (or every call) moved it",
                rule,
                at(first, pace),
            )
    for name, late in (("max(t - 1, 1)", _late), ("t + 1 from the second update on", _early)):
        yield Fault(
            "counter out of step",
            f"the counter is out of step: t is {name}, as if it were moved at the wrong place in the loop",
            rule,
            Twist(clock=late),
        )
    for first in (1, 2):
        yield Fault(
            "counter stands still",
            f"the counter stands still at t = {first}",
            rule,
            at(first, 0),
        )


def _late(record: Record) -> Array:
    return np.asarray(np.maximum(record.clock - 1, 1))


def _early(record: Record) -> Array:
    return record.clock + (record.clock > 1)


# ---- memory ------------------------------------------------------------------------------------------------


def _memory(rule: Rule) -> Iterator[Fault]:
    names = [s.name for s in rule.states]
    if not names:
        return
    yield Fault(
        "state resets every step",
        f"the state ({', '.join(names)}) resets every step: nothing is remembered",
        rule,
        Twist(kept=_frozen(names)),
    )
    for state in rule.states:
        yield Fault(
            "state never kept",
            f"the state {state.name} is never kept: it starts anew at {state.initial} in every update, so that "  # noqa: E501
            "what is to remember does nothing",
            rule,
            Twist(kept=_frozen([state.name])),
        )
    yield from _stored(rule)
    yield from _grown(rule)
    yield from _lazy(rule, names)


def _frozen(names: list[str]) -> Callable[..., dict[str, Any]]:
    return lambda before, every, grad, k: {n: before[n] for n in names}


def _stored(rule: Rule) -> Iterator[Fault]:
    """Another value is stored in place of the state."""
    assigned = [str(lhs.name).removesuffix("_t") for lhs, _ in rule.assignments]
    states = {s.name: s for s in rule.states}
    hats = [s for s in rule.states if f"{s.name}_hat" in assigned]
    if len(hats) > 1:
        text = ", ".join(f"{s.name} by {s.name}_hat" for s in hats)
        yield Fault(
            "state overwritten",
            f"the stored moments are overwritten by their bias-corrected values ({text}): the state is corrected "  # noqa: E501
            "again and again",
            rule,
            Twist(kept=_joined([_copied(s, f"{s.name}_hat") for s in hats])),
        )
    for state in rule.states:
        for other in assigned:
            if other in (state.name, "theta") or getattr(states.get(other), "side", state.side) != state.side:
                continue
            corrected = other == f"{state.name}_hat"
            yield Fault(
                "state overwritten",
                f"the stored {state.name} is overwritten by {other}"
                + (
                    ", its bias-corrected value: the state itself is corrected again and again"
                    if corrected
                    else ""
                ),
                rule,
                Twist(kept=_copied(state, other)),
            )


def _joined(each: list[Callable[..., dict[str, Any]]]) -> Callable[..., dict[str, Any]]:
    return lambda *given: {n: x for one in each for n, x in one(*given).items()}


def _copied(state: State, other: str) -> Callable[..., dict[str, Any]]:
    def kept(before: Mapping[str, Any], every: Mapping[str, Any], grad: Array, k: int) -> dict[str, Any]:
        value = every.get(other, grad if other == "g" else before[state.name])
        old = before[state.name]
        fits = np.shape(value)[1:] == np.shape(old)[1:]
        return {state.name: value if fits else np.full_like(old, np.nan)}

    return kept


def _grown(rule: Rule) -> Iterator[Fault]:
    """Epsilon is added to a state, again in every update."""
    for h in rule.hyperparameters:
        if not h.name.startswith("eps"):
            continue
        for state in rule.states:

            def kept(  # noqa: PLR0917
                before: Mapping[str, Any],
                every: Mapping[str, Any],
                grad: Array,
                k: int,
                name: str = state.name,
                small: str = h.name,
            ) -> dict[str, Any]:
                return {name: every[name] + every[small]}

            yield Fault(
                "epsilon accumulates",
                f"{h.name} is added to the stored {state.name} (in place), so that epsilon accumulates: "
                f"{state.name} grows by {h.name} in every step",
                rule,
                Twist(kept=kept),
            )


def _lazy(rule: Rule, names: list[str]) -> Iterator[Fault]:
    """Coordinates without a gradient are left alone."""

    def kept(before: Mapping[str, Any], every: Mapping[str, Any], grad: Array, k: int) -> dict[str, Any]:
        return {n: np.where(grad == 0, before[n], every[n]) for n in names}

    def moved(before: Array, after: Array, grad: Array) -> Array:
        return np.where(grad == 0, before, after)

    def counted(record: Record) -> Array:
        return np.maximum(np.cumsum(record.grads != 0, axis=0), 1)  # type: ignore[no-any-return]

    lazy = (
        "lazy (sparse) variant: a coordinate with a zero gradient gets no update and its state does not decay"
    )
    yield Fault("lazy updates", f"{lazy}; t is global", rule, Twist(kept=kept, moved=moved))
    yield Fault(
        "lazy updates",
        f"{lazy}; t counts the gradients of each coordinate (per row)",
        rule,
        Twist(kept=kept, moved=moved, clock=counted),
    )
    yield from _skipped(rule, names)
    yield Fault(
        "lazy updates",
        "a coordinate with a zero gradient gets no update, though its state decays (masked)",
        rule,
        Twist(moved=moved),
    )


def _skipped(rule: Rule, names: list[str]) -> Iterator[Fault]:
    """Arrays without a gradient are left alone."""

    def none(grad: Array) -> Array:
        return np.asarray(np.all(grad == 0, axis=tuple(range(1, grad.ndim)), keepdims=True))

    def kept(before: Mapping[str, Any], every: Mapping[str, Any], grad: Array, k: int) -> dict[str, Any]:
        return {n: np.where(none(grad), before[n], every[n]) for n in names}

    def moved(before: Array, after: Array, grad: Array) -> Array:
        return np.where(none(grad), before, after)

    def counted(record: Record) -> Array:
        return np.asarray(np.maximum(np.cumsum(~none(record.grads).ravel()), 1))

    text = (
        "an array without any gradient (all zeros) is skipped, lazy: no update, and its state does not decay"
    )
    yield Fault("lazy updates", f"{text}; t goes on", rule, Twist(kept=kept, moved=moved))
    yield Fault("lazy updates", f"{text}; t stands still", rule, Twist(kept=kept, moved=moved, clock=counted))


# ---- gradients and learning rates --------------------------------------------------------------------------


def _gradients(rule: Rule) -> Iterator[Fault]:
    def seen(f: Callable[[Array], Array]) -> Twist:
        return Twist(gradients=lambda r: f(r.grads))

    def axes(x: Array) -> tuple[int, ...]:
        return tuple(range(1, x.ndim))

    def late(x: Array) -> Array:
        return np.concatenate([np.zeros_like(x[:1]), x[:-1]])

    yield Fault(
        "lag of one step",
        "it lags by one step: each update uses the gradient of the one before",
        rule,
        seen(late),
    )
    yield Fault(
        "lag of one step",
        "it lags by one step: each update is the one that was due before, the first is 0",
        rule,
        Twist(whole=lambda made, r: np.concatenate([0 * made[:, :1], made[:, :-1]], axis=1)),
    )
    yield Fault(
        "gradients pile up",
        "gradients pile up: each update uses the sum of all gradients so far, "
        "as if they were never set to zero",
        rule,
        seen(lambda x: np.cumsum(x, axis=0)),
    )
    yield Fault(
        "gradient normalized",
        "the gradient is divided by its norm first",
        rule,
        seen(lambda x: x / np.sqrt(np.sum(x * x, axis=axes(x), keepdims=True))),
    )
    yield Fault("gradient replaced", "the sign of the gradient is used for the gradient", rule, seen(np.sign))
    yield Fault(
        "gradient replaced", "the absolute value of the gradient is used for the gradient", rule, seen(np.abs)
    )
    yield Fault(
        "gradient replaced", "the square of the gradient is used for the gradient", rule, seen(np.square)
    )
    yield Fault(
        "gradient centered",
        "the mean of the gradient is subtracted first (gradient centralization)",
        rule,
        seen(lambda x: x - x.mean(axis=tuple(range(2, x.ndim)) or axes(x), keepdims=True)),
    )
    yield Fault(
        "gradient scaled",
        "the gradient is divided by its number of coordinates first",
        rule,
        seen(lambda x: x / max(x[0].size, 1)),
    )
    if lr in {h.symbol for h in rule.hyperparameters}:
        yield from _rates()(rule)


def _rates() -> Callable[[Rule], Iterator[Fault]]:
    def own(value: Any, rates: Array, k: int) -> Any:
        return value if np.isnan(rates[k]) else np.full_like(value, rates[k])

    def generate(rule: Rule) -> Iterator[Fault]:
        yield Fault(
            "lr applied twice",
            "lr is applied twice: the step is proportional to lr^2",
            rule,
            Twist(rate=lambda v, rates, k: own(v, rates, k) ** 2),
        )
        yield Fault(
            "lr change ignored",
            "a change of lr in mid-run has no effect: lr is read once, at the start",
            rule,
            Twist(rate=lambda v, rates, k: v),
        )
        yield Fault(
            "lr change late",
            "a change of lr acts one update late",
            rule,
            Twist(rate=lambda v, rates, k: own(v, rates, k - 1) if k else v),
        )
        yield Fault(
            "lr change compounded",
            "a new lr is multiplied by the old one, where it should replace it",
            rule,
            Twist(rate=_compounded),
        )

    return generate


def _compounded(value: Any, rates: Array, k: int) -> Any:
    now, last = value, np.nan
    for rate in rates[: k + 1]:
        if not np.isnan(rate) and rate != last:
            now, last = now * rate, rate
    return now


# ---- steps -------------------------------------------------------------------------------------------------


def _steps(rule: Rule) -> Iterator[Fault]:
    def cautious(scaled: bool) -> Callable[[Array, Array, Array], Array]:
        def moved(before: Array, after: Array, grad: Array) -> Array:
            u = after - before
            mask = (u * grad < 0) * 1.0
            inner = tuple(range(1, mask.ndim))
            if scaled:
                mask = mask / np.maximum(mask.mean(axis=inner, keepdims=True), 1e-3)
            return before + u * mask  # type: ignore[no-any-return]

        return moved

    for scaled in (False, True):
        text = "cautious: coordinates in which the step does not go against the gradient are masked"
        yield Fault(
            "masked", text + (", the others scaled up" if scaled else ""), rule, Twist(moved=cautious(scaled))
        )
    yield Fault(
        "two updates a call",
        "every call makes two updates with the same gradient",
        rule,
        Twist(repeat=2, clock=lambda r: r.clock),
    )
    yield Fault(
        "decay in place of the step",
        "the parameters are never moved",
        rule,
        Twist(whole=lambda made, r: 0 * made),
    )
    yield Fault(
        "own schedule", "its learning rate follows a schedule of its own", rule, Twist(whole=scheduled)
    )


def scheduled(made: Array, record: Record) -> Array:
    """Each update times the factor with which it comes nearest to that of the box."""
    with np.errstate(all="ignore"):
        return made * factors(made, record)


def factors(made: Array, record: Record) -> Array:
    """A factor for each update, the same for all coordinates."""
    inner = tuple(range(2, made.ndim))
    good = np.isfinite(made) & np.isfinite(record.moves)[None]
    x = np.where(good, made / record.scale, 0)
    y = np.where(good, (record.moves / record.scale)[None], 0)
    below = np.sum(x * x, axis=inner, keepdims=True)
    return np.where(below > 0, np.sum(x * y, axis=inner, keepdims=True) / np.where(below > 0, below, 1), 1.0)
