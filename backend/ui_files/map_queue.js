// The queue beside the map, for the keyboard and for whoever reads rather than looks; and the changes that are wanted.

import { attempt } from "./banner.js";
import { button, element, refill } from "./element.js";
import { picture, reasonCard } from "./why.js";
import { number, plural } from "./words.js";

/** The changes of a queue that are wanted and not yet published. */
export function wishes(queue) {
  const present = new Set(queue.map((one) => one.task));
  const add = new Set();
  const take = new Set();
  return {
    present, add, take,
    adding: (tasks) => tasks.forEach((task) => { take.delete(task); if (!present.has(task)) add.add(task); }),
    taking: (tasks) => tasks.forEach((task) => { add.delete(task); if (present.has(task)) take.add(task); }),
    clear: () => { add.clear(); take.clear(); },
    any: () => add.size + take.size > 0,
  };
}

/** The table of the queue's tasks. act: why(task), toggle(task). */
export function queueTable(project, queue, wished, act) {
  const heads = ["Rank", "Image", "Task", element("abbr", { title: "How many images of the pool it stands for, itself included" }, "Stands for"), ""];
  return element("div", { class: "table scrolling", tabindex: 0, role: "region", "aria-label": "The queue's tasks" },
    element("table", { id: "map-queue" }, element("caption", { class: "unseen" }, "The tasks of the queue in rank order"),
      element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, head || element("span", { class: "unseen" }, "What to do"))))),
      element("tbody", {}, queue.map((one) => row(project, one, wished, act)))));
}

function row(project, one, wished, act) {
  const out = wished.take.has(one.task);
  const name = `rank ${one.rank}, task ${one.task}`;
  return element("tr", { class: out ? "out" : "", data: { task: one.task, rank: one.rank } },
    element("th", { scope: "row" }, number(one.rank)),
    element("td", {}, picture(project, one.task)),
    element("td", {}, one.task, one.audit && element("span", { class: "soft" }, " audit"), one.by_hand && element("span", { class: "soft" }, " by hand")),
    element("td", {}, one.audit ? "" : number(one.weight)),
    element("td", { class: "ends" },
      button("Why?", () => act.why(one.task), { class: "quiet small why-button", id: `why-${one.task}`, "aria-label": `Why ${name}?` }),
      element("button", {
        type: "button", class: "quiet small take-out", id: `take-${one.task}`, "aria-pressed": String(out), "aria-label": `Take out ${name}`,
        on: { click: () => act.toggle(one.task) },
      }, out ? "Keep it" : "Take out")));
}

/** The field for a task's number: its reason, and adding it. */
export function taskField(ask, project, known, act) {
  const typed = element("input", { type: "number", id: "task-number", min: 1, step: 1, inputmode: "numeric" });
  const wrong = element("p", { class: "hint bad-text", role: "status" });
  const chosen = () => {
    const task = Number(typed.value);
    wrong.textContent = known(task) ? "" : "No task of this number is on the map.";
    return known(task) ? task : 0;
  };
  const why = button("Why?", () => chosen() && act.why(Number(typed.value)), { id: "task-why" });
  return element("form", { class: "task-field", on: { submit: (event) => { event.preventDefault(); why.click(); } } },
    element("div", { class: "joined" }, element("label", { for: "task-number" }, "Task number"), typed, why,
      element("button", { type: "button", id: "task-add", on: { click: () => { const task = chosen(); if (task) act.add([task]); } } }, "Add")), wrong);
}

/** The panel of one task's reason. */
export async function fillReason(place, project, ask, task) {
  await attempt(async () => {
    const why = await ask(task);
    refill(place, element("h2", {}, "Why this image?"), reasonCard(project, why));
    place.hidden = false;
  });
}

/** What the lasso holds. */
export function selectedPart(tasks, wished, act) {
  const inside = tasks.filter((task) => wished.present.has(task) !== wished.take.has(task) || wished.add.has(task));
  const outside = tasks.length - inside.length;
  return element("div", { class: "notice", id: "selected-panel", data: { count: tasks.length } },
    element("p", {}, element("strong", {}, `${plural(tasks.length, "task")} selected`), `, ${number(inside.length)} of them in the queue.`),
    element("div", { class: "buttons" },
      outside > 0 && element("button", { type: "button", id: "selected-add", on: { click: () => act.add(tasks) } }, `Add ${number(outside)} to the queue`),
      inside.length > 0 && element("button", { type: "button", id: "selected-remove", on: { click: () => act.take(tasks) } }, `Take ${number(inside.length)} out of the queue`),
      element("button", { type: "button", id: "selected-clear", class: "quiet", on: { click: act.clear } }, "Clear the selection")));
}

/** The changes that are wanted, and publishing them. */
export function pendingPart(wished, length, act) {
  if (!wished.any()) return null;
  const after = length + wished.add.size - wished.take.size;
  const named = (tasks) => [...tasks].slice(0, 12).join(", ") + (tasks.size > 12 ? ` and ${number(tasks.size - 12)} more` : "");
  return element("div", { class: "notice warn", id: "pending", data: { add: wished.add.size, remove: wished.take.size } },
    element("p", {}, element("strong", {}, "Not published yet. "), `The queue would have ${plural(after, "task")} instead of ${number(length)}.`),
    wished.add.size > 0 && element("p", {}, `Added at the end: task ${named(wished.add)}.`),
    wished.take.size > 0 && element("p", {}, `Taken out: task ${named(wished.take)}.`),
    element("div", { class: "buttons" }, button("Publish the changed queue", act.publish, { id: "pending-publish", class: "main" }),
      element("button", { type: "button", id: "pending-discard", on: { click: act.discard } }, "Discard the changes")));
}
