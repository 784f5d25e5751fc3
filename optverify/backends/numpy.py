"""The NumPy step module of a rule: readable equations, and the same compiled to calls on buffers."""

from __future__ import annotations

import ast
import linecache
from functools import lru_cache
from types import ModuleType
from typing import Any

import sympy as sp
from jinja2 import Environment, PackageLoader, StrictUndefined

from optverify.backends.blocks import Block, compile_block
from optverify.backends.python import Recurrence, recurrence
from optverify.language import Hyperparameter, Rule
from optverify.language.operators import Operator


def _bound(h: Hyperparameter) -> str:
    """The domain as a Python condition."""
    d = h.domain
    return f"{d.low:g} {'<' if d.low_open else '<='} {h.name} {'<' if d.high_open else '<='} {d.high:g}"


NUMPY = frozenset({"exp", "log", "maximum", "minimum", "sign", "sqrt", "where"})
OPERATORS = frozenset(operator.__name__ for operator in Operator.__subclasses__()) | {
    "larger",
    "smaller",
    "square",
}


def called(source: Recurrence) -> set[str]:
    """The functions that the readable lines call by their bare names."""
    trees = [ast.parse(code, mode="eval") for _, code in source.lines]
    calls = [n.func for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Call)]
    return {f.id for f in calls if isinstance(f, ast.Name)}


@lru_cache(maxsize=1)
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("optverify.backends", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("numpy_module.py.j2")


@lru_cache(maxsize=4096)
def numpy_source(rule: Rule) -> str:
    """The source of the rule's step module; it imports NumPy and hand-written files of optverify.steps."""
    source = recurrence(rule, ieee=True)
    block = compile_block(source) if rule.elementwise else Block()
    steps = [h for h in rule.hyperparameters if h.name in source.hyperparameters]
    names = [h.name for h in steps]
    fixed, moving = block.split()
    words = called(source)
    started = set().union(*(sp.sympify(s.initial).free_symbols for s in rule.states))
    scalar_code = " ".join([code for _, code in block.scalars] + [code for _, code in source.lines])
    return str(
        _template().render(
            rule=rule,
            source=source,
            block=block,
            options=", ".join(f"{a} = {o}" for a, o in rule.options.items()),
            imports=sorted(block.ufuncs | words & NUMPY | {"array", "ndarray"}),
            operators=sorted(words & OPERATORS),
            needs_math="math." in scalar_code,
            checks=" and ".join(_bound(h) for h in steps if h.name != "lr"),
            steps=steps,
            inputs=rule.inputs,
            domains={i.name: i.domain for i in rule.inputs},
            given=["lr", *(n for n in names if n != "lr")],
            handed=["lr" if "lr" in names else "1.0", *(n for n in names if n != "lr")],
            checked=[n for n in names if n != "lr"],
            fixed=fixed,
            moving=moving,
            states=source.states[1:],
            outs=[f"{s}_out" for s in source.states],
            looked_at=[s.name for s in rule.states if s.before in rule.gradient_point.free_symbols],
            kinds={s.name: "float" if s.scalar else "ndarray" for s in rule.states},
            sides={s.name: "number" if s.scalar else s.side for s in rule.states},
            initial=[h for h in rule.hyperparameters if h.symbol in started],
            steering=[h for h in rule.hyperparameters if h.symbol in rule.gradient_point.free_symbols],
        )
    )


@lru_cache(maxsize=1024)
def numpy_module(rule: Rule) -> ModuleType:
    """The step module of a rule in any dialect, made in memory; `.source` is its text."""
    source = numpy_source(rule)
    options = ", ".join(f"{a}={o}" for a, o in rule.changed_options.items())
    filename = f"<optverify {rule.name} {options} {hash(rule):x}>"
    module = ModuleType(f"optverify.steps.{rule.name}", rule.summary)
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)  # for tracebacks
    exec(compile(source, filename, "exec"), module.__dict__)
    module.__dict__["source"] = source
    return module
