"""Runs of exported code: what it is given, what the NumPy step makes of that, and programs that compute it.

The programs of C, JavaScript and Rust read and write doubles, many rules in one program: a compiler takes
longer to start than to compile a rule.
"""

import importlib.util
import inspect
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import sympy as sp
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from optverify.backends.export import export_rule
from optverify.backends.export.header import identifier
from optverify.backends.numpy import numpy_module
from optverify.language import Rule, theta
from optverify.language.notation import is_scalar
from optverify.language.operators import Operator

UPDATES = 12
OFTEN = {
    "precondition_frequency": 3.0,
    "period": 3.0,
    "sync_period": 2.0,
    "warmup": 5.0,
    "average_start": 4.0,
    "loss": 1.5,
    "accumulate": 3.0,
}
"""So that everything happens within a run."""


@dataclass(frozen=True)
class Update:
    """What an update is given: hyperparameters, a gradient, and inputs."""

    values: dict
    gradient: np.ndarray
    given: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A run of a rule.

    name: an identifier, one for each dialect; t, states: updates made before, and what they left behind.
    """

    name: str
    rule: Rule
    theta: np.ndarray
    updates: tuple[Update, ...]
    t: int = 0
    states: dict = field(default_factory=dict)

    @property
    def looks(self):
        """True if it takes its gradient elsewhere than at theta."""
        return self.rule.gradient_point != theta.before

    @property
    def sides(self):
        """Rows and columns; of what is no matrix, all numbers and 1."""
        return self.theta.shape if self.theta.ndim == 2 else (self.theta.size, 1)

    def numbers(self):
        """What a program reads, after the number of its rule."""
        names = [h.name for h in self.rule.hyperparameters]
        yield [*self.sides, self.t, len(self.updates), *(self.updates[0].values[n] for n in names)]
        yield self.theta.ravel()
        yield from (np.ravel(self.states[s.name]) for s in self.rule.states if self.t)
        for u in self.updates:
            yield [u.values[n] for n in names]
            yield u.gradient.ravel()
            yield from (np.ravel(u.given[i.name]) for i in self.rule.inputs)

    def layout(self):
        """What a program writes, in order: (update, name, size); update 0 is the start."""
        rows, columns = self.sides
        full = self.theta.size
        sizes = {"": full, "rows": rows, "columns": columns, "left": rows**2, "right": columns**2}
        states = [(s.name, 1 if s.scalar else sizes[s.side]) for s in self.rule.states]
        point = [("point", full)] if self.looks else []
        for k in range(len(self.updates) + 1):
            yield from ((k, *x) for x in ([*point, ("theta", full), *states] if k else states))

    def rows(self, told):
        """What a program told, as (update, name) -> numbers."""
        keys = list(self.layout())
        parts = np.split(told, np.cumsum([size for _, _, size in keys])[:-1])
        return {(k, name): part for (k, name, _), part in zip(keys, parts, strict=True)}


def case(chosen, name=None, shape=None):
    """A run of twelve updates on a matrix, or on twelve numbers, with the defaults of the rule."""
    shape = shape or ((4, 3) if chosen.needs_matrix else (12,))
    rng = np.random.default_rng(sum(map(ord, chosen.name)))
    values = {h.name: OFTEN.get(h.name, h.default) for h in chosen.hyperparameters}
    start = rng.normal(size=shape)
    updates = []
    for k in range(UPDATES):
        gradient = rng.normal(size=shape) * 10.0 ** rng.integers(-3, 2, size=shape)
        if k < 2:
            gradient.flat[-1] = 0
        given = {i.name: abs(rng.normal()) if i.scalar else rng.normal(size=shape) for i in chosen.inputs}
        updates.append(Update(values, gradient, given))
    return Case(name or identifier(chosen.name), chosen, start, tuple(updates))


def used(function, values):
    """Those of the hyperparameters that a function takes."""
    return {n: v for n, v in values.items() if n in inspect.signature(function).parameters}


def run(module, c, array=lambda x: x, number=float):
    """What a Python module makes of a run, as a program would tell it."""
    x = array(c.theta)
    state = module.init(x, **used(module.init, c.updates[0].values))
    if c.t:
        kinds = {s.name: number if s.scalar else array for s in c.rule.states}
        state = state._replace(t=state.t + c.t, **{n: kinds[n](v) for n, v in c.states.items()})
    told = [getattr(state, s.name) for s in c.rule.states]
    for u in c.updates:
        if c.looks:
            told.append(module.gradient_point(x, state, **used(module.gradient_point, u.values)))
        given = {n: array(v) if np.ndim(v) else v for n, v in u.given.items()}
        x, state = module.step(x, array(u.gradient), state, **given, **used(module.step, u.values))
        told += [x, *(getattr(state, s.name) for s in c.rule.states)]
    return np.concatenate([np.ravel(np.asarray(v, np.float64)) for v in told])


def expected(c):
    """What the NumPy step makes of it."""
    with np.errstate(all="ignore"):
        return run(numpy_module(c.rule), c)


def imported(text, folder, name):
    """A Python source as a module, from a file: Numba wants one."""
    path = Path(folder) / f"{name}.py"
    path.write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # torch.compile and NamedTuple look it up
    spec.loader.exec_module(module)
    return module


def rounds_alike(chosen):
    """True if every line is made of + - * / sqrt, comparisons and powers of numbers: one result everywhere.

    Sums over arrays are added in another order, and powers of arrays have other routines.
    """
    for _, e in chosen.assignments:
        powers = {p for p in e.atoms(sp.Pow) if not is_scalar(p)}
        if e.atoms(Operator) - {f for f in e.atoms(Operator) if f.func.__name__ in ("rows", "columns")}:
            return False
        if any(abs(p.exp) not in (1, 2, sp.Rational(1, 2)) for p in powers):
            return False
        if any(not is_scalar(f) for f in e.atoms(sp.exp, sp.log)):
            return False
    return True


# ---- how near ------------------------------------------------------------------------------------------


def distance(got, wanted):
    """The largest difference, relative to the coordinate or to a thousandth of the largest of its column."""
    if not np.array_equal(np.isnan(got), np.isnan(wanted)):
        return np.inf
    size = np.maximum(np.abs(wanted), 1e-3 * np.nanmax(np.abs(wanted)))
    return float(np.nanmax(np.abs(got - wanted) / np.where(size > 0, size, 1), initial=0))


def same_bits(got, wanted):
    """True if every number is the same, NaN too."""
    return np.array_equal(got, wanted, equal_nan=True)


# ---- programs ------------------------------------------------------------------------------------------


def compiled(command, folder):
    """Compile; what the compiler says is an error."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[:3000]


