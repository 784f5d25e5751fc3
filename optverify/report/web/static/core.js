/* What every part of the page uses: its data, elements, announcements for screen readers, copying. */
const ov = (() => {
  const decoded = new Map();

  /** The data of a section: deflated JSON in base64, decoded at the first call. */
  function data(name) {
    if (!decoded.has(name)) decoded.set(name, decode(name));
    return decoded.get(name);
  }

  async function decode(name) {
    const holder = document.querySelector(`script[data-store="${CSS.escape(name)}"]`);
    if (!holder) throw new Error(`the page holds no data named ${name}`);
    const bytes = Uint8Array.from(atob(holder.textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }

  /** An element: attributes by name (on... : a listener; a boolean: present or not), children are nodes or text. */
  function el(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (typeof value === "boolean") node.toggleAttribute(name, value);
      else if (value !== null && value !== undefined) node.setAttribute(name, value);
    }
    node.append(...children.flat());
    return node;
  }

  /** Nodes of MathML that the generator printed; text that users gave never comes this way. */
  function math(source) {
    const holder = document.createElement("template");
    holder.innerHTML = source;
    return holder.content;
  }

  const status = el("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });
  document.body.append(status);

  /** Say something to readers who do not see the change. */
  function announce(text) { status.textContent = text; }

  /** Put text on the clipboard; where a browser refuses (a file from a disk), select it in a field instead. */
  async function copy(text, what) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = el("textarea", { class: "visually-hidden", "aria-hidden": "true" });
      field.value = text;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    announce(`${what} copied`);
  }

  return { data, el, math, announce, copy };
})();
