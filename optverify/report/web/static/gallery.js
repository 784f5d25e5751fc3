/* Figures are put in when they come near, and before the page is printed. */
(() => {
  const holders = [...document.querySelectorAll(".drawn[data-figure]")];

  async function draw(holder) {
    if (holder.dataset.drawn) return;
    holder.dataset.drawn = "yes";
    holder.append(ov.math((await ov.data("figures")).svg[holder.dataset.figure]));
  }

  const near = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) if (isIntersecting) { near.unobserve(target); draw(target); }
  }, { rootMargin: "600px" });
  holders.forEach((holder) => near.observe(holder));
  window.addEventListener("beforeprint", () => holders.forEach(draw));
})();
