"""Runs of exported code: what it is given, what the NumPy step makes of that, and programs that compute it.

The programs of C, JavaScript and Rust read doubles from stdin and write doubles to stdout: many rules in one
program, since a compiler takes longer to start than to compile a rule.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field, replace

import numpy as np

from optverify.backends.export import export_rule
from optverify.backends.export.header import identifier
from optverify.backends.numpy import numpy_module

UPDATES = 12
OFTEN = {"precondition_frequency": 3.0, "period": 3.0, "sync_period": 2.0, "warmup": 5.0, "average_start": 4.0,
         "loss": 1.5, "accumulate": 3.0}  # fmt: skip
"""So that everything happens within a run."""


@dataclass
class Case:
    """A rule, and the numbers of a run.

    name: an identifier; gradients and the arrays of `inputs`: one an update.
    """

    name: str
    rule: object
    shape: tuple[int, ...]
    theta: np.ndarray = field(init=False)
    gradients: np.ndarray = field(init=False)
    inputs: dict = field(init=False)
    values: dict = field(init=False)

    def __post_init__(self):
        rng = np.random.default_rng(sum(map(ord, self.rule.name)))
        self.theta = rng.normal(size=self.shape)
        self.gradients = rng.normal(size=(UPDATES, *self.shape)) * 10.0 ** rng.integers(
            -3, 2, size=(UPDATES, *self.shape)
        )
        self.gradients[:2, ..., -1] = 0
        self.inputs = {
            i.name: np.abs(rng.normal(size=UPDATES)) if i.scalar else rng.normal(size=(UPDATES, *self.shape))
            for i in self.rule.inputs
        }
        self.values = {h.name: OFTEN.get(h.name, h.default) for h in self.rule.hyperparameters}

    def used(self, function):
        """The hyperparameters that a function of the step module takes."""
        import inspect

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
        return str(self.rule.gradient_point) != "theta_{t-1}"


def case(rule, name=None, shape=None):
    """A case on a matrix, or on twelve numbers."""
    return Case(name or identifier(rule.name), rule, shape or ((4, 3) if rule.needs_matrix else (12,)))


def run(module, c, convert=lambda x: x):
    """The rows of a run by a Python module: gradient point, theta and states after each update."""
    theta = convert(c.theta)
    state = module.init(theta, **c.used(module.init))
    rows = []
    for t in range(UPDATES):
        row = []
        if c.looks:
            row.append(module.gradient_point(theta, state, **c.used(module.gradient_point)))
        given = {n: convert(x) if np.ndim(x) else x for n, x in c.given(t).items()}
        theta, state = module.step(theta, convert(c.gradients[t]), state, **given, **c.used(module.step))
        row += [theta, *state[1:]]
        rows.append(np.concatenate([np.ravel(np.asarray(x, np.float64)) for x in row]))
    return np.array(rows)


def expected(c):
    """The rows of the NumPy step."""
    with np.errstate(all="ignore"):
        return run(numpy_module(c.rule), c)


def exact(rule):
    """True if no line sums over an array, so that one order of operations is one result."""
    return not any(f.args and type(f).__name__ not in ("rows", "columns") for f in rule.operators)


def sizes(c):
    """Of theta and of each state: how many numbers."""
    rows, columns = c.shape if len(c.shape) == 2 else (c.shape[0], 1)
    sides = {"rows": rows, "columns": columns, "left": rows**2, "right": columns**2, "": c.theta.size}
    return [(s.name, 1 if s.scalar else sides[s.side], s.scalar) for s in c.rule.states]


# ---- programs ------------------------------------------------------------------------------------------------


def execute(command, folder, cases):
    """Run a program on the cases, and cut what it writes into rows."""
    numbers = np.concatenate([x for c in cases for x in c.numbers()])
    (folder / "numbers").write_bytes(numbers.tobytes())
    done = subprocess.run(
        command, cwd=folder, input=numbers.tobytes(), capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[:3000]
    out = np.frombuffer(done.stdout)
    rows, at = {}, 0
    for c in cases:
        width = c.theta.size * (2 if c.looks else 1) + sum(n for _, n, _ in sizes(c))
        rows[c.name] = out[at : at + UPDATES * width].reshape(UPDATES, width)
        at += UPDATES * width
    assert at == out.size
    return rows


def compiled(command, folder):
    """Compile; what the compiler says is an error."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[:3000]


