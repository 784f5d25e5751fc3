/* Loads the page again when the file has changed, at the same place. */
(() => {
  const source = new EventSource("/events");
  const key = "watch.scroll";
  source.onmessage = () => { sessionStorage.setItem(key, String(scrollY)); location.reload(); };
  window.addEventListener("load", () => { const at = sessionStorage.getItem(key); if (at) scrollTo(0, Number(at)); });
})();
