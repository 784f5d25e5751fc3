"""From lines of Python to NumPy calls that write into given buffers.

The readable lines are the single source: they are parsed, and every operation becomes one ufunc call
`name = ufunc(operands, name)`, in the order in which Python would evaluate it, so both give the same bits.
A buffer that is handed in is written to; where None is handed in, the ufunc allocates. Scalars are folded
in Python floats. Without temporaries of the size of the data, a block stays in the cache.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from optverify.backends.python import Recurrence

OPERATORS = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "power"}
CALLS = {"sqrt": "sqrt", "maximum": "maximum", "minimum": "minimum", "abs": "absolute", "sign": "sign",
         "exp": "exp", "log": "log"}  # fmt: skip


@dataclass
class Block:
    """A compiled recurrence.

    body: the calls; scalars: (name, expression) to compute, in order; constants: the names of those handed
    to the calls; registers: the scratch buffers; ufuncs: what to import.
    """

    body: list[str] = field(default_factory=list)
    scalars: list[tuple[str, str]] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    registers: list[str] = field(default_factory=list)
    ufuncs: set[str] = field(default_factory=set)

    def split(self) -> tuple[Scalars, Scalars]:
        """The scalars that stay from update to update, and those that follow t."""
        moving = {"t"}
        for name, code in self.scalars:
            if moving & set(_reads([ast.parse(code, mode="eval").body])):
                moving.add(name)
        fixed = tuple((n, c) for n, c in self.scalars if n not in moving)
        return (
            Scalars(fixed, tuple(c for c in self.constants if c not in moving)),
            Scalars(tuple(self.scalars), tuple(c for c in self.constants if c in moving)),
        )


@dataclass(frozen=True)
class Scalars:
    """Lines to compute, and the names to hand on."""

    lines: tuple[tuple[str, str], ...]
    names: tuple[str, ...]

    def needed(self) -> tuple[tuple[str, str], ...]:
        """The lines that the names depend on."""
        wanted, kept = set(self.names), []
        for name, code in reversed(self.lines):
            if name in wanted:
                kept.append((name, code))
                wanted |= set(_reads([ast.parse(code, mode="eval").body]))
        return tuple(reversed(kept))


def compile_block(source: Recurrence) -> Block:
    """Compile the lines of a recurrence whose states are arrays of one shape."""
    return _Compiler(source).run()


def _reads(trees: Sequence[ast.expr]) -> list[str]:
    return [n.id for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Name)]


class _Compiler:
    def __init__(self, source: Recurrence) -> None:
        self.source = source
        self.block = Block()
        self.scalar_names = {"t", "math", "max", "min", *source.hyperparameters}
        self.place = {name: name for name in (source.gradient, *source.states)}  # array name -> buffer
        self.free: list[str] = []
        self.dying: set[str] = set()  # names read for the last time, once, by the line at hand
        self.indent = ""

    def run(self) -> Block:
        trees = [(name, ast.parse(code, mode="eval").body) for name, code in self.source.lines]
        held: list[tuple[str, str]] = []  # (state, register) where the old value is still read
        late = {f"{s}_before" for s in self.source.states} & {name for name, _ in trees}
        for i, (name, tree) in enumerate(trees):
            if self.is_scalar(tree):
                self.block.scalars.append((name, ast.unparse(tree)))
                self.scalar_names.add(name)
                continue
            self.say(f"# {name} = {self.source.lines[i][1]}")
            if name in late:
                self.place[name] = self.place[name.removesuffix("_before")]
                continue
            state = name in self.source.states
            self.dying = self.dying_at(i, trees) - {s for s, _ in held}
            buffer = f"{name}_out" if state and f"{name}_before" not in late else self.take()
            self.into(tree, buffer)
            if state and not buffer.endswith("_out"):
                held.append((name, buffer))
            self.place[name] = buffer
            self.release_dead([t for _, t in trees[i + 1 :]], {r for _, r in held})
        for name, register in held:
            self.call("positive", register, f"{name}_out")
        return self.block

    def is_scalar(self, tree: ast.expr) -> bool:
        return all(
            n.id in self.scalar_names or n.id in CALLS for n in ast.walk(tree) if isinstance(n, ast.Name)
        )

    def dying_at(self, i: int, trees: Sequence[tuple[str, ast.expr]]) -> set[str]:
        now, later = _reads([trees[i][1]]), _reads([t for _, t in trees[i + 1 :]])
        return {
            name
            for name, buffer in self.place.items()
            if buffer in self.block.registers and now.count(name) == 1 and name not in later
        }

    def release_dead(self, later: Sequence[ast.expr], held: set[str]) -> None:
        read = _reads(later)
        for name, buffer in list(self.place.items()):
            if buffer in self.block.registers and name not in read and buffer not in held:
                del self.place[name]
                self.free.append(buffer)

    # ---- buffers -----------------------------------------------------------------------------------------

    def take(self) -> str:
        if self.free:
            return self.free.pop()
        self.block.registers.append(f"x{len(self.block.registers) + 1}")
        return self.block.registers[-1]

    def is_scratch(self, operand: str) -> bool:
        return operand in self.block.registers and operand not in self.place.values()

    def constant(self, tree: ast.expr) -> str:
        code = ast.unparse(tree)
        known = {code: name for name, code in self.block.scalars}
        name = code if isinstance(tree, ast.Name) and code != "t" else known.get(code)
        if name is None:
            name = f"c{1 + sum(n.startswith('c') and n[1:].isdigit() for n, _ in self.block.scalars)}"
            self.block.scalars.append((name, code))
        if name not in self.block.constants:
            self.block.constants.append(name)
        return name

    # ---- calls -------------------------------------------------------------------------------------------

    def say(self, line: str) -> None:
        self.block.body.append(self.indent + line)

    def call(self, ufunc: str, *arguments: str) -> None:
        self.block.ufuncs.add(ufunc)
        *operands, out = arguments
        word = "out=" if ufunc in ("maximum", "minimum") else ""  # NumPy 2.4 warns without it
        self.say(f"{out} = {ufunc}({', '.join(operands)}, {word}{out})")

    def operand(self, tree: ast.expr) -> str:
        """The buffer or constant that holds the value of a subexpression."""
        if self.is_scalar(tree):
            return self.constant(tree)
        if isinstance(tree, ast.Name):
            return self.place.pop(tree.id) if tree.id in self.dying else self.place[tree.id]
        return self.into(tree, None)

    def into(self, tree: ast.expr, buffer: str | None) -> str:
        """Evaluate into a buffer, or into scratch if none is given; return where."""
        if isinstance(tree, ast.IfExp):
            assert buffer is not None
            return self.branch(tree, buffer)
        if isinstance(tree, ast.Name) or self.is_scalar(tree):
            assert buffer is not None
            self.call("positive", self.operand(tree), buffer)
            return buffer
        ufunc, parts = self.operation(tree)
        operands = [self.operand(part) for part in parts]
        scratch = [x for x in operands if self.is_scratch(x) and x != buffer]
        out = buffer or (scratch.pop() if scratch else self.take())
        self.call(ufunc, *operands, out)
        self.free += [x for x in dict.fromkeys(scratch) if x != out]
        return out

    def operation(self, tree: ast.expr) -> tuple[str, list[ast.expr]]:
        match tree:
            case ast.BinOp(left, ast.Pow(), ast.Constant(2)):
                return "square", [left]
            case ast.BinOp(left, op, right):
                return OPERATORS[type(op)], [left, right]
            case ast.UnaryOp(ast.USub(), operand):
                return "negative", [operand]
            case ast.Call(ast.Name(name), arguments):
                return CALLS[name], arguments
        raise NotImplementedError(f"no array operation for {ast.unparse(tree)!r}")

    def branch(self, tree: ast.IfExp, buffer: str) -> str:
        test = self.constant(tree.test)
        for head, part in ((f"if {test}:", tree.body), ("else:", tree.orelse)):
            self.say(head)
            self.indent += "    "
            self.into(part, buffer)
            self.indent = self.indent[:-4]
        return buffer
