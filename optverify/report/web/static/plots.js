/* Drawings of the playground: contours by marching squares, paths, curves with their numbers at the ends. */
const plots = (() => {
  const NS = "http://www.w3.org/2000/svg";

  function node(tag, attributes = {}, ...children) {
    const made = document.createElementNS(NS, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  const short = (v) => (Math.abs(v) >= 1e5 || (v !== 0 && Math.abs(v) < 1e-3) ? v.toExponential(0) : String(+v.toPrecision(3))).replace("-", "−").replace("e+", "e");
  const place = (v) => Math.round(v * 10) / 10;

  /** Levels that split the values of a field evenly, the low ones closer. */
  function levels(values, count) {
    const sorted = Float64Array.from(values.filter(Number.isFinite)).sort();
    return Array.from({ length: count }, (_, k) => sorted[Math.floor(((k + 0.5) / count) ** 1.6 * (sorted.length - 1))]);
  }

  /** Contours of f over a view [x0, x1, y0, y1] as path data, a string a level. */
  function contours(f, [x0, x1, y0, y1], n = 150, count = 14) {
    const at = (i, j) => [x0 + (x1 - x0) * i / n, y0 + (y1 - y0) * j / n];
    const grid = Array.from({ length: (n + 1) ** 2 }, (_, k) => f(at(k % (n + 1), Math.floor(k / (n + 1)))));
    const v = (i, j) => grid[j * (n + 1) + i], S = 600 / n;
    return levels(grid, count).map((level) => {
      let d = "";
      for (let j = 0; j < n; j++) for (let i = 0; i < n; i++) {
        const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]], cuts = [];
        for (let k = 0; k < 4; k++) {
          const [a, b] = corners[k], [c, e] = corners[(k + 1) % 4], p = v(a, b), q = v(c, e);
          if ((p < level) === (q < level) || !Number.isFinite(p + q)) continue;
          const s = (level - p) / (q - p);
          cuts.push(`${place((a + s * (c - a)) * S)} ${place(600 - (b + s * (e - b)) * S)}`);
        }
        for (let k = 0; k + 1 < cuts.length; k += 2) d += `M${cuts[k]}L${cuts[k + 1]}`;
      }
      return d;
    });
  }

  /** Curves over updates. lines: [{name, style, y}]; log: of positive values alone. */
  function chart(svg, lines, { log, title, now }) {
    const [L, R, T, B, W, H] = [58, 40, 22, 30, 600, 260];
    const use = (y) => Number.isFinite(y) && (!log || y > 0), say = log ? Math.log10 : (y) => y;
    const all = lines.flatMap((l) => [...l.y].filter(use).map(say));
    svg.replaceChildren(node("title", {}, title));
    if (!all.length) { svg.append(node("text", { x: L, y: H / 2 }, "no finite value")); return; }
    let low = all.reduce((a, b) => Math.min(a, b)), high = all.reduce((a, b) => Math.max(a, b));
    if (log) low = Math.max(low, high - 18);
    if (high === low) { low -= 0.5; high += 0.5; }
    const last = Math.max(1, ...lines.map((l) => l.y.length - 1));
    const X = (t) => place(L + t / last * (W - L - R)), Y = (y) => place(H - B - (say(y) - low) / (high - low) * (H - T - B));
    svg.append(node("path", { class: "axis", d: `M${L} ${T}V${H - B}H${W - R}` }), node("text", { x: L, y: 13 }, title),
      node("text", { x: W - R, y: H - 4, class: "end" }, `update ${last}`), node("text", { x: L, y: H - 12, class: "mid" }, "0"));
    for (const share of [0, 0.5, 1]) {
      const value = low + share * (high - low), y = place(H - B - share * (H - T - B));
      svg.append(node("path", { class: "axis", d: `M${L} ${y}h-4` }), node("text", { x: L - 7, y: y + 4, class: "end" }, short(log ? 10 ** value : value)));
    }
    if (now !== null) svg.append(node("path", { class: "now", d: `M${X(Math.min(now, last))} ${T}V${H - B}` }));
    for (const { name, style, y } of lines) {
      let d = "", pen = "M", end = null;
      y.forEach((value, t) => {
        if (!use(value) || say(value) < low) { pen = "M"; return; }
        end = [X(t), Y(value)];
        d += `${pen}${end[0]} ${end[1]}`;
        pen = "L";
      });
      if (!end) continue;
      svg.append(node("path", { class: `line c${style}`, d }), node("text", { class: "name", x: end[0] + 5, y: end[1] + 4 }, name));
    }
  }

  return { node, contours, chart, short };
})();
