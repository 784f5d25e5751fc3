/* Search over everything that has a name here, and filters of the rules. */
(() => {
  const field = ov.el("input", { type: "search", id: "search", placeholder: "Search (press /)", autocomplete: "off",
    role: "combobox", "aria-expanded": "false", "aria-controls": "found", "aria-autocomplete": "list", "aria-label": "Search rules, claims, symbols" });
  const list = ov.el("ul", { id: "found", role: "listbox", "aria-label": "Found", hidden: true });
  document.getElementById("tools").prepend(ov.el("div", { class: "search" }, field, list));
  const MOST = 14;
  let index = null, at = -1;

  const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/[̀-ͯ]/g, "");

  async function entries() {
    if (!index) {
      const data = await ov.data("search");
      index = data.entries.map(([id, kind, title, words]) => ({ id, kind, title, name: plain(title), words: plain(`${title} ${id} ${kind} ${words}`) }));
    }
    return index;
  }

  /** Entries with every word, names that begin with the first word before others. */
  async function search(text) {
    const words = plain(text).split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    const rank = (e) => (e.name === words.join(" ") || e.id === words[0] ? 0 : e.name.startsWith(words[0]) ? 1 : e.name.includes(words[0]) ? 2 : 3)
      + ({ rule: 0, schedule: 0.1, problem: 0.2 }[e.kind] ?? 0.5);
    return (await entries()).filter((e) => words.every((w) => e.words.includes(w)))
      .map((e, i) => [rank(e), i, e]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, , e]) => e);
  }

  function point(to) {
    const options = [...list.querySelectorAll("[role=option]")];
    at = options.length ? (to + options.length) % options.length : -1;
    options.forEach((o, i) => o.setAttribute("aria-selected", String(i === at)));
    field.setAttribute("aria-activedescendant", at < 0 ? "" : options[at].id);
    options[at]?.scrollIntoView({ block: "nearest" });
  }

  function close() { list.hidden = true; field.setAttribute("aria-expanded", "false"); at = -1; }

  function go(id) { close(); field.blur(); location.hash = id; }

  async function refresh() {
    const found = await search(field.value);
    const shown = found.slice(0, MOST).map((e, i) => ov.el("li", { role: "option", id: `found.${i}`, "aria-selected": "false", "data-to": e.id,
      onmousedown: (event) => { event.preventDefault(); go(e.id); } }, ov.el("span", {}, e.title), ov.el("span", { class: "muted" }, ` ${e.kind}`)));
    if (field.value.trim() && !found.length) shown.push(ov.el("li", { class: "muted" }, "Nothing has all these words."));
    if (found.length > MOST) shown.push(ov.el("li", { class: "muted" }, `and ${found.length - MOST} more`));
    list.replaceChildren(...shown);
    list.hidden = !shown.length;
    field.setAttribute("aria-expanded", String(!list.hidden));
    if (found.length) point(0);
    ov.announce(field.value.trim() ? `${found.length} found` : "");
  }

  field.addEventListener("input", refresh);
  field.addEventListener("blur", close);
  field.addEventListener("focus", () => field.value && refresh());
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") { event.preventDefault(); point(at + 1); }
    if (event.key === "ArrowUp") { event.preventDefault(); point(at - 1); }
    if (event.key === "Escape") { field.value = ""; close(); }
    if (event.key === "Enter") { const o = list.querySelector("[aria-selected=true]"); if (o) { event.preventDefault(); go(o.dataset.to); } }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.target.closest("input, textarea, select")) { event.preventDefault(); field.focus(); }
  });

  // ---- filters -------------------------------------------------------------------------------------------

  const cards = [...document.querySelectorAll("article.card[data-rule]")];
  const KINDS = { Family: ["families", "|"], Axis: ["axes", " "], Library: ["libraries", " "], Verdict: ["verdicts", "|"] };
  const holder = document.getElementById("filters");
  const selects = {};

  function apply() {
    const wanted = Object.entries(selects).filter(([, s]) => s.value);
    let left = 0;
    for (const card of cards) {
      const fits = wanted.every(([kind, s]) => card.dataset[KINDS[kind][0]].split(KINDS[kind][1]).includes(s.value));
      card.hidden = !fits;
      card.classList.toggle("filtered", !fits);
      const link = document.querySelector(`#side a[href="#${CSS.escape(card.id)}"]`);
      if (link) link.parentElement.hidden = !fits;
      left += fits;
    }
    for (const group of document.querySelectorAll("#side .group")) {
      group.hidden = ![...group.querySelectorAll("li")].some((li) => !li.hidden);
    }
    count.textContent = wanted.length ? `${left} of ${cards.length} rules` : "";
    clear.hidden = !wanted.length;
    ov.announce(count.textContent);
  }

  const count = ov.el("p", { class: "muted" });
  const clear = ov.el("button", { type: "button", hidden: true, onclick: () => { Object.values(selects).forEach((s) => { s.value = ""; }); apply(); } }, "Show all");
  if (cards.length > 1) {
    for (const [kind, [field_, mark]] of Object.entries(KINDS)) {
      const values = [...new Set(cards.flatMap((c) => c.dataset[field_].split(mark)).filter(Boolean))].sort();
      selects[kind] = ov.el("select", { onchange: apply }, ov.el("option", { value: "" }, "any"), values.map((v) => ov.el("option", { value: v }, v)));
      holder.append(ov.el("label", {}, `${kind} `, selects[kind]));
    }
    holder.append(count, clear);
  }
  document.addEventListener("ov:unfilter", () => clear.click());
  ov.search = search;
})();
