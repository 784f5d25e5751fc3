"""The Numba step module of an elementwise rule: one loop over memory, compiled once and kept on disk.

The loop's lines are those of the NumPy steps with every subexpression of scalars computed beforehand, in
Python floats, as there. No fast-math and no contraction, so float64 is equal to the NumPy steps to the last
bit. So is float32: products, sums, quotients and roots of float32 numbers are rounded to float32 at each
operation by both, and scalars are rounded once, when they are handed over; no bound is needed. What NumPy
approximates by routines of its own (powers, exponentials, logarithms) is left to NumPy, between two loops.
"""

from __future__ import annotations

import ast
import hashlib
import linecache
import os
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from platformdirs import user_cache_path

from optverify.backends.blocks import CALLS, Scalars
from optverify.backends.numpy import numpy_module
from optverify.backends.python import Recurrence, recurrence
from optverify.language import Rule

NUMPYS_OWN = ("exp", "log")
HELPERS = ("maximum", "minimum", "sign", "square")
TAKEN = (
    "DOMAINS", "LOOKS_AHEAD", "OPTIONS", "RULE", "SIDES", "State", "equations", "gradient_point", "init",
)  # fmt: skip
"""What a Numba module has in common with the NumPy one."""


# ---- the loop ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stage:
    """A power, exponential or logarithm that NumPy computes before the loop.

    name: of the result; ufunc: of NumPy; base: what it is taken of; exponent: the scalar, or None; line: how
    many lines of the body come before it.
    """

    name: str
    ufunc: str
    base: str
    exponent: str | None
    line: int


