"""Slips in the lines of a rule: a term, sign, index, order, exponent or comparison gone wrong.

Each is the rule with a line changed; none comes twice. Those that have a name come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import sympy as sp

from optverify.conformance.faults import Fault
from optverify.language import Rule, eps, g, grad, lr, t, theta, weight_decay
from optverify.language.operators import mean, norm, rms
from optverify.views.mutants import mutants


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


def guarded(fault: Fault) -> Iterator[Fault]:
    """The slip as whoever saw NaN would have it: under roots the absolute value, or what is above 0."""
    for guard, words in ((_size, "the absolute value"), (_not_below_zero, "what is above 0")):
        lines = tuple((lhs, _under_roots(fault.rule, rhs, guard)) for lhs, rhs in fault.rule.assignments)
        if lines != fault.rule.assignments:
            text = f"{fault.text} (and the root is taken of {words})"
            yield replace(fault, text=text, rule=replace(fault.rule, assignments=lines))


def _size(x: sp.Expr) -> sp.Expr:
    return sp.Abs(x, evaluate=False)  # though it should not be negative


def _not_below_zero(x: sp.Expr) -> sp.Expr:
    return sp.Max(x, 0, evaluate=False)


def _under_roots(rule: Rule, e: sp.Expr, guard: Callable[[sp.Expr], sp.Expr]) -> sp.Expr:
    roots = {p: sp.Pow(guard(p.base), p.exp) for p in _roots(e) if p.base.free_symbols - _constants(rule)}
    return e.xreplace(roots)


def _roots(e: sp.Expr) -> list[sp.Pow]:
    """The square roots in an expression, and what is divided by them."""
    return sorted((p for p in e.atoms(sp.Pow) if abs(p.exp) == sp.Rational(1, 2)), key=str)


def _constants(rule: Rule) -> set[sp.Symbol]:
    return {t, *(h.symbol for h in rule.every_hyperparameter)}


def _all_slips(rule: Rule) -> Iterator[Fault]:
    yield from _words(rule)
    yield from everywhere(rule)
    yield from _orders(rule)
    yield from _exponents(rule)
    yield from _means(rule)
    yield from _choices(rule)
    yield from _branches(rule)
    yield from _restated(rule)
    yield from _factors(rule)
    yield from _upside_down(rule)
    yield from _starts(rule)
    yield from _at_first(rule)
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
            yield from _fault(
                "weight decay",
                "weight decay has the wrong sign: |theta| grows under decay",
                rule,
                i,
                rhs.xreplace({weight_decay: -weight_decay}),
            )
            for of, words in ((g[t], "the gradient"), (grad, "the gradient")):
                if of == g[t] and i == 0:
                    continue
                product = weight_decay * theta.before
                yield from _fault(
                    "weight decay",
                    f"weight decay multiplies {words}: the L2 term scales with g",
                    rule,
                    i,
                    rhs.subs(product, product * of),
                )
                yield from _fault(
                    "weight decay",
                    f"weight decay multiplies {words}, not theta: the L2 term scales with g",
                    rule,
                    i,
                    rhs.subs(product, weight_decay * of),
                )
            yield from _fault(
                "weight decay",
                "weight decay takes the sign of theta (L1), not theta",
                rule,
                i,
                rhs.subs(weight_decay * theta.before, weight_decay * sp.sign(theta.before)),
            )
            yield from _fault(
                "weight decay",
                "weight decay does not depend on theta: the decay is independent of x",
                rule,
                i,
                rhs.subs(weight_decay * theta.before, weight_decay),
            )
            yield from _fault(
                "weight decay",
                "weight decay is applied twice (once per group)",
                rule,
                i,
                rhs.xreplace({weight_decay: weight_decay * (2 - lr * weight_decay)})
                if i
                else rhs.xreplace({weight_decay: 2 * weight_decay}),
            )
            yield from _fault(
                "weight decay",
                "weight decay is not multiplied by lr",
                rule,
                i,
                rhs.subs(lr * weight_decay, weight_decay),
            )


def _orders(rule: Rule) -> Iterator[Fault]:
    """A value from before the update for the new one, or the other way round; lines in another order."""
    assigned: set[sp.Symbol] = set()
    variables = [lhs for lhs, _ in rule.assignments]
    for i, (lhs, rhs) in enumerate(rule.assignments):
        for state in (*rule.states,):
            if state.now in rhs.free_symbols and state.now in assigned:
                yield from _fault(
                    "order",
                    f"{state.name} is read before it is updated: the old value for the new",
                    rule,
                    i,
                    rhs.xreplace({state.now: state.before}),
                )
            elif state.before in rhs.free_symbols and state.now in assigned:
                yield from _fault(
                    "order",
                    f"{state.name} is read after it is updated: the new value for the old",
                    rule,
                    i,
                    rhs.xreplace({state.before: state.now}),
                )
        reads = [s for s in rhs.free_symbols if s in assigned or s == grad]
        for read in reads:
            for other in (*variables[:i], *((grad,) if i else ())):
                if other != read and other not in rhs.free_symbols:
                    yield from _fault(
                        "wrong variable",
                        f"{_plain(other)} is used for {_plain(read)}",
                        rule,
                        i,
                        rhs.xreplace({read: other}),
                    )
        assigned.add(lhs)


def _plain(symbol: sp.Expr) -> str:
    return str(symbol).removesuffix("_t").replace("_{t-1}", " (before)")


def _exponents(rule: Rule) -> Iterator[Fault]:
    """Powers gone wrong: squared again, not squared, a root too many or too few."""
    for i, (_, rhs) in enumerate(rule.assignments):
        for part in sorted(rhs.atoms(sp.Pow), key=str):
            if part.exp == 2:
                whole = _product_with(rhs, part)
                for target in dict.fromkeys([whole, part]):
                    yield from _fault(
                        "exponent",
                        f"{target} is squared again: quartic in {part.base}",
                        rule,
                        i,
                        rhs.xreplace({target: target**2}),
                    )
                yield from _fault(
                    "exponent",
                    f"the absolute value stands for the square of {part.base}",
                    rule,
                    i,
                    rhs.xreplace({part: sp.Abs(part.base)}),
                )
            if part.exp == sp.Rational(1, 2):
                yield from _fault(
                    "exponent",
                    f"the square root of {part.base} is missing",
                    rule,
                    i,
                    rhs.xreplace({part: part.base}),
                )
                yield from _fault(
                    "exponent",
                    f"a fourth root stands for the square root of {part.base}",
                    rule,
                    i,
                    rhs.xreplace({part: part.base ** sp.Rational(1, 4)}),
                )
            if part.exp == sp.Rational(-1, 2):
                yield from _fault(
                    "exponent",
                    f"the square root of {part.base} is missing",
                    rule,
                    i,
                    rhs.xreplace({part: 1 / part.base}),
                )
            if part.exp.has(t) and not part.exp.is_number:
                yield from _fault(
                    "exponent",
                    f"the power of {part.base} is missing: {part.base} for {part}",
                    rule,
                    i,
                    rhs.xreplace({part: part.base}),
                )
        for s in sorted(rhs.free_symbols, key=str):
            if s in (t, *(h.symbol for h in rule.hyperparameters)):
                continue
            yield from _fault("exponent", f"{_plain(s)} is squared", rule, i, rhs.xreplace({s: s**2}))
            yield from _fault(
                "exponent", f"the square root of {_plain(s)} is taken", rule, i, rhs.xreplace({s: sp.sqrt(s)})
            )


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
                yield from _fault(
                    "recurrence",
                    f"{state.name} is {words} of what is to be added",
                    rule,
                    i,
                    h.symbol * state.before + weight * new**power,
                )


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
    turned = {
        sp.StrictGreaterThan: sp.GreaterThan,
        sp.GreaterThan: sp.StrictGreaterThan,
        sp.StrictLessThan: sp.LessThan,
        sp.LessThan: sp.StrictLessThan,
    }
    for i, (_, rhs) in enumerate(rule.assignments):
        for c in sorted(rhs.atoms(sp.core.relational.Relational), key=str):
            if type(c) in turned:
                other = turned[type(c)](c.lhs, c.rhs)
                yield from _fault(
                    "comparison", f"the comparison is {other}, not {c}", rule, i, rhs.subs(c, other)
                )
            for number in (n for n in (c.lhs, c.rhs) if n.is_Integer and n > 1):
                for other in (number - 2, number - 1, number + 1, number + 2):
                    new = c.func(*(other if side == number else side for side in (c.lhs, c.rhs)))
                    yield from _fault(
                        "comparison", f"the comparison is {new}, not {c}", rule, i, rhs.subs(c, new)
                    )
            reverse = c.negated
            yield from _fault(
                "comparison",
                f"the comparison is the wrong way round: {reverse}, not {c}",
                rule,
                i,
                rhs.subs(c, reverse),
            )
        for p in sorted(rhs.atoms(sp.Piecewise), key=str):
            for value, condition in p.args:
                if condition != True:  # noqa: E712 -- SymPy's
                    yield from _fault(
                        "comparison",
                        f"the case {condition} is never told apart",
                        rule,
                        i,
                        rhs.xreplace({p: p.args[-1][0]}),
                    )
                    yield from _fault(
                        "comparison",
                        f"the result is 0 where not {condition}",
                        rule,
                        i,
                        rhs.xreplace({p: sp.Piecewise((value, condition), (0, True))}),
                    )


def _branches(rule: Rule) -> Iterator[Fault]:
    """Another variable in one of several cases alone."""
    names = [lhs for lhs, _ in rule.assignments]
    for i, (_, rhs) in enumerate(rule.assignments):
        for p in sorted(rhs.atoms(sp.Piecewise), key=str):
            for k, (value, condition) in enumerate(p.args):
                for read in sorted(value.free_symbols & {*names[:i], grad}, key=str):
                    for other in (*names[:i], sp.S.One):
                        if other == read:
                            continue
                        cases = list(p.args)
                        cases[k] = (value.xreplace({read: other}), condition)
                        name = _plain(other) if other in names else other
                        where = f"where {condition}" if condition is not sp.true else "in the last case"
                        yield from _fault(
                            "wrong variable",
                            f"{name} is used for {_plain(read)} {where}",
                            rule,
                            i,
                            rhs.xreplace({p: sp.Piecewise(*cases)}),
                        )


def _restated(rule: Rule) -> Iterator[Fault]:
    """What was added to a state, written as its change: with a sign or an index wrong in that."""
    lines = dict(rule.assignments)
    for state in rule.states:
        rhs = lines.get(state.now)
        if rhs is None or state.scalar or not rhs.is_Add:
            continue
        kept = next((x for x in rhs.args if x.has(state.before)), None)
        if kept is None or not (kept / state.before).free_symbols <= {h.symbol for h in rule.hyperparameters}:
            continue
        added = rhs - kept
        for i, (lhs, other) in enumerate(rule.assignments):
            if lhs == state.now or state.now not in other.free_symbols:
                continue
            rest = other - added
            if not rest.free_symbols & {g[t], grad}:
                yield from _fault(
                    "sign",
                    f"the term {kept} has the wrong sign (added instead of subtracted, or the reverse), "
                    f"where the line of {_plain(lhs)} is written with {_plain(state.before)}",
                    rule,
                    i,
                    rest + state.now + kept,
                )


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
                    yield from _fault(
                        "factor", f"a factor {name} is missing at {term}", rule, i, rhs - term + term / factor
                    )
            if rhs.is_Add:
                went = "it goes uphill: " if lhs == theta.now and term != theta.before else ""
                yield from _fault(
                    "sign",
                    f"{went}the term {term} has the wrong sign (added instead of subtracted, or the reverse)",
                    rule,
                    i,
                    rhs - 2 * term,
                )
        if eps in rhs.free_symbols:
            yield from _fault(
                "epsilon", "eps has no effect: it is 0", rule, i, rhs.xreplace({eps: sp.S.Zero})
            )
            yield from _fault("epsilon", "eps is subtracted", rule, i, rhs.xreplace({eps: -eps}))
            yield from _fault("epsilon", "eps is squared", rule, i, rhs.xreplace({eps: eps**2}))
            yield from _floors(rule, i, rhs)


def _upside_down(rule: Rule) -> Iterator[Fault]:
    """A quotient the wrong way round."""
    own = {h.symbol for h in rule.hyperparameters}
    for i, (_, rhs) in enumerate(rule.assignments):
        for product in sorted(rhs.atoms(sp.Mul), key=str):
            below = [x for x in product.args if x.is_Pow and x.exp.could_extract_minus_sign()]
            above = [
                x for x in product.args if x not in below and x.free_symbols - own and not x.is_Piecewise
            ]
            for x in below:
                for y in above:
                    turned = product / x / y / x / y
                    yield from _fault(
                        "quotient", f"{y * x} is upside down", rule, i, rhs.xreplace({product: turned})
                    )


def _floors(rule: Rule, i: int, rhs: sp.Expr) -> Iterator[Fault]:
    """Epsilon as a floor, or on the numerator's side."""
    for total in sorted(rhs.atoms(sp.Add), key=str):
        if eps in total.args and len(total.args) == 2:
            other = total - eps
            yield from _fault(
                "epsilon",
                "eps is a floor of the denominator (max), not added",
                rule,
                i,
                rhs.xreplace({total: sp.Max(other, eps)}),
            )
            if other.is_Pow and other.exp == sp.Rational(1, 2):
                yield from _fault(
                    "epsilon",
                    "eps stands inside the square root and outside too",
                    rule,
                    i,
                    rhs.xreplace({total: sp.sqrt(other.base + eps) + eps}),
                )
                yield from _fault(
                    "epsilon",
                    "the square of eps stands inside the square root",
                    rule,
                    i,
                    rhs.xreplace({total: sp.sqrt(other.base + eps**2)}),
                )


