/* Reads a line of the generated NumPy code once, and gives a function of named numbers and arrays.
   No eval: the policy of the page forbids it. */
const engine = (() => {
  const TOKEN = /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_][\w.]*)|(\*\*|==|!=|<=|>=|[-+*/%()<>,&|]))/y;

  function tokens(text) {
    const found = [];
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.trimEnd().length) {
      const at = TOKEN.lastIndex, m = TOKEN.exec(text);
      if (!m) throw new SyntaxError(`cannot read ${JSON.stringify(text.slice(at))}`);
      found.push(m[1] !== undefined ? { number: Number(m[1]) } : m[2] !== undefined ? { name: m[2] } : { sign: m[3] });
    }
    return found;
  }

  const isArray = (x) => x instanceof Float64Array;

  /** An operation on numbers, made one on numbers and arrays. */
  const lift = (f) => (a, b) => {
    if (!isArray(a) && !isArray(b)) return f(a, b);
    const n = (isArray(a) ? a : b).length, out = new Float64Array(n);
    for (let i = 0; i < n; i++) out[i] = f(isArray(a) ? a[i] : a, isArray(b) ? b[i] : b);
    return out;
  };

  const sum = (x) => x.reduce((s, v) => s + v, 0);
  const norm = (x) => {
    const largest = x.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    return largest > 0 && largest < Infinity ? largest * Math.sqrt(sum(x.map((v) => (v / largest) ** 2))) : largest;
  };
  const pick = (values, i) => values[Math.min(i, values.length - 1)];
  const power = (a, b) => (b === 2 ? a * a : a ** b);

  const BINARY = {
    "+": lift((a, b) => a + b), "-": lift((a, b) => a - b), "*": lift((a, b) => a * b), "/": lift((a, b) => a / b),
    "%": lift((a, b) => { const r = a % b; return r !== 0 && r < 0 !== b < 0 ? r + b : r; }), "**": lift(power),
    "<": lift((a, b) => +(a < b)), ">": lift((a, b) => +(a > b)), "<=": lift((a, b) => +(a <= b)), ">=": lift((a, b) => +(a >= b)),
    "==": lift((a, b) => +(a === b)), "!=": lift((a, b) => +(a !== b)), "&": lift((a, b) => +(a && b)), "|": lift((a, b) => +(a || b)),
  };
  const each = (f) => lift((a) => f(a));
  const [maximum, minimum] = [Math.max, Math.min].map((f) => (...all) => all.reduce(lift(f)));

  const FUNCTIONS = {
    ...Object.fromEntries(["sqrt", "exp", "log", "abs", "sign", "cos", "sin", "tanh", "sinh", "cosh", "floor", "ceil"].flatMap(
      (n) => [[n, each(Math[n])], [`math.${n}`, each(Math[n])]])),
    maximum, minimum, max: maximum, min: minimum, larger: maximum, smaller: minimum, square: (a) => a * a,
    where: (c, a, b) => {
      if (!isArray(c)) return c ? a : b;
      return c.map((v, i) => { const x = v ? a : b; return isArray(x) ? x[i] : x; });
    },
    norm, norm1: (x) => sum(x.map(Math.abs)), mean: (x) => sum(x) / x.length, inner: (x, y) => sum(x.map((v, i) => v * y[i])),
    rms: (x) => (x.length ? norm(x) / Math.sqrt(x.length) : 0),
    // Counts of schedules.
    Passed: (t, marks) => marks.filter((m) => m <= t).length,
    Mark: (i, marks) => pick([0, ...marks], i),
    Factor: (i, factors) => pick([1, ...factors], i),
    Length: (list) => list.length,
    Share: (p, n) => { const [whole, part = ""] = String(p).split("."); return Number((BigInt(whole + part) * BigInt(n)) / 10n ** BigInt(part.length)); },
    RestartIndex: (t, first, factor) => {
      if (factor === 1) return Math.floor(t / first);
      let i = 0;
      for (let start = 0, length = first; start + length <= t; length *= factor, i++) start += length;
      return i;
    },
  };
  const CONSTANTS = { "math.pi": Math.PI, "math.e": Math.E, inf: Infinity };
  const LEVELS = [["or"], ["and"], ["<", ">", "<=", ">=", "==", "!="], ["|"], ["&"], ["+", "-"], ["*", "/", "%"]];
  const AS = { or: "|", and: "&" };

  /** A function of an environment: name -> number, array or list. Throws SyntaxError for what it cannot read. */
  function compile(text) {
    const all = tokens(text);
    let at = 0;
    const next = () => all[at] ?? {};
    const is = (word) => next().sign === word || next().name === word;
    const take = (word) => {
      if (!is(word)) throw new SyntaxError(`${JSON.stringify(word)} is missing in ${JSON.stringify(text)}`);
      at++;
    };

    function ternary() {
      const value = level(0);
      if (!is("if")) return value;
      at++;
      const condition = level(0);
      take("else");
      const other = ternary();
      return (e) => (condition(e) ? value(e) : other(e));
    }

    function level(k) {
      if (k === LEVELS.length) return unary();
      let left = level(k + 1);
      while (LEVELS[k].some(is)) {
        const word = next().sign ?? next().name, f = BINARY[AS[word] ?? word], a = left;
        at++;
        const b = level(k + 1);
        left = (e) => f(a(e), b(e));
      }
      return left;
    }

    function unary() {
      if (is("-")) { at++; const a = unary(), f = each((x) => -x); return (e) => f(a(e)); }
      if (is("not")) { at++; const a = unary(); return (e) => +!a(e); }
      const base = atom();
      if (!is("**")) return base;
      at++;
      const exponent = unary(), f = BINARY["**"];
      return (e) => f(base(e), exponent(e));
    }

    function atom() {
      const token = next();
      at++;
      if (token.number !== undefined) return () => token.number;
      if (token.sign === "(") { const inside = ternary(); take(")"); return inside; }
      if (token.name === undefined) throw new SyntaxError(`cannot read ${JSON.stringify(text)}`);
      if (is("(")) return call(token.name);
      if (token.name in CONSTANTS) return () => CONSTANTS[token.name];
      return (e) => {
        if (!(token.name in e)) throw new ReferenceError(`${token.name} has no value`);
        return e[token.name];
      };
    }

    function call(name) {
      take("(");
      const index = name === "sum_over" ? next().name : null;
      if (index) { at++; take(","); }
      const given = [ternary()];
      while (is(",")) { at++; given.push(ternary()); }
      take(")");
      if (index) {
        const [low, high, body] = given;
        return (e) => {
          let total = 0;
          for (let k = low(e), last = high(e); k <= last; k++) total += body({ ...e, [index]: k });
          return total;
        };
      }
      const f = FUNCTIONS[name];
      if (!f) throw new SyntaxError(`no function ${name} in ${JSON.stringify(text)}`);
      return (e) => f(...given.map((g) => g(e)));
    }

    const value = ternary();
    if (at < all.length) throw new SyntaxError(`cannot read the end of ${JSON.stringify(text)}`);
    return value;
  }

  const known = new Map();
  /** The same, each text read once. */
  function code(text) {
    if (!known.has(text)) known.set(text, compile(text));
    return known.get(text);
  }

  return { code, compile, isArray };
})();
