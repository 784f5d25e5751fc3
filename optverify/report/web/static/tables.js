/* Tables that sort by a click on a head: numbers as numbers, words as words; the order is said. */
(() => {
  const text = (row, k) => (row.cells[k]?.textContent ?? "").trim();
  const number = (s) => (/^[−-]?[\d.,]+(e[+−-]?\d+)?$/.test(s) ? Number(s.replace("−", "-").replaceAll(",", "")) : NaN);

  function sort(table, k, up) {
    const body = table.tBodies[0], rows = [...body.rows].map((row, i) => [row, text(row, k), i]);
    rows.sort(([, a, i], [, b, j]) => {
      if (!a !== !b || a === "·" || b === "·") return (a && a !== "·" ? 0 : 1) - (b && b !== "·" ? 0 : 1) || i - j;
      const x = number(a), y = number(b);
      return (Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en") : x - y) * (up ? 1 : -1) || i - j;
    });
    body.append(...rows.map(([row]) => row));
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, k) => {
      const button = ov.el("button", { type: "button", class: "sort" });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach((h) => h.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        sort(table, k, up);
        ov.announce(`Sorted by ${button.textContent.trim()}, ${up ? "ascending" : "descending"}`);
      });
    });
  }
})();
