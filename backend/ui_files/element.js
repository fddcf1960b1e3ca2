// The only place where the page makes elements. What comes from outside becomes a text node or a checked
// attribute: never markup, never a script's address.

const SVG = "http://www.w3.org/2000/svg";
const ADDRESSES = new Set(["href", "src"]);
const SAFE = new Set(["http:", "https:", "blob:"]);

/** An element. attributes: `on` takes listeners, `style` properties, `data` data attributes; null and false are left out. */
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same of SVG. */
export function drawn(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, heard] of Object.entries(value)) made.addEventListener(event, heard);
    else if (name === "style") for (const [key, one] of Object.entries(value)) made.style.setProperty(key, one);
    else if (name === "data") Object.assign(made.dataset, value);
    else if (ADDRESSES.has(name)) made.setAttribute(name, address(value));
    else if (/^on|^srcdoc$|^style$/i.test(name)) throw new Error(`${name} is not for element()`);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...nodes(children));
  return made;
}

/** The address if it leads to a page or a picture; "about:blank" for any other scheme, `javascript:` above all. */
export function address(value) {
  try {
    return SAFE.has(new URL(value, document.baseURI).protocol) ? String(value) : "about:blank";
  } catch {
    return "about:blank";
  }
}

/** Put these children in place of the present ones; the focus stays on the element of the same id. */
export function refill(parent, ...children) {
  const focused = parent.contains(document.activeElement) ? document.activeElement.id : "";
  parent.replaceChildren(...nodes(children));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  return parent;
}

function nodes(children) {
  return children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false);
}

/** A link that leaves the page. */
export function outside(href, text, attributes = {}) {
  return element("a", { href, target: "_blank", rel: "noopener noreferrer", ...attributes }, text,
    element("span", { "aria-hidden": "true" }, " ↗"), element("span", { class: "unseen" }, " (opens in a new tab)"));
}

/** A button that cannot be pressed twice while what it does is under way. */
export function button(text, pressed, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", async () => {
    if (made.getAttribute("aria-disabled") === "true") return;
    made.setAttribute("aria-disabled", "true");
    try {
      await pressed();
    } finally {
      made.removeAttribute("aria-disabled");
    }
  });
  return made;
}
