/* Claims: a sentence opens its evidence; they can be chosen and sorted. */
(() => {
  const holder = document.getElementById("claims"), rows = [...holder.children], count = document.getElementById("claim-count");
  const words = document.getElementById("claim-words");
  const selects = { verdict: "claim-verdict", evidence: "claim-evidence", topic: "claim-topic", about: "claim-about" };
  for (const [key, id] of Object.entries(selects)) selects[key] = document.getElementById(id);
  const order = document.getElementById("claim-sort");
  const kinds = [...selects.evidence.options].slice(1).map((o) => o.value);
  const title = (row) => row.querySelector(".grow").textContent;

  async function fill(row) {
    if (row.childElementCount > 1) return;
    const { claims } = await ov.data("ledger");
    if (row.childElementCount > 1) return;
    row.append(ov.math(claims[row.id.slice("claim.".length)]));
  }

  holder.addEventListener("toggle", (event) => event.target.open && fill(event.target), true);
  window.addEventListener("ov:route", ({ detail: { id, wait } }) => {
    const row = id.startsWith("claim.") && document.getElementById(id);
    if (row) { if (row.hidden) clear(); wait.push(fill(row)); }
  });

  function fits(row) {
    const { verdict, evidence, topic, about } = row.dataset;
    const text = `${title(row)} ${row.id} ${about}`.toLowerCase();
    return (!selects.verdict.value || verdict === selects.verdict.value)
      && (!selects.evidence.value || kinds[evidence] === selects.evidence.value)
      && (!selects.topic.value || topic === selects.topic.value)
      && (!selects.about.value || about.split(" ").includes(selects.about.value))
      && words.value.toLowerCase().split(/\s+/).every((w) => text.includes(w));
  }

  function choose() {
    const shown = rows.filter((row) => { row.hidden = !fits(row); return !row.hidden; });
    count.textContent = shown.length === rows.length ? `${rows.length} claims` : `${shown.length} of ${rows.length} claims`;
  }

  function clear() {
    words.value = "";
    for (const select of Object.values(selects)) select.value = "";
    choose();
  }

  const keys = { topic: (r) => r.dataset.topic, verdict: (r) => r.dataset.verdict, evidence: (r) => r.dataset.evidence, title };
  order.addEventListener("change", () => {
    const key = keys[order.value];
    holder.append(...rows.map((r, i) => [r, key(r), i]).sort((a, b) => a[1].localeCompare(b[1], "en") || a[2] - b[2]).map(([r]) => r));
  });
  [words, ...Object.values(selects)].forEach((field) => field.addEventListener("input", choose));
  choose();
})();
