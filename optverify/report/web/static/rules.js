/* The switches of the cards: equations, code and exports of the dialect that is chosen. */
(() => {
  const cards = new Map([...document.querySelectorAll("article.card[data-rule]")].map((c) => [c.dataset.rule, c]));

  /** The options that are chosen: axis -> option. */
  function chosen(card) {
    return Object.fromEntries([...card.querySelectorAll("[data-axis]")].map((s) => [s.dataset.axis, s.value]));
  }

  /** The same as the key of a dialect: a letter an axis. */
  function keyOf(card) {
    return [...card.querySelectorAll("[data-axis]")].map((s) => String.fromCharCode(97 + s.selectedIndex)).join("");
  }

  function setKey(card, key) {
    card.querySelectorAll("[data-axis]").forEach((s, i) => { s.selectedIndex = key.charCodeAt(i) - 97; });
  }

  /** The options away from the paper's, as a query. */
  function query(card) {
    const away = [...card.querySelectorAll("[data-axis]")].filter((s) => s.selectedIndex > 0);
    return new URLSearchParams(away.map((s) => [s.dataset.axis, s.value])).toString();
  }

  const left = (tex) => tex.slice(0, tex.indexOf(" &= "));

  /** Lines of the chosen dialect; those that the paper's does not have are marked, those it alone has are struck. */
  function compare(before, after, tex) {
    const had = new Set(before), has = new Set(after), defined = new Set(after.map((n) => left(tex[n])));
    const lines = after.map((n) => ({ n, kind: had.has(n) ? "same" : "changed" }));
    before.forEach((n, i) => {
      if (has.has(n) || defined.has(left(tex[n]))) return;
      const next = before.slice(i + 1).map((m) => left(tex[m]));
      const at = lines.findIndex((l) => l.kind !== "gone" && next.includes(left(tex[l.n])));
      lines.splice(at < 0 ? lines.length : at, 0, { n, kind: "gone" });
    });
    return lines;
  }

  function drawn(line, name, place, data) {
    const [lhs, rhs] = data.math[line.n].map(ov.math);
    const side = (content, kind) => { const s = ov.el("span", { class: kind }); s.append(content); return s; };
    const row = ov.el("div", { class: line.kind === "same" ? "eq" : `eq ${line.kind}` }, side(lhs, "lhs"), side(rhs, "rhs"));
    if (line.kind === "gone") {
      row.prepend(ov.el("span", { class: "visually-hidden" }, "gone: "));
      row.append(ov.el("span", { class: "no" }, "gone"));
      return row;
    }
    if (line.kind === "changed") row.prepend(ov.el("span", { class: "visually-hidden" }, "changed: "));
    row.id = `${name}.eq${place}`;
    row.append(ov.el("a", { class: "no", href: `#${row.id}`, "aria-label": `Link to equation ${place}` }, `(${place})`));
    return row;
  }

  /** Show the dialect of the selects. Returns false where options exclude each other. */
  async function show(card) {
    const name = card.dataset.rule, data = await ov.data("dialects"), key = keyOf(card);
    const found = data.rules[name][key], said = card.querySelector(".said");
    const away = query(card);
    card.querySelector(".reset")?.toggleAttribute("hidden", !away);
    said.hidden = !away;
    if (!found) {
      said.textContent = `There is no dialect with ${away.replaceAll("&", ", ").replaceAll("=", " = ")}: these options exclude each other.`;
      card.classList.add("none");
      ov.announce(said.textContent);
      return false;
    }
    card.classList.remove("none");
    const lines = compare(data.rules[name][card.dataset.key][0], found[0], data.tex);
    let place = 0;
    card.querySelector(".equations").replaceChildren(...lines.map((l) => drawn(l, name, l.kind === "gone" ? 0 : ++place, data)));
    const source = card.querySelector(".source code");
    if (source) source.textContent = found[1].map((n) => data.code[n]).join("\n");
    const changed = lines.filter((l) => l.kind === "changed").length, gone = lines.filter((l) => l.kind === "gone").length;
    said.textContent = away && `${away.replaceAll("&", ", ").replaceAll("=", " = ")}: ${changed} line${changed === 1 ? "" : "s"} changed`
      + `${gone ? `, ${gone} gone` : ""}${changed + gone ? "" : "; the equations are the same, only where a state starts may differ"}.`;
    const link = card.querySelector(".try");
    if (link) link.href = `#play?${new URLSearchParams({ rule: name })}${away ? `&${away}` : ""}`;
    if (away) ov.announce(said.textContent);
    return true;
  }

  /** Mark which library's dialect is on show, and open what is said of it. */
  function pressed(card, library) {
    card.querySelectorAll("[data-library]").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.library === library)));
    card.querySelectorAll(".differs").forEach((d) => { d.hidden = d.dataset.of !== library; });
  }

  async function chosenLines(card) {
    const data = await ov.data("dialects"), [equations, code] = data.rules[card.dataset.rule][keyOf(card)];
    return { tex: equations.map((n) => data.tex[n]), code: code.map((n) => data.code[n]) };
  }

  async function latex(card) {
    const { tex } = await chosenLines(card);
    return `\\begin{aligned}\n${tex.join(" \\\\\n")}\n\\end{aligned}`;
  }

  /** The file for a language: kept for the dialects one option away and for those of libraries. */
  async function exported(card, to) {
    const { paper, changes } = (await ov.data("exports"))[card.dataset.rule][to], key = keyOf(card);
    if (key === card.dataset.key) return paper.join("\n");
    if (!changes[key]) return null;
    const lines = [...paper];
    for (const [at, gone, ...come] of [...changes[key]].reverse()) lines.splice(at, gone, ...come);
    return lines.join("\n");
  }

  function command(card, to) {
    const options = Object.entries(chosen(card)).filter(([axis, v]) => v !== card.querySelector(`[data-axis="${axis}"]`).options[0].value);
    return `optverify export ${card.dataset.rule} --to ${to}${options.map(([a, v]) => ` --option ${a}=${v}`).join("")}`;
  }

  async function copy(card, what) {
    if (card.classList.contains("none")) { ov.announce("There is no such dialect"); return; }
    if (what === "latex") ov.copy(await latex(card), "LaTeX");
    if (what === "numpy") ov.copy(`${(await chosenLines(card)).code.join("\n")}\n`, "NumPy source");
    if (what === "export") {
      const to = card.querySelector(".target").value, text = await exported(card, to);
      if (text) ov.copy(`${text}\n`, `The export for ${to}`);
      else ov.copy(command(card, to), "The command that writes this dialect");
    }
  }

  document.getElementById("rules").addEventListener("change", (event) => {
    const card = event.target.closest("article.card");
    if (!card || !event.target.dataset.axis) return;
    pressed(card, null);
    show(card);
    const away = query(card);
    history.replaceState(null, "", `#${card.dataset.rule}${away ? `?${away}` : ""}`);
  });

  document.getElementById("rules").addEventListener("click", async (event) => {
    const button = event.target.closest("button"), card = button?.closest("article.card");
    if (!card) return;
    if (button.dataset.copy) {
      await copy(card, button.dataset.copy);
      const text = button.textContent;
      if (!button.classList.contains("done")) {
        button.classList.add("done");
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = text; button.classList.remove("done"); }, 1200);
      }
    } else if (button.classList.contains("reset")) {
      setKey(card, card.dataset.key);
      pressed(card, null);
      await show(card);
      card.querySelector("[data-axis]").focus();
    } else if (button.dataset.library) {
      const on = button.getAttribute("aria-pressed") === "true";
      setKey(card, on ? card.dataset.key : button.dataset.key);
      pressed(card, on ? null : button.dataset.library);
      await show(card);
      if (!on) told(card, button.dataset.library);
    }
  });

  /** In words: the options in which a library differs. */
  function told(card, library) {
    const away = query(card).replaceAll("&", ", ").replaceAll("=", " = ");
    const which = card.querySelector(`.differs[data-of="${library}"] .which`);
    which.textContent = away ? `Its choices: ${away}. The lines marked above differ from the paper's.` : "Its equations are those of the paper.";
  }

  /** Put in what is folded: when it is asked for, else when the browser has nothing to do. */
  async function unfold(card) {
    const more = card.querySelector(".more");
    if (more.childElementCount) return;
    const html = (await ov.data("details"))[card.dataset.rule];
    if (more.childElementCount) return;
    more.append(ov.math(html));
    if (keyOf(card) !== card.dataset.key) await show(card);
  }

  const waiting = [...cards.values()];
  const idle = window.requestIdleCallback ?? ((f) => setTimeout(f, 50));
  async function next() {
    if (!waiting.length) { window.dispatchEvent(new Event("ov:unfolded")); return; }
    await unfold(waiting.shift());
    idle(next);
  }
  window.addEventListener("load", () => idle(next));
  window.addEventListener("beforeprint", () => waiting.splice(0).forEach(unfold));

  window.addEventListener("ov:route", ({ detail: { id, query: given, wait } }) => {
    const card = cards.get(id.split(".")[0]);
    if (!card) return;
    wait.push(unfold(card));
    if (id !== card.dataset.rule) return;
    setKey(card, card.dataset.key);
    for (const select of card.querySelectorAll("[data-axis]")) {
      const wanted = [...select.options].find((o) => o.value === given.get(select.dataset.axis));
      if (wanted) select.value = wanted.value;
    }
    pressed(card, null);
    if (keyOf(card) !== card.dataset.key || card.querySelector(".said:not([hidden])")) wait.push(show(card));
  });

  if (!document.getElementById("play")) document.querySelectorAll(".try").forEach((a) => a.remove());

  ov.rules = { cards, show, latex, exported, unfolded: () => [...cards.values()].every((c) => c.querySelector(".more").childElementCount) };
})();
