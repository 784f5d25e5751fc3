"""The page runs the lines it shows: in Node they give what the NumPy steps and the schedules give."""

import inspect
import json
import math
import shutil
import subprocess
from importlib.resources import files

import numpy as np
import pytest

from optverify.backends import step
from optverify.report.figures import example
from optverify.report.web.dialects import dialects, key, without
from optverify.report.web.playground import planar, playground
from optverify.rules import registry as rules
from optverify.schedules import registry as schedules

STATIC = files("optverify.report.web") / "static"
GRADIENTS = ([0.5, -2.0], [-0.25, 1e-9], [3.0, 0.0], [0.0, -40.0], [1e-3, 0.7], [-0.5, 0.7])
START = (1.25, -0.75)
LOSS = 2.5
TO_FINISH = """
const given = JSON.parse(require("fs").readFileSync(0, "utf8")), out = [];
const plain = (x) => (engine.isArray(x) ? [...x] : x);
for (const c of given.cases) {
  const found = runs.dialect(given.play, given.dialects, c.rule, c.options);
  let states = runs.begin(found, Float64Array.from(c.start), c.numbers);
  const steps = [];
  c.gradients.forEach((g, i) => {
    states = runs.update(found, states, Float64Array.from(g), i + 1, c.numbers);
    steps.push(Object.fromEntries(Object.entries(states).map(([n, x]) => [n, plain(x)])));
  });
  out.push(steps);
}
for (const c of given.rates ?? []) {
  out.push(c.t.map((t) => runs.rate(given.play.schedules[c.schedule], c.options, c.numbers, t)));
}
for (const c of given.points ?? []) {
  const f = runs.field(given.play.problems[c.problem]);
  out.push(c.at.map((p) => [f.value(p), ...f.gradient(p)]));
}
console.log(JSON.stringify(out, (k, v) => (typeof v === "number" && !Number.isFinite(v) ? String(v) : v)));
"""
PLAYED = [name for name in rules.names() if not without(rules.get(name))]


def telling(family):
    """Dialects that have every line of code between them: each brings one that none before it has."""
    seen = set()
    for d in family.dialects():
        lines = set(dialects_of(family)["rules"][family.name][key(d)][1])
        if lines - seen:
            seen |= lines
            yield d


@pytest.fixture(scope="module")
def play():
    return json.loads(json.dumps(playground().data))


_KNOWN = {}


def dialects_of(family):
    if family.name not in _KNOWN:
        _KNOWN[family.name] = dialects([family])
    return _KNOWN[family.name]


def in_node(given):
    """What the scripts of the page make of these cases."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the scripts of the page are not run")
    source = "".join((STATIC / name).read_text("utf-8") for name in ("engine.js", "runs.js")) + TO_FINISH
    text = json.dumps(given, default=lambda x: x.item())
    ran = subprocess.run([node, "-e", source], input=text, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return json.loads(ran.stdout)


def numbers(family):
    """A value for every hyperparameter, its default where it has one."""
    usual = {h.name: 0.3 if h.default is None else float(h.default) for h in family.every_hyperparameter}
    return {**usual, "loss": LOSS} if "loss" in usual else usual


def numpy_run(d, values):
    """States after each update, by the generated NumPy step."""
    module = step(d.name, **d.options)
    taken = inspect.signature(module.init).parameters
    x = np.array(START)
    state = module.init(x, **{n: v for n, v in values.items() if n in taken})
    given = {n: v for n, v in values.items() if n in inspect.signature(module.step).parameters}
    for g in GRADIENTS:
        x, state = module.step(x, np.array(g), state, **given)
        yield {"theta": x, **{n: v for n, v in state._asdict().items() if n != "t"}}


def close(got, expected):
    got = np.array([float(v) for v in np.ravel(got)])
    expected = np.ravel(np.asarray(expected, float))
    scale = max(1e-300, float(np.max(np.abs(expected))))
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14 * scale, equal_nan=True)


@pytest.mark.parametrize("name", PLAYED)
def test_every_line_of_a_rule_runs_as_in_numpy(name, play):
    """Six updates with sign flips, zeros and spikes, in dialects that have every line of the rule."""
    family = rules.get(name)
    chosen, values = list(telling(family)), numbers(family)
    case = {"rule": name, "start": START, "gradients": GRADIENTS, "numbers": values}
    options = [
        {a: str(o).lower() if isinstance(o, bool) else o for a, o in d.options.items()} for d in chosen
    ]
    given = {
        "play": play,
        "dialects": dialects_of(family),
        "cases": [{**case, "options": o} for o in options],
    }
    for d, steps in zip(chosen, in_node(given), strict=True):
        for got, expected in zip(steps, numpy_run(d, values), strict=True):
            assert set(got) == set(expected), d.options
            for state, x in expected.items():
                close(got[state], x)


def test_every_schedule_gives_its_rates_in_the_page(play):
    times = [*range(0, 121), 243, 1000]
    cases, expected = [], []
    for name in schedules.names():
        family = schedules.get(name)
        values = example(family).parameters
        for option in [{}, *({a.name: o} for a in family.axes for o in a.options)]:
            shown = {a: str(o).lower() if isinstance(o, bool) else o for a, o in option.items()}
            cases.append({"schedule": name, "options": shown, "numbers": values, "t": times})
            expected.append([float(family(**values, **option)(t)) for t in times])
    for case, got, rates in zip(
        cases, in_node({"play": play, "cases": [], "rates": cases}), expected, strict=True
    ):
        np.testing.assert_allclose(got, rates, rtol=1e-12, atol=1e-14, err_msg=str(case["schedule"]))


def test_problems_and_their_gradients_are_those_of_autograd(play):
    points = np.random.default_rng(0).uniform(-2, 2, (20, 2))
    shown = list(planar())
    cases = [{"problem": p.name, "at": points.tolist()} for p in shown]
    for p, got in zip(shown, in_node({"play": play, "cases": [], "points": cases}), strict=True):
        for point, (value, *gradient) in zip(points, got, strict=True):
            assert math.isclose(value, p.value(point), rel_tol=1e-12, abs_tol=1e-13), p.name
            np.testing.assert_allclose(gradient, p.gradient(point), rtol=1e-11, atol=1e-13, err_msg=p.name)
