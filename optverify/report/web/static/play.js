/* The playground: a setting, its runs, their drawings. The address holds the whole setting. */
(() => {
  const MOST = 5, $ = (id) => document.getElementById(`play-${id}`);
  const USUAL = () => ({ problem: "rosenbrock", x: null, y: null, n: 200, runs: [fresh("momentum", { lr: 0.0005 }), fresh("adam", { lr: 0.05 })] });
  const fresh = (rule, numbers = {}) => ({ rule, options: {}, numbers, schedule: null });
  let play = null, dialects = null, setting = null, results = [], now = 0, timer = null, what = "effective";
  const QUANTITIES = {
    effective: ["effective learning rate ‖θₜ − θₜ₋₁‖ / ‖gₜ‖", (r) => r.effective, true],
    lr: ["learning rate", (r) => r.lr, false], gradient: ["norm of the gradient", (r) => r.gradient, true],
    x: ["θ₁", (r) => r.theta.map((p) => p[0]), false], y: ["θ₂", (r) => r.theta.map((p) => p[1]), false],
  };

  // ---- the setting and the address ---------------------------------------------------------------------------

  const pairs = (record) => Object.entries(record).map(([k, v]) => `${k}:${Array.isArray(v) ? v.join(" ") : v}`);

  /** problem=...&x=...&y=...&n=...&run=adam~epsilon:hat~lr:0.1~@cosine~total:100 */
  function written(s) {
    const query = new URLSearchParams({ problem: s.problem, x: s.x, y: s.y, n: s.n });
    for (const r of s.runs) {
      const schedule = r.schedule ? [`@${r.schedule.name}`, ...pairs(r.schedule.options), ...pairs(r.schedule.numbers)] : [];
      query.append("run", [r.rule, ...pairs(r.options), ...pairs(r.numbers), ...schedule].join("~"));
    }
    return query.toString();
  }

  /** Anything in the address that is not known is left out. */
  function read(query) {
    const s = USUAL(), number = (name) => (query.has(name) && Number.isFinite(Number(query.get(name))) ? Number(query.get(name)) : null);
    if (Object.hasOwn(play.problems, query.get("problem") ?? "")) s.problem = query.get("problem");
    s.x = number("x"); s.y = number("y");
    s.n = Math.min(5000, Math.max(1, Math.round(number("n") ?? s.n)));
    const listed = query.getAll("run").map(readRun).filter(Boolean).slice(0, MOST);
    if (listed.length) s.runs = listed;
    if (known(query.get("rule"))) {
      const wanted = Object.fromEntries([...query].filter(([axis, v]) => play.rules[query.get("rule")].axes[axis]?.includes(v)));
      s.runs = [{ ...fresh(query.get("rule")), options: wanted }];
      if (Object.keys(wanted).length) s.runs.push(fresh(query.get("rule")));
    }
    if (Object.hasOwn(play.schedules, query.get("schedule") ?? "")) s.runs = [{ ...fresh("momentum"), schedule: { name: query.get("schedule"), options: {}, numbers: {} } }, fresh("momentum")];
    return s;
  }

  const known = (name) => Object.hasOwn(play.rules, name ?? "") && !play.rules[name].without;

  function readRun(text) {
    const [rule, ...parts] = text.split("~");
    if (!known(rule)) return null;
    const run = fresh(rule);
    let into = run, source = play.rules[rule];
    for (const part of parts) {
      if (part[0] === "@") {
        if (!Object.hasOwn(play.schedules, part.slice(1))) return run;
        source = play.schedules[part.slice(1)];
        into = run.schedule = { name: part.slice(1), options: {}, numbers: {} };
        continue;
      }
      const at = part.indexOf(":"), name = part.slice(0, at), value = part.slice(at + 1);
      if (source.axes[name]?.includes(value)) into.options[name] = value;
      const field = source.numbers.find((h) => h.name === name);
      const given = field?.list ? value.split(" ").map(Number) : Number(value);
      if (field && valid(field, given)) into.numbers[name] = given;
    }
    return run;
  }

  function valid(h, value) {
    if (h.list) return value.length > 0 && value.every((v, i) => Number.isFinite(v) && v >= 0 && (h.name !== "milestones" || i === 0 || v > value[i - 1]));
    if (!Number.isFinite(value)) return false;
    if (h.whole) return Number.isInteger(value) && value >= 1;
    const [lowOpen, highOpen] = h.open;
    return (h.low === null || (lowOpen ? value > h.low : value >= h.low)) && (h.high === null || (highOpen ? value < h.high : value <= h.high));
  }

  const filled = (numbers, given) => Object.fromEntries(numbers.map((h) => [h.name, given[h.name] ?? h.default ?? (h.name === "lr" ? 0.01 : 0.5)]));

  // ---- computing and drawing ---------------------------------------------------------------------------------

  /** The runs of a setting, as columns; what a run cannot do is in its `note`. */
  function computed(s) {
    return s.runs.map((r) => {
      const schedule = r.schedule && { ...r.schedule, numbers: filled(play.schedules[r.schedule.name].numbers, r.schedule.numbers) };
      try {
        return runs.run(play, dialects, s.problem, [s.x, s.y], s.n, { ...r, numbers: filled(play.rules[r.rule].numbers, r.numbers), schedule });
      } catch (error) {
        return { theta: [], loss: [], effective: [], lr: [], gradient: [], states: [], note: error.message };
      }
    });
  }

  function view() {
    const [x0, x1, y0, y1] = play.problems[setting.problem].view;
    return { X: (x) => (x - x0) / (x1 - x0) * 600, Y: (y) => 600 - (y - y0) / (y1 - y0) * 600,
      at: (px, py) => [x0 + px / 600 * (x1 - x0), y1 - py / 600 * (y1 - y0)], width: x1 - x0 };
  }

  let drawnProblem = null;
  function background() {
    if (drawnProblem === setting.problem) return;
    drawnProblem = setting.problem;
    const problem = play.problems[setting.problem], { X, Y } = view();
    const levels = plots.contours(runs.field(problem).value, problem.view).map((d) => plots.node("path", { class: "level", d }));
    const stars = problem.minima.map(([x, y]) => plots.node("path", { class: "least", d: star(X(x), Y(y)) }));
    $("plot").replaceChildren(plots.node("title", {}, `${problem.title}: contours and paths`), ...levels, ...stars, plots.node("g", { id: "play-paths" }));
  }

  const star = (x, y) => Array.from({ length: 10 }, (_, k) => {
    const r = k % 2 ? 4 : 9, a = Math.PI * (k / 5 - 0.5);
    return `${k ? "L" : "M"}${(x + r * Math.cos(a)).toFixed(1)} ${(y + r * Math.sin(a)).toFixed(1)}`;
  }).join("") + "z";

  function paths() {
    const { X, Y } = view(), clip = (v) => Math.max(-3000, Math.min(3600, v)).toFixed(1), made = [];
    results.forEach((r, k) => {
      const seen = r.theta.slice(0, now + 1);
      if (!seen.length) return;
      const places = seen.map(([x, y]) => `${clip(X(x))} ${clip(Y(y))}`), [px, py] = places.at(-1).split(" ").map(Number);
      made.push(plots.node("path", { class: `line c${k}`, d: `M${places.join("L")}` }), plots.node("circle", { class: `dot c${k}`, cx: px, cy: py, r: 6 }),
        plots.node("text", { class: "name", x: Math.min(582, px + 9), y: Math.max(14, py - 7) }, String(k + 1)));
    });
    made.push(plots.node("circle", { class: "start", cx: X(setting.x).toFixed(1), cy: Y(setting.y).toFixed(1), r: 8 }));
    document.getElementById("play-paths").replaceChildren(...made);
    $("now").textContent = `${now} of ${setting.n}`;
    $("time").value = now;
  }

  function charts() {
    const least = play.problems[setting.problem].least, line = (f) => results.map((r, k) => ({ name: String(k + 1), style: k, y: f(r) }));
    plots.chart($("loss"), line((r) => (least === null ? r.loss : r.loss.map((v) => v - least))), { log: least !== null, title: least === null ? "f(θ)" : "f(θ) − its infimum", now });
    const [title, f, log] = quantity(what);
    plots.chart($("chart"), line(f), { log, title, now });
  }

  function quantity(name) {
    if (QUANTITIES[name]) return QUANTITIES[name];
    const coordinate = (v) => (engine.isArray(v) ? v[0] : v);
    return [`state ${name}${results.some((r) => engine.isArray(r.states[0]?.[name])) ? ", first coordinate" : ""}`, (r) => r.states.filter((s) => name in s).map((s) => coordinate(s[name])), false];
  }

  function choices() {
    const states = new Set(results.flatMap((r) => Object.keys(r.states[0] ?? {})));
    states.delete("theta");
    if (!QUANTITIES[what] && !states.has(what)) what = "effective";
    const option = (value, text) => ov.el("option", { value, selected: value === what }, text);
    $("what").replaceChildren(...Object.entries(QUANTITIES).map(([name, [title]]) => option(name, title)), ...[...states].map((s) => option(s, `state ${s}`)));
  }

  /** Everything anew after a change; the address follows where it is ours already or the reader changed something. */
  function refresh(byReader = true) {
    stop();
    results = computed(setting);
    now = setting.n;
    $("time").max = setting.n;
    background(); choices(); paths(); charts(); notes();
    $("x").value = +setting.x.toPrecision(6); $("y").value = +setting.y.toPrecision(6); $("n").value = setting.n; $("problem").value = setting.problem;
    if (byReader) history.replaceState(null, "", `#play?${written(setting)}`);
  }

  function notes() {
    const ends = results.map((r, k) => `run ${k + 1}, ${play.rules[setting.runs[k].rule].title}: ${r.note || `f = ${r.loss.at(-1).toPrecision(4)} after ${r.theta.length - 1} updates`}`);
    $("said").textContent = `${ends.join("; ")}.`;
    document.querySelectorAll("#play-runs .note").forEach((p, k) => { p.textContent = results[k]?.note ?? ""; p.hidden = !results[k]?.note; });
  }

  // ---- the desk: a fieldset a run --------------------------------------------------------------------------------

  const select = (label, values, value, change) => ov.el("label", {}, `${label} `, ov.el("select", { onchange: (e) => change(e.target.value) },
    values.map(([v, text]) => ov.el("option", { value: v, selected: v === value }, text))));

  /** Where a value stands on a slider from 0 to 1, and back: decades for positive numbers, 1 - decades below 1. */
  function scale(h) {
    const usual = h.default || 0.01, floor = Math.log10(usual) - 3, span = 6;
    if (h.low === 0 && h.high === 1 && usual > 0.5) return { to: (v) => Math.min(1, -Math.log10(Math.max(1 - v, 1e-4)) / 4), from: (p) => 1 - 10 ** (-4 * p) };
    if (h.low === 0 && h.high === 1) return { to: (v) => v, from: (p) => Math.min(p, 0.999) };
    if (h.low === 0 || h.whole) return { to: (v) => (v > 0 ? Math.max(0, Math.min(1, (Math.log10(v) - floor) / span)) : 0), from: (p) => 10 ** (floor + span * p) };
    return { to: (v) => (v / usual + 3) / 6, from: (p) => usual * (6 * p - 3) };
  }

  function numberRow(h, into, change) {
    const value = into[h.name] ?? h.default ?? (h.name === "lr" ? 0.01 : 0.5), name = ov.el("span", { title: h.meaning }, h.name);
    if (h.list) {
      const field = ov.el("input", { type: "text", value: value.join(" "), "aria-label": h.name, onchange: () => put(field.value.trim().split(/[\s,]+/).map(Number)) });
      return ov.el("div", { class: "number" }, name, field);
    }
    const { to, from } = scale(h);
    const field = ov.el("input", { type: "number", step: "any", value: +value.toPrecision(6), "aria-label": h.name, onchange: () => put(Number(field.value)) });
    const slider = ov.el("input", { type: "range", min: "0", max: "1", step: "0.005", value: to(value), "aria-label": `${h.name}, slider`, "aria-valuetext": String(+value.toPrecision(4)),
      oninput: () => { const v = from(Number(slider.value)); put(h.whole ? Math.max(1, Math.round(v)) : +v.toPrecision(3)); } });
    function put(v) {
      const right = valid(h, v);
      (field).setAttribute("aria-invalid", String(!right));
      if (!right) { ov.announce(`${h.name} = ${v} is out of its range`); return; }
      into[h.name] = v;
      field.value = +v.toPrecision(6);
      slider.value = to(v);
      slider.setAttribute("aria-valuetext", String(+v.toPrecision(4)));
      change();
    }
    return ov.el("div", { class: "number" }, name, slider, field);
  }

  function fieldset(run, k) {
    const rule = play.rules[run.rule], used = new Set(head(run)), again = () => { desk(); refresh(); };
    const rules = Object.entries(play.rules).filter(([, r]) => !r.without).map(([n, r]) => [n, r.title]);
    const schedules = [["", "none"], ...Object.entries(play.schedules).map(([n, s]) => [n, s.title])];
    const chosen = run.schedule && play.schedules[run.schedule.name];
    const numbers = rule.numbers.filter((h) => used.has(h.name) && !(run.schedule && h.name === "lr"));
    return ov.el("fieldset", { class: `run c${k}` }, ov.el("legend", {}, `Run ${k + 1}`),
      ov.el("div", { class: "row" }, select("Rule", rules, run.rule, (v) => { setting.runs[k] = fresh(v); again(); }),
        setting.runs.length > 1 ? ov.el("button", { type: "button", "aria-label": `Remove run ${k + 1}`, onclick: () => { setting.runs.splice(k, 1); again(); } }, "Remove") : "",
        ov.el("a", { href: `#${run.rule}${Object.keys(run.options).length ? `?${new URLSearchParams(run.options)}` : ""}` }, "equations")),
      ov.el("div", { class: "row" }, Object.entries(rule.axes).map(([axis, all]) => select(axis, all.map((o) => [o, o]), run.options[axis] ?? all[0],
        (v) => { if (v === all[0]) delete run.options[axis]; else run.options[axis] = v; again(); }))),
      numbers.map((h) => numberRow(h, run.numbers, refresh)),
      ov.el("div", { class: "row" }, select("Schedule", schedules, run.schedule?.name ?? "", (v) => { run.schedule = v ? { name: v, options: {}, numbers: { ...("lr" in run.numbers ? { lr: run.numbers.lr } : { lr: rule.numbers.find((h) => h.name === "lr")?.default ?? 0.01 }) } } : null; again(); }),
        chosen ? Object.entries(chosen.axes).map(([axis, all]) => select(axis, all.map((o) => [o, o]), run.schedule.options[axis] ?? all[0], (v) => { run.schedule.options[axis] = v; refresh(); })) : ""),
      chosen ? chosen.numbers.map((h) => numberRow(h, run.schedule.numbers, refresh)) : "",
      ov.el("p", { class: "note", hidden: true }));
  }

  /** Names that the lines of a dialect are given. */
  function head(run) {
    try { return [...runs.dialect(play, dialects, run.rule, run.options).names, ...Object.values(runs.dialect(play, dialects, run.rule, run.options).starts).flatMap((t) => t.match(/[A-Za-z_]\w*/g) ?? [])]; } catch { return []; }
  }

  function desk() {
    $("runs").replaceChildren(...setting.runs.map(fieldset));
    $("add").disabled = setting.runs.length >= MOST;
  }

  // ---- time ------------------------------------------------------------------------------------------------------

  function stop() {
    clearInterval(timer);
    timer = null;
    $("go").textContent = "▶ Play";
    $("go").setAttribute("aria-pressed", "false");
  }

  function show(t) { now = Math.max(0, Math.min(setting.n, t)); paths(); charts(); }

  function go() {
    if (timer) { stop(); return; }
    if (now >= setting.n) show(0);
    $("go").textContent = "⏸ Pause";
    $("go").setAttribute("aria-pressed", "true");
    const rate = Number($("speed").value), leap = Math.max(1, Math.round(rate / 40));
    timer = setInterval(() => { show(now + leap); if (now >= setting.n) stop(); }, 1000 * leap / rate);
  }

  // ---- beginning -------------------------------------------------------------------------------------------------

  function begin(query) {
    setting = read(query);
    const problem = play.problems[setting.problem];
    setting.x ??= problem.start[0];
    setting.y ??= problem.start[1];
    desk();
    refresh(false);
  }

  function startAt(x, y) { [setting.x, setting.y] = [+x.toPrecision(5), +y.toPrecision(5)]; refresh(); }

  function listen() {
    $("problem").append(...Object.entries(play.problems).map(([name, p]) => ov.el("option", { value: name }, p.title)));
    $("problem").addEventListener("change", () => { setting.problem = $("problem").value; startAt(...play.problems[setting.problem].start); });
    for (const axis of ["x", "y"]) $(axis).addEventListener("change", () => { const v = Number($(axis).value); if (Number.isFinite(v)) { setting[axis] = v; refresh(); } });
    $("n").addEventListener("change", () => { setting.n = Math.min(5000, Math.max(1, Math.round(Number($("n").value)) || 1)); refresh(); });
    $("plot").addEventListener("click", (event) => {
      const box = $("plot").getBoundingClientRect();
      startAt(...view().at((event.clientX - box.left) / box.width * 600, (event.clientY - box.top) / box.height * 600));
    });
    $("plot").addEventListener("keydown", (event) => {
      const d = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!d) return;
      event.preventDefault();
      const by = view().width / (event.shiftKey ? 200 : 40);
      startAt(setting.x + by * d[0], setting.y + by * d[1]);
      ov.announce(`Start at ${setting.x}, ${setting.y}`);
    });
    $("go").addEventListener("click", go);
    $("step").addEventListener("click", () => { stop(); show(now >= setting.n ? 1 : now + 1); });
    $("reset").addEventListener("click", () => { stop(); show(0); });
    $("time").addEventListener("input", () => { stop(); show(Number($("time").value)); });
    $("speed").addEventListener("change", () => { if (timer) { stop(); go(); } });
    $("what").addEventListener("change", () => { what = $("what").value; charts(); });
    $("add").addEventListener("click", () => { setting.runs.push(fresh("gd")); desk(); refresh(); });
    $("share").addEventListener("click", () => { history.replaceState(null, "", `#play?${written(setting)}`); ov.copy(location.href, "Link"); });
  }

  let ready = null;
  const prepare = () => (ready ??= (async () => { [play, dialects] = await Promise.all([ov.data("play"), ov.data("dialects")]); listen(); })());

  window.addEventListener("ov:route", ({ detail: { id, query, wait } }) => {
    if (id === "play") wait.push(prepare().then(() => begin(query)));
  });
  // Without an address of its own it begins when it comes near.
  new IntersectionObserver((seen, watch) => {
    if (!seen.some((s) => s.isIntersecting)) return;
    watch.disconnect();
    prepare().then(() => { if (!setting) begin(new URLSearchParams()); });
  }, { rootMargin: "400px" }).observe(document.getElementById("playground"));

  ov.play = { prepare, read, written, setting: () => setting, results: () => results, compute: (query) => prepare().then(() => { const s = read(query); const p = play.problems[s.problem]; s.x ??= p.start[0]; s.y ??= p.start[1]; return computed(s); }) };
})();