def _starts(rule: Rule) -> Iterator[Fault]:
    """States that start elsewhere: at 1, at the first gradient, at its square; undamped."""
    for state in rule.states:
        for value in (sp.S.One, sp.S.Zero, theta.before):
            if value == state.initial or (value == theta.before and state.side) or state.scalar:
                continue
            states = tuple(replace(s, initial=value) if s == state else s for s in rule.every_state)
            yield Fault(
                "state starts elsewhere",
                f"state {state.name} starts at {value}, not {state.initial}",
                replace(rule, every_state=states),
            )
        place = next((i for i, (lhs, _) in enumerate(rule.assignments) if lhs == state.now), None)
        if place is None or state.side or state.scalar:
            continue
        rhs = rule.assignments[place][1]
        reads = g[t] if place else grad
        for value, words in ((reads, "the first gradient"), (reads**2, "the square of the first gradient")):
            yield from _fault(
                "first step",
                f"{state.name} after the first update is {words}, without its weight",
                rule,
                place,
                sp.Piecewise((value, sp.Eq(t, 1)), (rhs, True)),
            )
        yield from _fault(
            "first step",
            f"{state.name} is not updated in the first step",
            rule,
            place,
            sp.Piecewise((state.before, sp.Eq(t, 1)), (rhs, True)),
        )