@dataclass
class Fused:
    """The lines for one coordinate.

    numbers: the states that are one number for a whole array; lines: the scalars to compute beforehand, in
    order; handed: those of them that are handed to the loop; flags: those that are conditions; body: the
    lines of the loop; stages: what NumPy computes before it.
    """

    source: Recurrence
    numbers: tuple[str, ...] = ()
    lines: list[tuple[str, str]] = field(default_factory=list)
    handed: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    body: list[str] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)

    def _moves(self) -> set[str]:
        """The scalars that follow t or a state."""
        moving = {"t", *self.numbers}
        for name, code in self.lines:
            if moving & names_in(code):
                moving.add(name)
        return moving

    @property
    def fixed(self) -> Scalars:
        """The scalars that stay while the hyperparameters do."""
        moving = self._moves()
        lines = tuple((n, c) for n, c in self.lines if n not in moving)
        return Scalars(lines, tuple(n for n in self.handed if n not in moving))

    @property
    def moving(self) -> Scalars:
        """The scalars that follow t or a state, and the states that are numbers."""
        moving = self._moves()
        return Scalars(tuple(self.lines), tuple(n for n in self.handed if n in moving))

    @property
    def moving_lines(self) -> tuple[tuple[str, str], ...]:
        """What is computed at each update, the new states among it."""
        return Scalars(tuple(self.lines), (*self.moving.names, *self.numbers)).needed()

    @property
    def scalars(self) -> list[str]:
        """All scalars that are handed to the loop, in order."""
        return [*self.fixed.names, *self.moving.names]

    @property
    def casts(self) -> list[str]:
        """The lines that convert those that are no conditions to the type of theta."""
        converted = [f"{s} = _type({s})" for s in self.scalars if s not in self.flags]
        return ["_type = theta_.dtype.type", *converted]

    @property
    def kept(self) -> list[str]:
        """Theta and the states that are arrays."""
        return [s for s in self.source.states if s not in self.numbers]

    @property
    def arrays(self) -> list[str]:
        """Names of one coordinate of every array read."""
        theta, *states = self.kept
        return [theta, self.source.gradient, *states, *(s.name for s in self.stages)]

    @property
    def inputs(self) -> list[str]:
        """The names of the arrays read."""
        return [f"{a}_" for a in self.arrays]

    @property
    def targets(self) -> list[str]:
        """The names of the arrays that an update in place writes into."""
        return [f"{s}_" for s in self.kept]

    @property
    def outs(self) -> list[str]:
        """The names of the arrays that a pure step writes into."""
        return [f"{s}_out" for s in self.kept]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The arrays that may not share memory: one that is written to, and any other."""
        return [(a, b) for a, b in combinations(self.inputs, 2) if {a, b} & set(self.targets)]

    def before(self, stage: Stage) -> list[str]:
        """The names of the arrays that a stage reads."""
        return self.inputs[: len(self.kept) + 1 + self.stages.index(stage)]

    def signature(self, way: str | Stage) -> str:
        """A letter an argument: w(ritten), r(ead), d(ouble), b(oolean), t(able), i(nteger)."""
        scalars = "".join("b" if s in self.flags else "d" for s in self.scalars)
        if isinstance(way, Stage):
            return "r" * len(self.before(way)) + "w" + scalars
        if way == "tree":
            return "tiir" + scalars
        if way == "step":
            return "r" * len(self.inputs) + "w" * len(self.outs) + scalars
        return "".join("w" if a in self.targets else "r" for a in self.inputs) + scalars


def names_in(code: str) -> set[str]:
    """The names that an expression reads."""
    return {n.id for n in ast.walk(ast.parse(code, mode="eval")) if isinstance(n, ast.Name)}


class _Fuser(ast.NodeTransformer):
    """Puts the names of scalars and stages for what they stand for."""

    def __init__(self, fused: Fused) -> None:
        self.fused = fused
        self.scalar = {"t", "math", "max", "min", *fused.source.hyperparameters, *fused.numbers}
        self.known: dict[str, str] = {}

    def run(self) -> None:
        """Fill in lines and body."""
        for name, code in self.fused.source.lines:
            tree = ast.parse(code, mode="eval").body
            if self.is_scalar(tree):
                self.fused.lines.append((name, ast.unparse(tree)))
                self.scalar.add(name)
                self.known = {c: n for c, n in self.known.items() if name not in names_in(c)}
            else:
                self.fused.body.append(f"{name} = {ast.unparse(self.visit(tree))}")

    def is_scalar(self, tree: ast.AST) -> bool:
        return isinstance(tree, ast.expr) and all(
            n.id in self.scalar or n.id in CALLS for n in ast.walk(tree) if isinstance(n, ast.Name)
        )

    def visit(self, tree: ast.AST) -> Any:
        return self.scalar_name(ast.unparse(tree)) if self.is_scalar(tree) else super().visit(tree)

    def visit_IfExp(self, tree: ast.IfExp) -> ast.IfExp:
        flag = self.visit(tree.test)
        self.fused.flags.add(flag.id)
        return ast.IfExp(flag, self.visit(tree.body), self.visit(tree.orelse))

    def visit_BinOp(self, tree: ast.BinOp) -> Any:
        match tree:
            case ast.BinOp(left, ast.Pow(), ast.Constant(2)):
                return ast.Call(ast.Name("square"), [self.visit(left)], [])
            case ast.BinOp(left, ast.Pow(), right):
                return self.stage("power", self.visit(left), self.visit(right))
        return self.generic_visit(tree)

    def visit_Call(self, tree: ast.Call) -> Any:
        arguments = [self.visit(a) for a in tree.args]
        name = tree.func.id if isinstance(tree.func, ast.Name) else ""
        if name == "where":
            return ast.IfExp(*arguments)
        if name in NUMPYS_OWN:
            return self.stage(name, arguments[0], None)
        return ast.Call(tree.func, arguments, [])

    def scalar_name(self, code: str) -> ast.Name:
        """The scalar with that value, computed before the line at hand: a state may change after it."""
        fused = self.fused
        if code in fused.source.hyperparameters:
            name = code
        else:
            lines = {n for n, _ in fused.lines} - set(fused.numbers)
            name = code if code in lines else self.known.get(code, "")
        if not name:
            name = f"c{1 + sum(n[0] == 'c' and n[1:].isdigit() for n, _ in fused.lines)}"
            fused.lines.append((name, code))
            self.known[code] = name
        if name not in fused.handed:
            fused.handed.append(name)
        return ast.Name(name)

    def stage(self, ufunc: str, base: ast.expr, exponent: ast.Name | None) -> ast.Name:
        fused = self.fused
        name = f"p{len(fused.stages) + 1}"
        power = exponent.id if exponent else None
        fused.stages.append(Stage(name, ufunc, ast.unparse(base), power, len(fused.body)))
        return ast.Name(name)


def fuse(source: Recurrence, numbers: tuple[str, ...] = ()) -> Fused:
    """The lines of a recurrence for one coordinate. numbers: the states that are one number."""
    fused = Fused(source, numbers)
    _Fuser(fused).run()
    return fused


def obstacle(rule: Rule) -> str:
    """Why a coordinate of the rule does not go its own way, in words; empty if it does."""
    if rule.operators:
        return f"it uses {', '.join(sorted({type(f).__name__ for f in rule.operators}))} of whole arrays"
    if rule.inputs:
        return f"it is given {', '.join(i.name for i in rule.inputs)} with each gradient"
    if sides := [s.name for s in rule.states if s.side]:
        return f"it keeps {', '.join(sides)} for rows and columns"
    return ""


# ---- the module --------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("optverify.backends", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("numba_module.py.j2")


@lru_cache(maxsize=1024)
def numba_source(rule: Rule) -> str:
    """The source of the rule's Numba step module. Raises ValueError for a rule that is not elementwise."""
    if why := obstacle(rule):
        raise ValueError(
            f"rule {rule.name!r} has no Numba steps, because {why}: numba has elementwise rules only, "
            'use backend="numpy"'
        )
    source = recurrence(rule)
    fused = fuse(source, tuple(s.name for s in rule.states if s.scalar))
    steps = [h for h in rule.hyperparameters if h.name in source.hyperparameters]
    names = [h.name for h in steps]
    text = "\n".join(fused.body)
    return str(
        _template().render(
            rule=rule,
            source=source,
            fused=fused,
            options=", ".join(f"{a} = {o}" for a, o in rule.options.items()),
            imports=sorted({"empty", "ndarray"} | {s.ufunc for s in fused.stages}),
            helpers=[h for h in HELPERS if f"{h}(" in text],
            flags=tuple(s in fused.flags for s in fused.scalars),
            steps=steps,
            handed=["lr" if "lr" in names else "1.0", *(n for n in names if n != "lr")],
            checked=tuple("" if n == "lr" else n for n in ["lr", *(n for n in names if n != "lr")]),
            places=tuple(i for i, s in enumerate(rule.states, 1) if s.scalar),
            states=source.states[1:],
        )
    )


