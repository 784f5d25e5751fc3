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


@dataclass
class Case:
    """A rule, and the numbers of a run.

    name: an identifier; gradients and what stands in `inputs`: one an update.
    """

    name: str
    rule: Rule
    shape: tuple[int, ...]
    theta: np.ndarray = field(init=False)
    gradients: np.ndarray = field(init=False)
    inputs: dict = field(init=False)
    values: dict = field(init=False)

    def __post_init__(self):
        rng = np.random.default_rng(sum(map(ord, self.rule.name)))
        series = (UPDATES, *self.shape)
        self.theta = rng.normal(size=self.shape)
        self.gradients = rng.normal(size=series) * 10.0 ** rng.integers(-3, 2, size=series)
        self.gradients.reshape(UPDATES, -1)[:2, -1] = 0
        self.inputs = {
            i.name: np.abs(rng.normal(size=UPDATES)) if i.scalar else rng.normal(size=series)
            for i in self.rule.inputs
        }
        self.values = {h.name: OFTEN.get(h.name, h.default) for h in self.rule.hyperparameters}

    def used(self, function):
        """The hyperparameters that a function of a module takes."""
        return {n: v for n, v in self.values.items() if n in inspect.signature(function).parameters}

    def given(self, t):
        """What update t is given besides a gradient."""
        return {n: float(x[t]) if x.ndim == 1 else x[t] for n, x in self.inputs.items()}

    def numbers(self):
        """Everything that a program reads: theta, then for each update gradient and inputs."""
        yield self.theta.ravel()
        for t in range(UPDATES):
            yield self.gradients[t].ravel()
            yield from (np.ravel(x[t]) for x in self.inputs.values())

    @property
    def looks(self):
        """True if it takes its gradient elsewhere than at theta."""
        return self.rule.gradient_point != theta.before

    @property
    def sizes(self):
        """Of each state: its name, how many numbers it has, and whether it is one."""
        rows, columns = self.shape if len(self.shape) == 2 else (self.shape[0], 1)
        sides = {"rows": rows, "columns": columns, "left": rows**2, "right": columns**2, "": self.theta.size}
        return [(s.name, 1 if s.scalar else sides[s.side], s.scalar) for s in self.rule.states]

    @property
    def width(self):
        """How many numbers an update writes."""
        return self.theta.size * (2 if self.looks else 1) + sum(n for _, n, _ in self.sizes)


def case(chosen, name=None, shape=None):
    """A case on a matrix, or on twelve numbers."""
    shape = shape or ((4, 3) if chosen.needs_matrix else (12,))
    return Case(name or identifier(chosen.name), chosen, shape)


def run(module, c, convert=lambda x: x):
    """The rows of a run by a Python module: gradient point, theta and states after each update."""
    x = convert(c.theta)
    state = module.init(x, **c.used(module.init))
    rows = []
    for t in range(UPDATES):
        row = []
        if c.looks:
            row.append(module.gradient_point(x, state, **c.used(module.gradient_point)))
        given = {n: convert(v) if np.ndim(v) else v for n, v in c.given(t).items()}
        x, state = module.step(x, convert(c.gradients[t]), state, **given, **c.used(module.step))
        row += [x, *(getattr(state, s.name) for s in c.rule.states)]
        rows.append(np.concatenate([np.ravel(np.asarray(v, np.float64)) for v in row]))
    return np.array(rows)


def expected(c):
    """The rows of the NumPy step."""
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
    """Run a program on the cases, and cut what it writes into rows: name -> (UPDATES, width)."""
    numbers = np.concatenate([x for c in cases for x in c.numbers()]).astype("<f8")
    (folder / "numbers").write_bytes(numbers.tobytes())
    done = subprocess.run(
        command, cwd=folder, input=numbers.tobytes(), capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[:3000]
    out = np.frombuffer(done.stdout, "<f8")
    ends = np.cumsum([UPDATES * c.width for c in cases])
    assert out.size == ends[-1]
    parts = np.split(out, ends[:-1])
    return {c.name: part.reshape(UPDATES, c.width) for c, part in zip(cases, parts, strict=True)}


def written(kind, cases, folder, ending, **facts):
    """Write the rules and a program that runs them."""
    for c in cases:
        named = replace(c.rule, name=c.name)  # the names in C begin with the rule's
        (folder / f"{c.name}.{ending}").write_text(export_rule(named, kind), "utf-8")
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "programs"),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    main = {"h": "main.c"}.get(ending, f"main.{ending}")
    text = environment.get_template(f"{main}.j2").render(cases=cases, updates=UPDATES, **facts)
    (folder / main).write_text(text, "utf-8")


def c_program(cases, folder, flags=("-O2",), real="double"):
    """The rows of all cases by one C program; warnings are errors."""
    written("c", cases, folder, "h", real=real)
    warnings = ("-std=c99", "-Wall", "-Wextra", "-Werror")
    compiled(("gcc", *warnings, *flags, "main.c", "-o", "main", "-lm"), folder)
    return executed(("./main",), folder, cases)


def javascript_program(cases, folder):
    """The rows of all cases by one program of Node."""
    written("javascript", cases, folder, "mjs")
    return executed(("node", "main.mjs"), folder, cases)


def rust_program(cases, folder):
    """The rows of all cases by one crate; warnings are errors."""
    written("rust", cases, folder, "rs")
    allowed = ("-D", "warnings", "-A", "dead_code")
    compiled(("rustc", "--edition", "2021", *allowed, "-O", "main.rs"), folder)
    return executed(("./main",), folder, cases)
