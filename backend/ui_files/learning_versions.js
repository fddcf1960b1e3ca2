// The versions of a project's heads, newest first.

import { button, element } from "./element.js";
import { figure, moment, number } from "./words.js";

const HEADS = ["Version", "Labels", "Figure (95 % interval)", "Difference to its parent", "Verdict", ""];

/** act: promote(version), rollBack(serving version). */
export function versionsPart(versions, act) {
  if (!versions.length) return null;
  const serving = versions.filter((one) => one.promoted);
  return element("div", { class: "card" }, element("h2", {}, "Versions"),
    element("div", { class: "table", tabindex: 0, role: "region", "aria-label": "Versions" }, element("table", { id: "versions" },
      element("caption", { class: "unseen" }, "The versions of the heads, newest first"),
      element("thead", {}, element("tr", {}, HEADS.map((head) => element("th", { scope: "col" }, head || element("span", { class: "unseen" }, "What to do"))))),
      element("tbody", {}, [...versions].reverse().map((one) => row(one, act))))),
    element("p", { class: "hint" }, "A new version serves by itself unless it is worse beyond its interval. Without held-out labels it is unaudited, and no figure is shown."),
    element("div", { class: "buttons" }, serving.map((one) => button(`Roll back ${one.name}`, () => act.rollBack(one), { id: `roll-back-${one.name.replace(/-\d+$/, "")}` }))));
}

function row(one, act) {
  return element("tr", { data: { version: one.number, promoted: String(one.promoted) } },
    element("th", { scope: "row" }, element("span", { title: `made ${moment(one.made)}` }, one.name), one.promoted && [" ", element("span", { class: "badge good" }, "serves")]),
    element("td", {}, number(one.labels)),
    element("td", {}, measured(one)),
    element("td", {}, one.difference ? figure(one.difference, true) : "none"),
    element("td", { class: "says" }, one.verdict),
    element("td", { class: "ends" }, !one.promoted && button("Promote", () => act.promote(one), { class: "small promote", id: `promote-${one.number}`, "aria-label": `Promote ${one.name}` })));
}

function measured(one) {
  if (!one.held_out) return "unaudited";
  return [element("span", { title: `on ${one.audit.length} tasks of the ${one.held_out}` }, figure(one.primary)), one.primary?.name && element("span", { class: "soft name" }, ` ${one.primary.name}`)];
}