def _at_first(rule: Rule) -> Iterator[Fault]:
    """The first update is another one."""
    place = next(i for i, (lhs, _) in enumerate(rule.assignments) if lhs == theta.now)
    rhs = rule.assignments[place][1]
    if lr in rhs.free_symbols:
        plain = theta.before - lr * (g[t] if place else grad)
        yield from _fault(
            "first step",
            "the first update is plain gradient descent: theta - lr g",
            rule,
            place,
            sp.Piecewise((plain, sp.Eq(t, 1)), (rhs, True)),
        )
    yield from _fault(
        "first step",
        "the first update is left out",
        rule,
        place,
        sp.Piecewise((theta.before, sp.Eq(t, 1)), (rhs, True)),
    )
    lines = list(rule.assignments)
    for i, (lhs, rhs) in enumerate(lines):
        state = next((s for s in rule.states if s.now == lhs and not s.side and not s.scalar), None)
        if state is not None and (fresh := rhs.xreplace({state.before: sp.S.Zero})) != rhs:
            weights = [1 - h.symbol for h in rule.hyperparameters]
            bare = fresh / next((w for w in weights if w in sp.Mul.make_args(fresh)), 1)
            lines[i] = (lhs, sp.Piecewise((bare, sp.Eq(t, 1)), (rhs, True)))
    if tuple(lines) != rule.assignments:
        text = "every state starts with what first goes into it, without its weight"
        yield Fault("first step", text, replace(rule, assignments=tuple(lines)), line="")
    for i, (lhs, rhs) in enumerate(rule.assignments):
        if isinstance(rhs, sp.Max) and any(s.now == lhs for s in rule.states) and len(rhs.args) == 2:
            new = next((x for x in rhs.args if x not in {s.before for s in rule.states}), rhs.args[0])
            yield from _fault(
                "comparison",
                "the minimum is taken for the maximum",
                rule,
                i,
                sp.Piecewise((new, sp.Eq(t, 1)), (sp.Min(*rhs.args), True)),
            )


