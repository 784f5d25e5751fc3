"""The golden vectors, computed by the page itself in a real browser."""

import json

import pytest

from optverify.report.web.dialects import without
from optverify.rules import registry, rule
from optverify.vectors.bank import INITIAL, Bank, default_folder
from optverify.vectors.formats import read_exact
from optverify.vectors.judging import Given, judge
from optverify.vectors.running import POINT
from tests.report.web.conftest import PAGE

PLAYED = [name for name in registry.names() if not without(registry.get(name))]
COMPUTE = """async (cases) => {
  const [play, dialects] = await Promise.all([ov.data("play"), ov.data("dialects")]);
  const plain = (x) => (engine.isArray(x) ? [...x] : [x]);
  return cases.map((c) => {
    const found = runs.dialect(play, dialects, c.rule, c.options), theta = Float64Array.from(c.theta);
    const kind = (n, x) => (c.scalars.includes(n) ? x[0] : Float64Array.from(x));
    const own = Object.fromEntries(Object.entries(c.states).map(([n, x]) => [n, kind(n, x)]));
    let states = c.t ? { theta, ...own } : runs.begin(found, theta, { ...c.numbers, ...c.values[0] });
    const out = Object.fromEntries(c.names.map((n) => [n, []]));
    for (const n of Object.keys(c.t ? {} : own)) out["initial." + n] = [plain(states[n])];
    for (let k = 1; k <= c.updates; k++) {
      const given = { ...c.numbers, ...c.values[(k - 1) % c.values.length] };
      const at = found.at({ ...given, ...states });
      const g = Float64Array.from(c.gradients[(k - 1) % c.gradients.length]);
      states = runs.update(found, states, g, c.t + k, given);
      if (c.after.includes(k)) for (const n of c.names) out[n].push(plain(n === "point" ? at : states[n]));
    }
    return out;
  });
}"""


@pytest.fixture(scope="module")
def bank():
    return Bank(default_folder())


@pytest.fixture(scope="module")
def shown(browser):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"file://{PAGE}", wait_until="load")
    yield page
    context.close()


def _nth(rows, k):
    return rows[k % len(rows)]


def case(test):
    """A test as the page takes it."""
    fed, numbers = test.input, {n: x["decimal"] for n, x in test.group["hyperparameters"].items()}
    family = rule(test.file["rule"])
    values = [
        {"lr": numbers.get("lr", 1.0) * _nth(fed["lr_factors"], k)}
        | {name: _nth(rows["decimal"], k)[0] for name, rows in fed.get("given", {}).items()}
        for k in range(fed["updates"])
    ]
    return {
        "rule": test.file["rule"],
        "options": {
            a: str(o).lower() if isinstance(o, bool) else o for a, o in test.group["dialect"].items()
        },
        "scalars": [s.name for s in family.every_state if s.scalar],
        "numbers": numbers,
        "values": values,
        "t": test.data["t"],
        "theta": fed["theta"]["decimal"][0],
        "states": {n: [float(read_exact(x)) for x in v["exact"]] for n, v in test.data["initial"].items()},
        "gradients": fed["gradients"]["decimal"],
        "updates": fed["updates"],
        "after": fed["after"],
        "names": list(test.names),
    }


@pytest.mark.parametrize("name", PLAYED)
def test_the_steps_of_the_page_pass_the_golden_vectors(shown, bank, name):
    assert (INITIAL, POINT) == ("initial.", "point")
    tests = [t for t in bank.tests(name) if t.data["ulps"]["float64"] is not None]
    found = shown.evaluate(COMPUTE, json.loads(json.dumps([case(t) for t in tests])))
    for test, values in zip(tests, found, strict=True):
        verdict = judge(
            Given(test, "float64", {n: [list(map(float, r)) for r in x] for n, x in values.items()}), bank
        )
        assert verdict.outcome == "pass", "\n".join(verdict.lines())
    assert len(tests) >= 15