def executed(command, folder, cases):
    """Run a program on the cases; what it tells of each."""
    order = {name: float(i) for i, name in enumerate(_rules(cases))}
    numbers = np.concatenate([x for c in cases for x in ([order[c.name]], *c.numbers())]).astype("<f8")
    (folder / "numbers").write_bytes(numbers.tobytes())
    done = subprocess.run(
        command, cwd=folder, input=numbers.tobytes(), capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[:3000]
    out = np.frombuffer(done.stdout, "<f8")
    ends = np.cumsum([sum(size for _, _, size in c.layout()) for c in cases])
    assert out.size == ends[-1]
    return np.split(out, ends[:-1])


def _rules(cases):
    """name -> a case of that name: one of each rule."""
    return {c.name: c for c in cases}


def written(kind, cases, folder, ending, **facts):
    """Write the rules and a program that runs them."""
    rules = _rules(cases)
    for c in rules.values():
        named = replace(c.rule, name=c.name)  # the names in C begin with the rule's
        (folder / f"{c.name}.{ending}").write_text(export_rule(named, kind), "utf-8")
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "programs"),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    main = {"h": "main.c"}.get(ending, f"main.{ending}")
    text = environment.get_template(f"{main}.j2").render(rules=list(rules.values()), **facts)
    (folder / main).write_text(text, "utf-8")


def c_program(cases, folder, flags=("-O2",), real="double"):
    """What one C program tells of each case; warnings are errors."""
    written("c", cases, folder, "h", real=real)
    warnings = ("-std=c99", "-Wall", "-Wextra", "-Werror")
    compiled(("gcc", *warnings, *flags, "main.c", "-o", "main", "-lm"), folder)
    return executed(("./main",), folder, cases)


def javascript_program(cases, folder):
    """What one program of Node tells of each case."""
    written("javascript", cases, folder, "mjs")
    return executed(("node", "main.mjs"), folder, cases)


def rust_program(cases, folder):
    """What one crate tells of each case; warnings are errors."""
    written("rust", cases, folder, "rs")
    allowed = ("-D", "warnings", "-A", "dead_code")
    compiled(("rustc", "--edition", "2021", *allowed, "-O", "main.rs"), folder)
    return executed(("./main",), folder, cases)
