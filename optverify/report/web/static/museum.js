/* The museum: an exhibit that is opened gets its curves, its numbers and its code. */
(() => {
  async function fill(exhibit) {
    if (exhibit.dataset.filled) return;
    exhibit.dataset.filled = "yes";
    const { cases } = await ov.data("museum");
    for (const holder of exhibit.querySelectorAll(".case")) {
      const told = cases[Number(holder.dataset.case)];
      const figure = ov.el("figure");
      figure.append(ov.math(told.svg));
      const rows = told.rows.map(([right, wrong], k) => ov.el("tr", {}, ov.el("th", { scope: "row" }, String(k + told.first)), ov.el("td", {}, right), ov.el("td", {}, wrong)));
      const head = ov.el("thead", {}, ov.el("tr", {}, ["Update", "Right", "This code"].map((h) => ov.el("th", { scope: "col" }, h))));
      holder.append(figure, ov.el("details", {}, ov.el("summary", {}, "Numbers"), ov.el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Numbers" }, ov.el("table", {}, head, ov.el("tbody", {}, rows)))));
      if (told.line) holder.append(ov.el("p", {}, "The first line of the rule whose value departs: ", ov.el("code", {}, told.line)));
      if (told.code) holder.append(ov.el("details", {}, ov.el("summary", {}, "The code"), ov.el("pre", { tabindex: "0" }, ov.el("code", {}, told.code))));
    }
  }

  document.getElementById("museum").addEventListener("toggle", (event) => {
    if (event.target.open && event.target.classList.contains("exhibit")) fill(event.target);
  }, true);
  window.addEventListener("ov:route", ({ detail: { id, wait } }) => {
    const exhibit = id.startsWith("museum.") && document.getElementById(id);
    if (exhibit) wait.push(fill(exhibit));
  });
})();
