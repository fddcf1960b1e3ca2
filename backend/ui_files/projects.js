// The projects to which this backend is attached.

import { get } from "./api.js";
import { element, outside, refill } from "./element.js";
import { polling } from "./polling.js";
import { isActive, number, plural, stateWord, toneOf } from "./words.js";

const QUICK = 2;
const CALM = 15;

export async function show(root, { signal, listed }) {
  const list = element("div", { id: "project-list", class: "cards" }, element("p", { class: "soft" }, "Looking ..."));
  root.append(element("h1", {}, "Projects"), list);
  let before = "";
  polling(async () => {
    const found = await get("projects", signal);
    listed(found.projects);
    const now = JSON.stringify(found);
    if (now !== before) refill(list, found.projects.length ? found.projects.map(card) : nothing(found));
    before = now;
    list.dataset.projects = found.projects.length;
    return found.projects.some((one) => isActive(one.state)) ? QUICK : CALM;
  }, signal);
}

function card(one) {
  const to = (view, text) => element("a", { href: `#/project/${one.id}/${view}`, id: `to-${view}-${one.id}` }, text);
  const seeds = one.published !== null && one.budget ? `, ${plural(one.budget, "task")} in the seed queue` : "";
  return element("article", { class: "card project", data: { project: one.id, state: one.state } },
    element("h2", {}, element("a", { href: `#/project/${one.id}/seed`, id: `project-${one.id}` }, one.title || `Project ${one.id}`)),
    element("p", {}, element("span", { class: `badge ${toneOf(one.state)}` }, stateWord(one.state))),
    element("p", { class: "soft" }, `${plural(one.tasks, "task")}, ${number(one.labelled)} labelled${seeds}`),
    one.total ? progress(one) : labelled(one),
    element("p", { class: "links" }, to("seed", one.published === null ? "Make a seed queue" : "Seed queue"),
      to("map", "Map"), to("learning", "Learning"),
      element("a", { href: `#/health/${one.id}`, id: `to-health-${one.id}` }, "Health"),
      one.url && outside(one.url, "Open in Label Studio", { id: `to-label-studio-${one.id}` })));
}

function progress(one) {
  const text = `${number(one.done)} of ${plural(one.total, "image")} embedded`;
  return element("div", { class: "meter" }, element("progress", { max: one.total, value: one.done ?? 0, "aria-label": text }),
    element("span", { class: "soft" }, text));
}

function labelled(one) {
  if (!one.tasks) return null;
  const text = `${number(one.labelled)} of ${plural(one.tasks, "task")} labelled`;
  return element("progress", { class: "thin", max: one.tasks, value: one.labelled, "aria-label": text, title: text });
}

function nothing(found) {
  return element("div", { id: "no-projects", class: "card" },
    element("h2", {}, "No project is attached yet"),
    element("p", {}, "Attach this backend to a project in one of two ways; it then appears here by itself."),
    element("ol", {},
      element("li", {}, "In Label Studio, open the project, then Settings > Model > Connect Model, and give this backend's address: ",
        element("code", { class: "address" }, new URL("..", document.baseURI).href.replace(/\/$/, "")),
        " (as Label Studio's machine reaches it)."),
      element("li", {}, "Or type ", element("code", {}, "seedqueue attach --project P"), " where the backend runs.")),
    element("p", {}, "If Label Studio refuses the address, ", element("a", { href: "#/health" }, "Health"), " says why and what to set."),
    found.label_studio && element("p", {}, outside(found.label_studio, "Open Label Studio", { id: "to-label-studio" })));
}
