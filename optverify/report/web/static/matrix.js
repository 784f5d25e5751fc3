/* A cell of the matrix opens what is known of it. */
(() => {
  const panel = document.getElementById("cell");
  let open = null;

  async function show(cell) {
    const { cells } = await ov.data("libraries");
    open?.setAttribute("aria-expanded", "false");
    open = cell.querySelector("button");
    open.setAttribute("aria-expanded", "true");
    panel.replaceChildren(ov.math(cells[cell.id]));
    panel.hidden = false;
  }

  document.querySelector(".matrix").addEventListener("click", async (event) => {
    const cell = event.target.closest("td[id]");
    if (!cell || !event.target.closest("button")) return;
    await show(cell);
    history.replaceState(null, "", `#${cell.id}`);
    panel.scrollIntoView({ block: "nearest" });
    panel.focus({ preventScroll: true });
  });

  window.addEventListener("ov:route", ({ detail: { id, wait } }) => {
    const cell = id.startsWith("cell.") && document.getElementById(id);
    if (cell) wait.push(show(cell));
  });
})();