def c_program(cases, folder, flags=("-O2",), real="double"):
    """All cases as one C program."""
    lines = ["#include <stdio.h>", *(f"#define {c.name.upper()}_REAL {real}" for c in cases)]
    lines += [f'#include "{c.name}.h"' for c in cases]
    lines += [
        "static void get(double *x, size_t n) { if (fread(x, sizeof *x, n, stdin) != n) exit(3); }",
        "static void put(double x) { if (fwrite(&x, sizeof x, 1, stdout) != 1) exit(4); }",
    ]
    for c in cases:
        source = export_rule(replace(c.rule, name=c.name), "c")
        (folder / f"{c.name}.h").write_text(source, "utf-8")
        n, p = c.theta.size, c.name
        h = ", &h" if c.rule.hyperparameters else ""
        dims = ", ".join(map(str, c.shape if c.rule.needs_matrix else (n,)))
        lines += [f"static void run_{p}(void)", "{", f"    double in[{n}]; {p}_real theta[{n}], g[{n}];",
                  f"    {p}_state state;"]  # fmt: skip
        if h:
            lines.append(f"    {p}_hyper h = {p}_defaults();")
            lines += [f"    h.{name} = {value!r};" for name, value in c.values.items()]
        lines += [f"    get(in, {n});", f"    for (int i = 0; i < {n}; i++) theta[i] = ({p}_real)in[i];"]
        lines += [f"    if ({p}_init(&state, theta, {dims}{h})) exit(5);",
                  f"    for (int t = 0; t < {UPDATES}; t++) {{",
                  f"        get(in, {n}); for (int i = 0; i < {n}; i++) g[i] = ({p}_real)in[i];"]  # fmt: skip
        given = ""
        for i in c.rule.inputs:
            if i.scalar:
                lines.append(f"        double {i.name}; get(&{i.name}, 1);")
                given += f", {i.name}"
            else:
                lines += [f"        {p}_real {i.name}[{n}]; get(in, {n});",
                          f"        for (int i = 0; i < {n}; i++) {i.name}[i] = ({p}_real)in[i];"]  # fmt: skip
                given += f", {i.name}"
        if c.looks:
            lines += [f"        {p}_real point[{n}];", f"        {p}_gradient_point(&state, theta, point{h});",
                      f"        for (int i = 0; i < {n}; i++) put(point[i]);"]  # fmt: skip
        lines += [f"        {p}_step(&state, theta, g{given}{h});",
                  f"        for (int i = 0; i < {n}; i++) put(theta[i]);"]  # fmt: skip
        for name, size, scalar in sizes(c):
            lines.append(f"        put(state.{name});" if scalar else
                         f"        for (int i = 0; i < {size}; i++) put(state.{name}[i]);")  # fmt: skip
        lines += ["    }", f"    {p}_free(&state);", "}"]
    lines += ["int main(void)", "{", *(f"    run_{c.name}();" for c in cases), "    return 0;", "}", ""]
    (folder / "main.c").write_text("\n".join(lines), "utf-8")
    warnings = ("-std=c99", "-Wall", "-Wextra", "-Werror")
    compiled(("gcc", *warnings, *flags, "main.c", "-o", "main", "-lm"), folder)
    return execute(("./main",), folder, cases)


