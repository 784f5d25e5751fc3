"""What can go wrong when a rule is written down again: named kinds of faults, each a way to run the rule.

Two sorts: the way the rule is driven (counters, gradients, memory, several parameters), and single slips in
one of its lines (a term, sign, index, order, exponent or comparison gone wrong). Each is fitted to what a box
did like any dialect; one that gives every update is what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy as sp

from optverify.conformance.fit import PLAIN, Record, Twist
from optverify.language import Rule, eps, g, grad, lr, t, theta, weight_decay
from optverify.language.symbols import State
from optverify.views.mutants import mutants

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
    for first in (1, 2):
        yield Fault("counter stands still", f"the counter stands still at t = {first}", rule,
                    Twist(clock=lambda r, f=first: np.full(len(r.clock), f)))  # type: ignore[misc]  # fmt: skip


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
                + (", its bias-corrected value: the state itself is corrected again and again" if corrected
                   else ""),
                rule,
                Twist(kept=_copied(state, other)),
            )  # fmt: skip


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
                before: Mapping[str, Any], every: Mapping[str, Any], grad: Array, k: int,
                name: str = state.name, small: str = h.name,
            ) -> dict[str, Any]:  # fmt: skip
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
    yield Fault("lazy updates", f"{lazy}; t counts the gradients of each coordinate (per row)", rule,
                Twist(kept=kept, moved=moved, clock=counted))  # fmt: skip
    yield Fault("lazy updates", "a coordinate with a zero gradient gets no update, though its state decays (masked)",  # noqa: E501
                rule, Twist(moved=moved))  # fmt: skip


# ---- gradients and learning rates --------------------------------------------------------------------------


def _gradients(rule: Rule) -> Iterator[Fault]:
    def seen(f: Callable[[Array], Array]) -> Twist:
        return Twist(gradients=lambda r: f(r.grads))

    def axes(x: Array) -> tuple[int, ...]:
        return tuple(range(1, x.ndim))

    def late(x: Array) -> Array:
        return np.concatenate([np.zeros_like(x[:1]), x[:-1]])

    yield Fault("lag of one step", "it lags by one step: each update uses the gradient of the one before", rule,  # noqa: E501
                seen(late))  # fmt: skip
    yield Fault("lag of one step", "it lags by one step: each update is the one that was due before, the first is 0",  # noqa: E501
                rule, Twist(whole=lambda made, r: np.concatenate([0 * made[:, :1], made[:, :-1]], axis=1)))  # fmt: skip  # noqa: E501
    yield Fault("gradients pile up", "gradients pile up: each update uses the sum of all gradients so far, "
                "as if they were never set to zero", rule, seen(lambda x: np.cumsum(x, axis=0)))  # fmt: skip
    yield Fault("gradient normalized", "the gradient is divided by its norm first", rule,
                seen(lambda x: x / np.sqrt(np.sum(x * x, axis=axes(x), keepdims=True))))  # fmt: skip
    yield Fault("gradient replaced", "the sign of the gradient is used for the gradient", rule, seen(np.sign))
    yield Fault("gradient replaced", "the absolute value of the gradient is used for the gradient", rule,
                seen(np.abs))  # fmt: skip
    yield Fault(
        "gradient replaced", "the square of the gradient is used for the gradient", rule, seen(np.square)
    )
    yield Fault("gradient centered", "the mean of the gradient is subtracted first (gradient centralization)", rule,  # noqa: E501
                seen(lambda x: x - x.mean(axis=tuple(range(2, x.ndim)) or axes(x), keepdims=True)))  # fmt: skip  # noqa: E501
    yield Fault("gradient scaled", "the gradient is divided by its number of coordinates first", rule,
                seen(lambda x: x / max(x[0].size, 1)))  # fmt: skip
    if lr in {h.symbol for h in rule.hyperparameters}:
        yield from _rates()(rule)


def _rates() -> Callable[[Rule], Iterator[Fault]]:
    def own(value: Any, rates: Array, k: int) -> Any:
        return value if np.isnan(rates[k]) else np.full_like(value, rates[k])

    def generate(rule: Rule) -> Iterator[Fault]:
        yield Fault("lr applied twice", "lr is applied twice: the step is proportional to lr^2", rule,
                    Twist(rate=lambda v, rates, k: own(v, rates, k) ** 2))  # fmt: skip
        yield Fault("lr change ignored", "a change of lr in mid-run has no effect: lr is read once, at the start", rule,  # noqa: E501
                    Twist(rate=lambda v, rates, k: v))  # fmt: skip
        yield Fault("lr change late", "a change of lr acts one update late", rule,
                    Twist(rate=lambda v, rates, k: own(v, rates, k - 1) if k else v))  # fmt: skip
        yield Fault("lr change compounded", "a new lr is multiplied by the old one, where it should replace it", rule,  # noqa: E501
                    Twist(rate=_compounded))  # fmt: skip

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
        yield Fault("masked", text + (", the others scaled up" if scaled else ""), rule,
                    Twist(moved=cautious(scaled)))  # fmt: skip
    yield Fault("two updates a call", "every call makes two updates with the same gradient", rule,
                Twist(repeat=2, clock=lambda r: r.clock))  # fmt: skip
    yield Fault("decay in place of the step", "the parameters are never moved", rule,
                Twist(whole=lambda made, r: 0 * made))  # fmt: skip
    yield Fault("own schedule", "its learning rate follows a schedule of its own", rule,
                Twist(whole=scheduled))  # fmt: skip


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


# ---- slips in a line ---------------------------------------------------------------------------------------


def slips(rule: Rule) -> Iterator[Fault]:
    """The rule with one slip in one line, in every way that is known; none twice."""
    seen = {rule.assignments}
    lines = {str(lhs): rhs for lhs, rhs in rule.assignments}
    for fault in _all_slips(rule):
        key = (fault.rule.assignments, fault.rule.every_state, fault.rule.gradient_point)
        if key in seen or (fault.rule.assignments == rule.assignments and not fault.text.startswith("state")):
            continue
        seen.add(key)  # type: ignore[arg-type]
        name = fault.line.split(" = ")[0]
        if name in lines:
            fault = replace(  # noqa: PLW2901
                fault, text=f"{fault.text}: the line reads {fault.line}, not {name} = {lines[name]}"
            )
        yield fault


def _all_slips(rule: Rule) -> Iterator[Fault]:
    yield from _words(rule)
    yield from _orders(rule)
    yield from _exponents(rule)
    yield from _means(rule)
    yield from _choices(rule)
    yield from _factors(rule)
    yield from _starts(rule)
    for m in mutants(rule):
        line = m.description
        if " starts at " in line or line.startswith("gradient at "):
            continue
        yield Fault("slip in a line", _described(rule, m.rule), m.rule, line=line)


def changed(rule: Rule, place: int, new: sp.Expr) -> Rule:
    """The rule with one line changed."""
    lines = list(rule.assignments)
    lines[place] = (lines[place][0], new)
    return replace(rule, assignments=tuple(lines))


def _fault(kind: str, text: str, rule: Rule, place: int, new: sp.Expr) -> Iterator[Fault]:
    lhs, old = rule.assignments[place]
    if new != old and not new.has(sp.nan, sp.zoo, sp.oo, sp.I):
        yield Fault(kind, text, changed(rule, place, new), line=f"{lhs} = {new}")


def _words(rule: Rule) -> Iterator[Fault]:
    """Slips that have a name: in weight decay, in signs, in the square of the gradient."""
    for i, (_, rhs) in enumerate(rule.assignments):
        if weight_decay in rhs.free_symbols:
            yield from _fault("weight decay", "weight decay has the wrong sign: |theta| grows under decay", rule, i,  # noqa: E501
                              rhs.xreplace({weight_decay: -weight_decay}))  # fmt: skip
            for of, words in ((g[t], "the gradient"), (grad, "the gradient")):
                if of == g[t] and i == 0:
                    continue
                product = weight_decay * theta.before
                yield from _fault("weight decay", f"weight decay multiplies {words}: the L2 term scales with g", rule,  # noqa: E501
                                  i, rhs.subs(product, product * of))  # fmt: skip
                yield from _fault("weight decay", f"weight decay multiplies {words}, not theta: the L2 term scales "  # noqa: E501
                                  "with g", rule, i, rhs.subs(product, weight_decay * of))  # fmt: skip
            yield from _fault("weight decay", "weight decay does not depend on theta: the decay is independent of x",  # noqa: E501
                              rule, i, rhs.subs(weight_decay * theta.before, weight_decay))  # fmt: skip
            yield from _fault("weight decay", "weight decay is applied twice (once per group)", rule, i,
                              rhs.xreplace({weight_decay: weight_decay * (2 - lr * weight_decay)})
                              if i else rhs.xreplace({weight_decay: 2 * weight_decay}))  # fmt: skip
            yield from _fault("weight decay", "weight decay is not multiplied by lr", rule, i,
                              rhs.subs(lr * weight_decay, weight_decay))  # fmt: skip


def _orders(rule: Rule) -> Iterator[Fault]:
    """A value from before the update for the new one, or the other way round; lines in another order."""
    assigned: set[sp.Symbol] = set()
    variables = [lhs for lhs, _ in rule.assignments]
    for i, (lhs, rhs) in enumerate(rule.assignments):
        for state in (*rule.states,):
            if state.now in rhs.free_symbols and state.now in assigned:
                yield from _fault("order", f"{state.name} is read before it is updated: the old value for the new",  # noqa: E501
                                  rule, i, rhs.xreplace({state.now: state.before}))  # fmt: skip
            elif state.before in rhs.free_symbols and state.now in assigned:
                yield from _fault("order", f"{state.name} is read after it is updated: the new value for the old", rule,  # noqa: E501
                                  i, rhs.xreplace({state.before: state.now}))  # fmt: skip
        reads = [s for s in rhs.free_symbols if s in assigned or s == grad]
        for read in reads:
            for other in (*variables[:i], *((grad,) if i else ())):
                if other != read and other not in rhs.free_symbols:
                    yield from _fault("wrong variable", f"{_plain(other)} is used for {_plain(read)}", rule, i,  # noqa: E501
                                      rhs.xreplace({read: other}))  # fmt: skip
        assigned.add(lhs)


def _plain(symbol: sp.Symbol) -> str:
    return str(symbol.name).removesuffix("_t").replace("_{t-1}", " (before)")


def _exponents(rule: Rule) -> Iterator[Fault]:
    """Powers gone wrong: squared again, not squared, a root too many or too few."""
    for i, (_, rhs) in enumerate(rule.assignments):
        for part in sorted(rhs.atoms(sp.Pow), key=str):
            if part.exp == 2:
                whole = _product_with(rhs, part)
                for target in dict.fromkeys([whole, part]):
                    yield from _fault("exponent", f"{target} is squared again: quartic in {part.base}", rule, i,  # noqa: E501
                                      rhs.xreplace({target: target**2}))  # fmt: skip
                yield from _fault("exponent", f"the absolute value stands for the square of {part.base}", rule, i,  # noqa: E501
                                  rhs.xreplace({part: sp.Abs(part.base)}))  # fmt: skip
            if part.exp == sp.Rational(1, 2):
                yield from _fault("exponent", f"a fourth root stands for the square root of {part.base}", rule, i,  # noqa: E501
                                  rhs.xreplace({part: part.base ** sp.Rational(1, 4)}))  # fmt: skip
            if part.exp == sp.Rational(-1, 2):
                yield from _fault("exponent", f"the square root of {part.base} is missing", rule, i,
                                  rhs.xreplace({part: 1 / part.base}))  # fmt: skip
            if part.exp.has(t) and not part.exp.is_number:
                yield from _fault("exponent", f"the power of {part.base} is missing: {part.base} for {part}", rule, i,  # noqa: E501
                                  rhs.xreplace({part: part.base}))  # fmt: skip
        for s in sorted(rhs.free_symbols, key=str):
            if s in (t, *(h.symbol for h in rule.hyperparameters)):
                continue
            yield from _fault("exponent", f"{_plain(s)} is squared", rule, i, rhs.xreplace({s: s**2}))
            yield from _fault("exponent", f"the square root of {_plain(s)} is taken", rule, i,
                              rhs.xreplace({s: sp.sqrt(s)}))  # fmt: skip


def _means(rule: Rule) -> Iterator[Fault]:
    """A decaying mean of what is added, or of its square, for a sum with the weight 1 - beta."""
    for i, (lhs, rhs) in enumerate(rule.assignments):
        state = next((s for s in rule.states if s.now == lhs), None)
        if state is None or not rhs.is_Add or state.before not in rhs.args:
            continue
        added = rhs - state.before
        for h in rule.hyperparameters:
            weight = 1 - h.symbol
            if weight not in added.args:
                continue
            new = -added / weight if added.could_extract_minus_sign() else added / weight
            for power, words in (
                (1, "the decaying mean"),
                (2, "the decaying mean of the square, quartic in g: squared again"),
            ):
                yield from _fault("recurrence", f"{state.name} is {words} of what is to be added", rule, i,
                                  h.symbol * state.before + weight * new**power)  # fmt: skip


def _product_with(e: sp.Expr, part: sp.Expr) -> sp.Expr:
    """The part with the signs it is multiplied by."""
    for product in e.atoms(sp.Mul):
        if part in product.args:
            kept = [a for a in product.args if a == part or isinstance(a, sp.sign)]
            if len(kept) > 1:
                return sp.Mul(*kept)
    return part


def _choices(rule: Rule) -> Iterator[Fault]:
    """Comparisons gone wrong, and branches never taken."""
    turned = {sp.StrictGreaterThan: sp.GreaterThan, sp.GreaterThan: sp.StrictGreaterThan,
              sp.StrictLessThan: sp.LessThan, sp.LessThan: sp.StrictLessThan}  # fmt: skip
    for i, (_, rhs) in enumerate(rule.assignments):
        for c in sorted(rhs.atoms(sp.core.relational.Relational), key=str):
            if type(c) in turned:
                other = turned[type(c)](c.lhs, c.rhs)
                yield from _fault(
                    "comparison", f"the comparison is {other}, not {c}", rule, i, rhs.subs(c, other)
                )
            reverse = c.negated
            yield from _fault("comparison", f"the comparison is the wrong way round: {reverse}, not {c}", rule, i,  # noqa: E501
                              rhs.subs(c, reverse))  # fmt: skip
        for p in sorted(rhs.atoms(sp.Piecewise), key=str):
            for value, condition in p.args:
                if condition != True:  # noqa: E712 -- SymPy's
                    yield from _fault("comparison", f"the case {condition} is never told apart", rule, i,
                                      rhs.xreplace({p: p.args[-1][0]}))  # fmt: skip
                    yield from _fault("comparison", f"the result is 0 where not {condition}", rule, i,
                                      rhs.xreplace({p: sp.Piecewise((value, condition), (0, True))}))  # fmt: skip  # noqa: E501


def _factors(rule: Rule) -> Iterator[Fault]:
    """A factor too many: of lr, of 1 - beta, of 2; one upside down; a term of the other sign."""
    own = {h.symbol for h in rule.hyperparameters}
    extra = [(lr, "lr")] if lr in own else []
    extra += [
        (1 - h, f"1 - {h}") for h in sorted(own, key=str) if h.name.startswith(("beta", "rho", "momentum"))
    ]
    extra += [(sp.Integer(2), "2"), (sp.Rational(1, 2), "1/2")]
    for i, (lhs, rhs) in enumerate(rule.assignments):
        for term in rhs.args if rhs.is_Add else (rhs,):
            for factor, name in extra:
                kind = "lr applied twice" if name == "lr" and lr in term.free_symbols else "factor"
                text = "lr is applied twice" if kind != "factor" else f"a factor {name} too many at {term}"
                yield from _fault(kind, text, rule, i, rhs - term + factor * term)
                if factor in (lr,) or factor.is_Add:
                    yield from _fault("factor", f"a factor {name} is missing at {term}", rule, i,
                                      rhs - term + term / factor)  # fmt: skip
            if rhs.is_Add:
                went = "it goes uphill: " if lhs == theta.now and term != theta.before else ""
                yield from _fault("sign", f"{went}the term {term} has the wrong sign (added instead of subtracted, "  # noqa: E501
                                  "or the reverse)", rule, i, rhs - 2 * term)  # fmt: skip
        if eps in rhs.free_symbols:
            yield from _fault(
                "epsilon", "eps has no effect: it is 0", rule, i, rhs.xreplace({eps: sp.S.Zero})
            )
            yield from _fault("epsilon", "eps is subtracted", rule, i, rhs.xreplace({eps: -eps}))
            yield from _fault("epsilon", "eps is squared", rule, i, rhs.xreplace({eps: eps**2}))
            yield from _floors(rule, i, rhs)


def _floors(rule: Rule, i: int, rhs: sp.Expr) -> Iterator[Fault]:
    """Epsilon as a floor, or on the numerator's side."""
    for total in sorted(rhs.atoms(sp.Add), key=str):
        if eps in total.args and len(total.args) == 2:
            other = total - eps
            yield from _fault("epsilon", "eps is a floor of the denominator (max), not added", rule, i,
                              rhs.xreplace({total: sp.Max(other, eps)}))  # fmt: skip
            if other.is_Pow and other.exp == sp.Rational(1, 2):
                yield from _fault("epsilon", "eps stands inside the square root and outside too", rule, i,
                                  rhs.xreplace({total: sp.sqrt(other.base + eps) + eps}))  # fmt: skip
                yield from _fault("epsilon", "the square of eps stands inside the square root", rule, i,
                                  rhs.xreplace({total: sp.sqrt(other.base + eps**2)}))  # fmt: skip