def everywhere(rule: Rule) -> Iterator[Fault]:
    """One mistake made in every line where it can be."""
    powers = sorted(
        {p for _, rhs in rule.assignments for p in rhs.atoms(sp.Pow) if p.exp == t and p.base.is_Symbol},
        key=str,
    )
    changes: list[tuple[str, dict[sp.Expr, sp.Expr]]] = []
    if powers:
        changes += [
            ("beta*t stands for the power beta^t", {p: p.base * t for p in powers}),
            ("beta stands for the power beta^t", {p: p.base for p in powers}),
            ("t^beta stands for the power beta^t", {p: t**p.base for p in powers}),
        ]
    if len(powers) == 2:
        a, b = powers
        changes.append((f"the corrections are swapped: {a} stands for {b}, and the reverse", {a: b, b: a}))
    for text, change in changes:
        lines = tuple((lhs, rhs.xreplace(change)) for lhs, rhs in rule.assignments)
        yield Fault("bias correction", text, replace(rule, assignments=lines))
    if len(powers) == 2 and lr in {h.symbol for h in rule.hyperparameters}:
        factor = sp.sqrt(1 - powers[1]) / (1 - powers[0])
        lines = tuple((lhs, rhs.xreplace({lr: lr * factor})) for lhs, rhs in rule.assignments)
        yield Fault(
            "bias correction",
            "bias correction is applied twice: to lr, and to the moments",
            replace(rule, assignments=lines),
        )