def javascript_program(cases, folder):
    """All cases as one program of Node."""
    lines = ['import { readFileSync, writeSync } from "node:fs";']
    lines += ["const numbers = new Float64Array(new Uint8Array(readFileSync('numbers')).buffer);",
              "let at = 0;", "const out = [];",
              "const get = (n) => { at += n; return numbers.slice(at - n, at); };"]  # fmt: skip
    for c in cases:
        (folder / f"{c.name}.mjs").write_text(export_rule(c.rule, "javascript"), "utf-8")
        n = c.theta.size
        lines.append(f'import * as {c.name} from "./{c.name}.mjs";')
        h = ", ".join(f"{name}: {value!r}" for name, value in c.values.items())
        dims = f", {c.shape[0]}, {c.shape[1]}" if c.rule.needs_matrix else ""
        lines += ["{", f"    const h = {{ {h} }};", f"    const theta = get({n});",
                  f"    const state = {c.name}.init(theta{dims}, h);",
                  f"    for (let t = 0; t < {UPDATES}; t++) {{", f"        const g = get({n});"]  # fmt: skip
        given = "".join(
            f", {i.name}: get({1 if i.scalar else n}){'[0]' if i.scalar else ''}" for i in c.rule.inputs
        )
        lines.append(f"        const given = {{ ...h{given} }};")
        if c.looks:
            lines.append(
                f"        out.push(...{c.name}.gradientPoint(theta, state, new Float64Array({n}), h));"
            )
        lines += [f"        {c.name}.step(theta, g, state, given);", "        out.push(...theta);"]
        lines += [f"        out.push({'' if scalar else '...'}state.{name});" for name, _, scalar in sizes(c)]
        lines += ["    }", "}"]
    lines += ["const bytes = new Uint8Array(Float64Array.from(out).buffer);",
              "for (let i = 0; i < bytes.length;) i += writeSync(1, bytes, i);", ""]  # fmt: skip
    (folder / "main.mjs").write_text("\n".join(lines), "utf-8")
    return execute(("node", "main.mjs"), folder, cases)


def rust_program(cases, folder):
    """All cases as one crate."""
    lines = ["use std::io::{Read, Write};", "struct Stream { numbers: Vec<f64>, at: usize, out: Vec<f64> }",
             "impl Stream {", "    fn get(&mut self, n: usize) -> Vec<f64> {",
             "        self.at += n; self.numbers[self.at - n..self.at].to_vec()", "    }", "}"]  # fmt: skip
    for c in cases:
        (folder / f"{c.name}.rs").write_text(export_rule(c.rule, "rust"), "utf-8")
        n, p = c.theta.size, c.name
        h = ", &h" if c.rule.hyperparameters else ""
        dims = f", {c.shape[0]}, {c.shape[1]}" if c.rule.needs_matrix else ""
        values = ", ".join(f"{name}: {value!r}" for name, value in c.values.items())
        lines += [f"mod {p};", f"fn run_{p}(s: &mut Stream) {{"]
        lines += [f"    let h = {p}::Hyper {{ {values} }};"] if h else []
        lines += [f"    let mut theta = s.get({n});", f"    let mut state = {p}::State::new(&theta{dims}{h});",
                  f"    for _ in 0..{UPDATES} {{", f"        let g = s.get({n});"]  # fmt: skip
        given = ""
        for i in c.rule.inputs:
            lines.append(f"        let {i.name} = s.get({1 if i.scalar else n}){'[0]' if i.scalar else ''};")
            given += f", {i.name}" if i.scalar else f", &{i.name}"
        if c.looks:
            lines += [f"        let mut point = vec![0.0; {n}];",
                      f"        {p}::gradient_point(&theta, &state{h}, &mut point);",
                      "        s.out.extend(&point);"]  # fmt: skip
        lines += [
            f"        {p}::step(&mut theta, &g, &mut state{given}{h});",
            "        s.out.extend(&theta);",
        ]
        lines += [
            f"        s.out.push(state.{name});" if scalar else f"        s.out.extend(&state.{name});"
            for name, _, scalar in sizes(c)
        ]
        lines += ["    }", "}"]
    lines += ["fn main() {", "    let mut bytes = Vec::new();",
              "    std::io::stdin().read_to_end(&mut bytes).unwrap();",
              "    let numbers = bytes.chunks(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();",
              "    let mut s = Stream { numbers, at: 0, out: Vec::new() };",
              *(f"    run_{c.name}(&mut s);" for c in cases),
              "    let bytes: Vec<u8> = s.out.iter().flat_map(|x| x.to_le_bytes()).collect();",
              "    std::io::stdout().write_all(&bytes).unwrap();", "}", ""]  # fmt: skip
    (folder / "main.rs").write_text("\n".join(lines), "utf-8")
    compiled(("rustc", "--edition", "2021", "-D", "warnings", "-A", "dead_code", "-O", "main.rs"), folder)
    return execute(("./main",), folder, cases)