def _starts(rule: Rule) -> Iterator[Fault]:
    """States that start elsewhere: at 1, at the first gradient, at its square; momentum that starts undamped."""  # noqa: E501
    for state in rule.states:
        for value in (sp.S.One, sp.S.Zero, theta.before):
            if value == state.initial or (value == theta.before and state.side) or state.scalar:
                continue
            states = tuple(replace(s, initial=value) if s == state else s for s in rule.every_state)
            yield Fault("state starts elsewhere", f"state {state.name} starts at {value}, not {state.initial}",  # noqa: E501
                        replace(rule, every_state=states))  # fmt: skip
        place = next((i for i, (lhs, _) in enumerate(rule.assignments) if lhs == state.now), None)
        if place is None or state.side or state.scalar:
            continue
        rhs = rule.assignments[place][1]
        reads = g[t] if place else grad
        for value, words in ((reads, "the first gradient"), (reads**2, "the square of the first gradient")):
            yield from _fault("first step", f"{state.name} after the first update is {words}, without its weight",  # noqa: E501
                              rule, place, sp.Piecewise((value, sp.Eq(t, 1)), (rhs, True)))  # fmt: skip
        yield from _fault("first step", f"{state.name} is not updated in the first step", rule, place,
                          sp.Piecewise((state.before, sp.Eq(t, 1)), (rhs, True)))  # fmt: skip


def _described(rule: Rule, other: Rule) -> str:
    """What a mutant changes, in words: the part of the line that is another."""
    for (lhs, old), (_, new) in zip(rule.assignments, other.assignments, strict=True):
        if old == new:
            continue
        name = _plain(lhs)
        gone = old.free_symbols - new.free_symbols
        came = new.free_symbols - old.free_symbols
        if new == -old:
            return f"the sign of {name} is wrong"
        if gone and came:
            return f"{_list(came)} stands for {_list(gone)} in the line of {name}"
        if gone:
            return f"{_list(gone)} is missing in the line of {name}"
        return f"one slip in the line of {name}"
    return "one slip"


def _list(symbols: set[sp.Symbol]) -> str:
    return ", ".join(sorted(_plain(s) for s in symbols))