def placed(rule: Rule) -> Iterator[Fault]:
    """Weight decay where it does not belong: added to what a line reads, in a rule without decay."""
    for i, (lhs, rhs) in enumerate(rule.assignments):
        for s in sorted(
            rhs.free_symbols - {theta.before, t} - {h.symbol for h in rule.every_hyperparameter}, key=str
        ):
            for decay, words in (
                (weight_decay * theta.before, "weight decay"),
                (weight_decay * sp.sign(theta.before), "L1 decay"),
            ):
                yield from _fault(
                    "weight decay",
                    f"{words} is added to {_plain(s)} in the line of {_plain(lhs)}",
                    rule,
                    i,
                    rhs.xreplace({s: s + decay}),
                )


def over_all(rule: Rule) -> Iterator[Fault]:
    """A norm or a mean of an array where each coordinate is to have its own."""
    constants = {theta.before} | _constants(rule)
    for i, (lhs, rhs) in enumerate(rule.assignments):
        single = sorted(rhs.free_symbols - constants, key=str)
        roots = [p for p in _roots(rhs) if p.base.free_symbols - constants]
        for part in (*single, *roots):
            value = part if part in single else sp.sqrt(part.base)
            for operator, words in ((norm, "norm"), (mean, "mean"), (rms, "root mean square")):
                new = operator(value)
                yield from _fault(
                    "norm over coordinates",
                    f"the {words} of {_plain(value)} over all coordinates stands "
                    f"for {_plain(value)} in the line of {_plain(lhs)}",
                    rule,
                    i,
                    rhs.xreplace({part: new if value == part else 1 / new}),
                )


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
