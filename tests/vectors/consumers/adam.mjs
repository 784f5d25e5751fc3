// Adam by hand, run on the vectors: node adam.mjs VECTORS GROUP DTYPE [inside] > results.json
import { readFileSync } from "node:fs";

const [path, group, dtype, epsilon] = process.argv.slice(2);
const file = JSON.parse(readFileSync(path, "utf8"));
const inputs = new Map(file.inputs.map((input) => [input.id, input]));
const round = dtype === "float32" ? Math.fround : (x) => x; // every operation in the type of the parameters
const nth = (rows, k) => rows[(k - 1) % rows.length];

function fraction(text) {
  const [above, below] = text.split("/").map(Number); // states that are given are short fractions
  return below === undefined ? above : above / below;
}

function step({ theta, m, v }, g, t, { lr, beta1, beta2, eps }) {
  const one = round(1 - beta1 ** t);
  const two = round(1 - beta2 ** t);
  for (let i = 0; i < theta.length; i++) {
    m[i] = round(round(beta1 * m[i]) + round((1 - beta1) * g[i]));
    v[i] = round(round(beta2 * v[i]) + round((1 - beta2) * round(g[i] * g[i])));
    const hat = round(v[i] / two);
    const root = epsilon === "inside" ? round(Math.sqrt(round(hat + eps))) : round(round(Math.sqrt(hat)) + eps);
    theta[i] = round(theta[i] - round(round(lr * round(m[i] / one)) / root));
  }
}

function run(test, constants) {
  const input = inputs.get(test.input);
  if (!input.dtypes.includes(dtype)) return { test: test.id, skipped: `not for ${dtype}` };
  const state = { theta: [...input.theta.decimal[0]] };
  for (const name of ["m", "v"]) state[name] = test.initial[name].exact.map(fraction);
  const values = { theta: [], m: [], v: [] };
  for (let k = 1; k <= input.updates; k++) {
    const lr = constants.lr * nth(input.lr_factors, k);
    step(state, nth(input.gradients.decimal, k), test.t + k, { ...constants, lr });
    if (input.after.includes(k)) for (const name of Object.keys(values)) values[name].push([...state[name]]);
  }
  return { test: test.id, values };
}

const { tests, hyperparameters } = file.groups.find(({ id }) => id === group);
const constants = Object.fromEntries(Object.entries(hyperparameters).map(([name, x]) => [name, x.decimal]));
const results = tests.map((test) => run(test, constants));
console.log(JSON.stringify({ format: "optverify results", version: 1, program: "adam.mjs", dtype, results }));
