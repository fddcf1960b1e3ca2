// The legend of the map, in HTML: what labels say is text here.

import { element } from "./element.js";
import { number, shortened } from "./words.js";

/** What the colours mean. */
export function legend(found, mode, ranks) {
  const swatch = (colour) => element("span", { class: colour ? "swatch" : "swatch none", style: colour ? { background: colour } : {}, "aria-hidden": "true" });
  const named = found.groups.filter((one) => one.name);
  const entries = [...named.filter((one) => one.colour), ...named.filter((one) => !one.colour)].map((one) => element("li", { title: one.name },
    swatch(one.colour), shortened(one.name), element("span", { class: "soft" }, ` ${number(one.rows.length)}`)));
  const ours = ranks ? [element("li", {}, element("span", { class: "swatch ring", "aria-hidden": "true" }), "in the queue, with its rank",
    element("span", { class: "soft" }, ` ${number(ranks)}`))] : [];
  return [
    element("ul", { class: "legend", id: "map-legend" }, ours, found.scale && scaleEntry(found.scale), entries),
    found.note && element("p", { class: "hint" }, found.note),
    mode === "uncertainty" && !found.scale && element("p", { class: "hint" }, "No model has said anything of these images yet: label the queue first."),
  ];
}

function scaleEntry(colours) {
  return element("li", {}, "sure ", element("span", { class: "scale", "aria-hidden": "true" }, colours.map((one) => element("span", { style: { background: one } }))), " most uncertain");
}
