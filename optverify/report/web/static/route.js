/* Addresses: #adam, #adam.eq3, #adam?epsilon=hat, #claim.x, #play?... open what they name. Light and dark. */
(() => {
  const parse = () => {
    const [id, query = ""] = location.hash.slice(1).split("?");
    return { id: decodeURIComponent(id), query: new URLSearchParams(query) };
  };

  /** Open what hides a target, show it and move the focus there. */
  function reveal(id) {
    const target = document.getElementById(id);
    if (!target) return;
    for (let at = target; at; at = at.parentElement) {
      if (at.tagName === "DETAILS" && !at.open) at.open = true;
      if (at.hidden && at.classList.contains("filtered")) document.dispatchEvent(new CustomEvent("ov:unfilter"));
    }
    target.scrollIntoView({ block: "start" });
    if (!target.matches("a[href], button, input, select, summary, [tabindex]")) target.tabIndex = -1;
    (target.tagName === "DETAILS" ? target.querySelector("summary") : target).focus({ preventScroll: true });
  }

  /** Whoever owns a part hears of the address first, and may say what must be waited for. */
  async function follow() {
    const route = { ...parse(), wait: [] };
    if (!route.id) return;
    window.dispatchEvent(new CustomEvent("ov:route", { detail: route }));
    await Promise.all(route.wait);
    reveal(route.id);
  }

  // What is folded in above a target moves it: until the reader does something, it is shown again.
  let touched = false;
  for (const what of ["wheel", "touchstart", "pointerdown", "keydown"]) window.addEventListener(what, () => { touched = true; }, { passive: true });
  window.addEventListener("ov:unfolded", () => {
    const target = document.getElementById(parse().id);
    if (target && !touched) target.scrollIntoView({ block: "start" });
  });
  window.addEventListener("hashchange", follow);
  window.addEventListener("DOMContentLoaded", follow);

  const names = ["auto", "light", "dark"];
  const store = { get() { try { return localStorage.getItem("theme"); } catch { return null; } },
                  set(v) { try { localStorage.setItem("theme", v); } catch { /* a page from a disk may have none */ } } };
  let theme = names.includes(store.get()) ? store.get() : "auto";
  const button = ov.el("button", { type: "button", class: "theme", onclick: () => {
    theme = names[(names.indexOf(theme) + 1) % names.length];
    store.set(theme);
    paint();
    ov.announce(`Colours: ${theme}`);
  } });
  function paint() {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = { auto: "◐ auto", light: "○ light", dark: "● dark" }[theme];
    button.setAttribute("aria-label", `Colours: ${theme}. Change`);
  }
  paint();
  document.getElementById("tools").append(button);

  // On a wide screen the contents are always there.
  const side = document.getElementById("side"), wide = matchMedia("(min-width: 62rem)");
  const fit = () => { side.open = wide.matches; };
  wide.addEventListener("change", fit);
  fit();
  // What is folded is printed, too, but for what is long.
  const folded = [];
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("main .card details:not([open])").forEach((d) => { d.open = true; folded.push(d); });
  });
  window.addEventListener("afterprint", () => { folded.splice(0).forEach((d) => { d.open = false; }); });
})();
