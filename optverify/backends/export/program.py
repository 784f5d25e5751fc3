"""From a recurrence to the statements of a language that has loops and no arrays.

An assignment of arrays becomes a line of a loop over their elements; lines that follow each other share a
loop. What is one number is computed once an update, before the loop that reads it. A named operator becomes a
call that reads whole arrays. Names and the order of assignments stay those of the recurrence: `m` is the old
value until the line that assigns it, and the new one from there on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import sympy as sp

from optverify.backends.export.lowering import Lowering
from optverify.backends.export.statements import (
    Call,
    Choice,
    Loop,
    Number,
    Shape,
    Statement,
    reads,
    statement_reads,
    walk,
)
from optverify.language import Rule


@dataclass(frozen=True)
class Program:
    """One update of a rule as statements.

    names: symbols that code does not write by their name; replaced: expressions that are computed before, and
    their names; gradient: the name of the incoming gradient; shapes: of every array and number by its name;
    buffers: arrays that live from one statement to another and are no states.
    """

    rule: Rule
    statements: tuple[Statement, ...]
    names: Mapping[sp.Symbol, str]
    replaced: Mapping[sp.Expr, str]
    gradient: str
    shapes: Mapping[str, Shape]
    buffers: tuple[str, ...]

    def reads(self, *statements: Statement) -> tuple[str, ...]:
        """The names that these statements read before they assign them."""
        read = (n for s in statements for n in statement_reads(s, self.names, self.replaced))
        return tuple(dict.fromkeys(read))

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call, within choices too."""
        return tuple(s for s in walk(self.statements) if isinstance(s, Call))


def program(rule: Rule) -> Program:
    """Lower the assignments of a rule."""
    first = Lowering(rule)
    first.run()
    lowering = Lowering(rule, frozenset(first.replaced))
    statements = lowering.run()
    kept = ("theta", *(s.name for s in rule.states))
    fused = _Fusion(lowering.names, lowering.replaced).run(statements)
    outside = _read_outside(fused, lowering)
    final = tuple(_with_arrays(s, lowering, {*kept, *outside}) for s in fused)
    arrays = {n for s in walk(final) for n in _arrays(s)}
    buffers = [n for n in lowering.shapes if n in arrays and n not in (*kept, *lowering.given)]
    return Program(
        rule, final, lowering.names, lowering.replaced, lowering.gradient, lowering.shapes, tuple(buffers)
    )


@dataclass
class _Fusion:
    """Lines that follow each other share a loop; numbers and calls that do not need it go before it."""

    names: Mapping[sp.Symbol, str]
    replaced: Mapping[sp.Expr, str]
    out: list[Statement] = field(default_factory=list)
    open: Loop | None = None

    def run(self, statements: Iterable[Statement]) -> list[Statement]:
        for s in statements:
            if isinstance(s, Loop):
                self.loop(s)
            elif isinstance(s, Choice):
                self.close()
                then, otherwise = (
                    tuple(_Fusion(self.names, self.replaced).run(part)) for part in (s.then, s.otherwise)
                )
                self.out.append(Choice(s.condition, then, otherwise))
            else:
                if self.open and not self.apart(s):
                    self.close()
                self.out.append(s)
        self.close()
        return self.out

    def loop(self, s: Loop) -> None:
        if self.open and self.open.shape == s.shape:
            self.open = replace(self.open, lines=(*self.open.lines, *s.lines))
        else:
            self.close()
            self.open = s

    def close(self) -> None:
        if self.open:
            self.out.append(self.open)
        self.open = None

    def apart(self, s: Number | Call) -> bool:
        """True if a statement may go before the open loop."""
        assert self.open
        read = {n for name, e in self.open.lines for n in reads(e, self.names, self.replaced, name)}
        made = set(self.open.assigned)
        return not (made & {*statement_reads(s, self.names, self.replaced), s.name} or s.name in read)


def _read_outside(statements: Iterable[Statement], lowering: Lowering) -> set[str]:
    """Names that some statement reads which does not assign them itself before."""
    return {n for s in statements for n in statement_reads(s, lowering.names, lowering.replaced)}


def _with_arrays(s: Statement, lowering: Lowering, kept: set[str]) -> Statement:
    """A loop with what it loads and stores."""
    if isinstance(s, Choice):
        then, otherwise = (
            tuple(_with_arrays(x, lowering, kept) for x in part) for part in (s.then, s.otherwise)
        )
        return Choice(s.condition, then, otherwise)
    if not isinstance(s, Loop):
        return s
    read = dict.fromkeys(statement_reads(s, lowering.names, lowering.replaced))
    loaded = tuple(n for n in read if lowering.shapes[n])
    return replace(s, loaded=loaded, stored=tuple(n for n in dict.fromkeys(s.assigned) if n in kept))


def _arrays(s: Statement) -> Iterator[str]:
    """The names whose arrays a statement touches."""
    if isinstance(s, Loop):
        yield from (*s.loaded, *s.stored)
    elif isinstance(s, Call):
        yield from (a for a in s.arguments if isinstance(a, str))
        if s.shape:
            yield s.name