@lru_cache(maxsize=1024)
def numba_module(rule: Rule) -> ModuleType:
    """The Numba step module of a rule in any dialect; `.source` is its text.

    Compiled code is kept in the user's cache folder, or nowhere if that cannot be written. Raises ValueError
    for a rule that is not elementwise, ModuleNotFoundError without Numba.
    """
    source = numba_source(rule)
    if find_spec("numba") is None:
        raise ModuleNotFoundError(
            "Numba is not installed: install it with pip install 'optverify[fast]', or use backend=\"numpy\"",
            name="numba",
        )
    plain = numpy_module(rule)
    kept = _kept(rule.name, source)
    filename = str(kept) if kept else f"<optverify numba {rule.name} {hash(rule):x}>"
    module = ModuleType(f"optverify.steps.{rule.name}", rule.summary)
    names = module.__dict__
    names.update({n: plain.__dict__[n] for n in TAKEN if n in plain.__dict__})
    # compiled code is looked up by module: that of the dynamic one could not be imported
    names.update(__name__=__name__, __file__=filename, NUMPY=plain.__dict__["_PLAN"], CACHED=kept is not None)
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)  # for tracebacks
    exec(compile(source, filename, "exec"), names)
    names.update(__name__=f"optverify.steps.{rule.name}", source=source)
    return module


def _kept(name: str, source: str) -> Path | None:
    """The file of that text in the cache, beside which Numba keeps what it compiles; None without one.

    Its folder is named by the text and by what the text calls, so that a change of either is compiled anew.
    """
    called = [import_module(f"optverify.steps.{name}").__file__ for name in ("_fast", "_fast_trees")]
    texts = [source.encode(), *(Path(str(file)).read_bytes() for file in called)]
    key = hashlib.sha256(b"\0".join(texts)).hexdigest()[:24]
    folder = user_cache_path("optverify") / "numba" / key
    path = folder / f"{name}.py"
    try:
        if path.is_file() and path.read_text("utf-8") == source:
            return path
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, delete=False) as file:
            file.write(source)
        os.replace(file.name, path)
    except OSError:
        return None
    return path
