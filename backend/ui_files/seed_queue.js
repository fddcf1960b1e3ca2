// A queue as pictures in rank order: of a dry run, and the one that stands.

import { button, element } from "./element.js";
import { attempt } from "./banner.js";
import { asked } from "./seed_run.js";
import { picture, showReason } from "./why.js";
import { number, plural, standsFor } from "./words.js";

const MOST_CHOSEN = 60; // pictures shown at once: of a dry run, to judge it by
const MOST_STANDING = 14; // of the queue that stands, below which the form must be found

/** The queue of a dry run, with what to do with it. */
export function chosenPart(view, { run, queue }, act) {
  return element("div", { class: "card accent", id: "chosen", data: { run: run.number, count: queue.length } },
    element("h2", {}, `This would be chosen: ${plural(queue.length, "task")}`),
    element("p", { class: "soft" }, `Nothing is published yet. Dry run ${run.number}: ${asked(run.choices)}.`),
    element("div", { class: "buttons" },
      button("Publish this queue", () => act.publish(run.number, queue.length), { id: "publish-chosen", class: "main" }),
      element("button", { type: "button", id: "set-aside", on: { click: () => act.setAside(run.number) } }, "Set it aside"),
      element("a", { class: "button", href: `#/project/${view.project}/map` }, "Look at it on the map")),
    pictures(view, queue, MOST_CHOSEN));
}

/** The queue that stands, with extending and undoing it. */
export function standingPart(view, { run, queue }, act) {
  const left = Math.max(queue.length, view.state.tasks);
  const typed = element("input", { type: "number", id: "extend-to", min: queue.length + 1, max: left, step: 1, value: Math.min(left, queue.length + 20), inputmode: "numeric" });
  const extend = button("Extend", () => act.extend(Number(typed.value)), { id: "extend" });
  return element("div", { class: "card", id: "standing", data: { run: run.number, count: queue.length } },
    element("h2", {}, `${run.version || `Seed queue ${run.number}`} stands: ${plural(queue.length, "task")}`),
    element("p", { class: "soft" }, `Annotators get them in this order. ${capital(asked(run.choices))}.`),
    element("div", { class: "buttons" },
      element("span", { class: "joined" }, element("label", { for: "extend-to" }, "Lengthen it to"), typed, extend),
      button("Undo the seed queue", () => act.undo(queue.length), { id: "undo", class: "danger-quiet" })),
    pictures(view, queue, MOST_STANDING));
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function pictures(view, queue, most) {
  const list = element("ol", { class: "queue" }, queue.slice(0, most).map((one) => seed(view, one)));
  if (queue.length <= most) return list;
  const rest = element("button", { type: "button", class: "show-all" }, `Show all ${number(queue.length)}`);
  rest.addEventListener("click", () => {
    list.append(...queue.slice(most).map((one) => seed(view, one)));
    list.children[most]?.querySelector("button")?.focus();
    rest.remove();
  });
  return [list, element("p", {}, rest)];
}

function seed(view, one) {
  return element("li", { data: { rank: one.rank, task: one.task } }, picture(view.project, one.task),
    element("p", {}, element("b", { title: "Its rank: annotators get rank 1 first" }, number(one.rank)),
      " · ", one.audit ? element("span", { title: "Drawn at random to measure the model by, never learnt from" }, "audit task")
        : element("span", { title: "How many images of the pool it stands for, itself included" }, standsFor(one.weight)), one.by_hand && " · added by hand"),
    element("p", { class: "soft name", title: one.uri }, `task ${one.task}`),
    button("Why?", () => attempt(() => showReason(view.project, view.ask, one.task)), { class: "quiet small", "aria-label": `Why rank ${one.rank}, task ${one.task}?` }));
}
