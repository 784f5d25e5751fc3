/* Runs: a rule in a dialect from a start, by the lines that its card shows. */
const runs = (() => {
  const { code } = engine;

  /** The steps of a dialect, from its lines of code: `def equations(...)`, `name = code`, `return ...`. */
  function stepper(lines) {
    const [head, ...body] = lines, last = body.pop();
    const names = head.slice(head.indexOf("(") + 1, head.lastIndexOf(")")).split(",").map((s) => s.trim());
    const states = last.replace("return", "").split(",").map((s) => s.trim()).filter(Boolean);
    const steps = body.map((line) => {
      const at = line.indexOf(" = ");
      return [line.slice(0, at).trim(), code(line.slice(at + 3))];
    });
    return {
      gradient: names[1], states, names,
      /** New states from the old ones, a gradient, t and the numbers; env is changed. */
      step(env) {
        for (const [name, value] of steps) env[name] = value(env);
        return Object.fromEntries(states.map((s) => [s, env[s]]));
      },
    };
  }

  const keyOf = (axes, options) => Object.entries(axes).map(([axis, all]) => {
    const place = all.indexOf(options[axis] ?? all[0]);
    if (place < 0) throw new RangeError(`no option ${options[axis]} on the axis ${axis}: it has ${all.join(", ")}`);
    return String.fromCharCode(97 + place);
  }).join("");

  /** Lines, start and point of a dialect. Throws RangeError for options that exclude each other. */
  function dialect(play, dialects, name, options) {
    const rule = play.rules[name], key = keyOf(rule.axes, options), found = dialects.rules[name][key];
    if (!found) throw new RangeError("these options exclude each other");
    const { at, states } = rule.starts[key] ?? rule.start;
    return { ...stepper(found[1].map((n) => dialects.code[n])), at: code(at), starts: states, scalars: rule.scalars };
  }

  /** States before the first update: a start that mentions theta, or numbers alone. */
  function begin(found, theta, numbers) {
    const env = { ...numbers, theta }, states = { theta };
    for (const [name, text] of Object.entries(found.starts)) {
      const value = code(text)(env);
      states[name] = found.scalars.includes(name) || engine.isArray(value) ? value : new Float64Array(theta.length).fill(value);
    }
    return states;
  }

  /** One update: the states after it. given: numbers, lr among them, and inputs; t counts from 1. */
  function update(found, states, gradient, t, given) {
    return found.step({ ...given, ...states, [found.gradient]: gradient, t });
  }

  /** The learning rate of a schedule after t updates. */
  function rate(schedule, options, numbers, t) {
    const lines = schedule.lines[Object.entries(schedule.axes).map(([axis, all]) => options[axis] ?? all[0]).join(" ")];
    const env = { ...numbers, t };
    for (const [name, text] of lines) env[name] = code(text)(env);
    return env[lines.at(-1)[0]];
  }

  function field(problem) {
    const f = code(problem.f), [dx, dy] = problem.gradient.map(code);
    const env = (p) => ({ x1: p[0], x2: p[1] });
    return { value: (p) => f(env(p)), gradient: (p) => { const e = env(p); return Float64Array.of(dx(e), dy(e)); } };
  }

  /** A run of n updates. setting: {rule, options, numbers, schedule: {name, options, numbers} or null}.
      Gives columns; a run that leaves the numbers stops, and says so in `note`. */
  function run(play, dialects, problemName, start, n, setting) {
    const problem = play.problems[problemName], { value, gradient } = field(problem);
    const found = dialect(play, dialects, setting.rule, setting.options), schedule = setting.schedule && play.schedules[setting.schedule.name];
    const rateAt = (t) => (schedule ? rate(schedule, setting.schedule.options, setting.schedule.numbers, t) : setting.numbers.lr);
    let states = begin(found, Float64Array.from(start), { ...setting.numbers, lr: rateAt(0) });
    const out = { theta: [states.theta], loss: [value(states.theta)], effective: [], lr: [], gradient: [], states: [states], note: "" };
    for (let t = 1; t <= n; t++) {
      const lr = rateAt(t - 1), given = { ...setting.numbers, lr };
      const at = found.at({ ...given, ...states }), g = gradient(at);
      given.loss = value(states.theta);
      const after = update(found, states, g, t, given), [a, b] = states.theta, [x, y] = after.theta;
      if (![x, y].every(Number.isFinite)) { out.note = `not finite after update ${t}`; break; }
      const length = Math.hypot(g[0], g[1]);
      out.effective.push(length > 0 ? Math.hypot(x - a, y - b) / length : NaN);
      out.lr.push(lr);
      out.gradient.push(length);
      states = after;
      out.theta.push(states.theta);
      out.loss.push(value(states.theta));
      out.states.push(states);
    }
    return out;
  }

  return { stepper, dialect, begin, update, rate, field, run };
})();
