// A map with its queue beside it: colours, hovering, selecting, and the changes of the queue that follow.

import { post } from "./api.js";
import { announce, attempt, report } from "./banner.js";
import { confirmed } from "./dialogs.js";
import { element, refill } from "./element.js";
import { legend } from "./map_legend.js";
import { plotted } from "./map_plot.js";
import { MODES } from "./map_points.js";
import { fillReason, pendingPart, queueTable, selectedPart, taskField, wishes } from "./map_queue.js";
import { tooltip } from "./map_tooltip.js";
import { moment, number, plural } from "./words.js";

const DRAGS = { pan: "Move", lasso: "Lasso", select: "Box" };

/** Show a map and the queue of a run. */
export async function showMap(view, state, made, { run, queue }) {
  view.plot?.end();
  view.plot = undefined;
  view.tip?.end();
  view.ask.forget();
  Object.assign(view, { made, run, queue, wished: wishes(queue), selected: [], row: new Map(made.tasks.map((task, row) => [task, row])) });
  const canvas = element("canvas", { "aria-hidden": "true" });
  const places = { plot: element("div", { id: "map-plot", role: "img", "aria-label": described(made, queue) }) };
  for (const name of ["legend", "selected", "pending", "table"]) places[name] = element("div", { id: `place-${name}` });
  places.why = element("div", { id: "why-panel", class: "card", hidden: true, role: "region", "aria-live": "polite", "aria-label": "Why this image" });
  view.places = places;
  view.tip = tooltip(view.project, view.ask);
  const heading = run ? `${run.state === "chosen" ? "Dry run" : "Seed queue"} ${run.number}` : "No queue";
  refill(view.body, about(view, state), tools(view),
    element("div", { class: "beside" },
      element("div", { class: "map-side" }, element("div", { class: "card map-card" }, element("div", { class: "stack" }, canvas, places.plot)), places.legend),
      element("div", { class: "list-side" }, places.selected, places.pending, places.why, element("h2", {}, heading),
        taskField(view.ask, view.project, (task) => view.row.has(task), actions(view)), places.table)));
  fillQueue(view);
  const plot = await plotted(places.plot, canvas, heard(view));
  if (view.signal.aborted) return;
  view.plot = plot;
  places.plot.spotOf = (task) => plot.spot(view.row.get(task)); // where a task lies on the screen, for tests
  await redraw(view);
}

const described = (made, queue) => `Map of ${plural(made.tasks.length, "image")} with ${plural(queue.length, "task")} of the queue marked. The table beside it holds the same tasks.`;

function about(view, state) {
  const { made, run } = view;
  const old = run && made.run !== run.number ? ` Its clusters are those of run ${made.run}; the marks are those of run ${run.number}.` : "";
  return element("p", { class: "soft" }, `${state.title}: ${made.pool > made.tasks.length ? `${number(made.tasks.length)} of ` : ""}${plural(Math.max(made.pool ?? 0, made.tasks.length), "image")}, placed by ${made.method} ${moment(made.made)}. Near one another means alike; distances across the map mean little.${old}`);
}

function tools(view) {
  const select = element("select", { id: "colour-by" }, Object.entries(MODES).map(([mode, text]) => element("option", { value: mode, selected: mode === view.mode }, text)));
  // Before plotly is there the first drawing takes the choice along.
  select.addEventListener("change", () => { view.mode = select.value; if (view.plot) redraw(view).catch(report); });
  const drags = Object.entries(DRAGS).map(([mode, text]) => element("label", { class: "segment" },
    element("input", { type: "radio", name: "drag", id: `drag-${mode === "select" ? "box" : mode}`, value: mode, checked: mode === "pan", on: { change: () => view.plot?.drag(mode) } }), element("span", {}, text)));
  const small = (id, text, name, pressed) => element("button", { type: "button", id, "aria-label": name, title: name, on: { click: pressed } }, text);
  return element("div", { class: "tools" },
    element("span", { class: "joined" }, element("label", { for: "colour-by" }, "Colour by"), select),
    element("fieldset", { class: "segments" }, element("legend", { class: "unseen" }, "What dragging does"), drags),
    element("span", { class: "joined" }, small("zoom-in", "+", "Nearer", () => view.plot?.zoom(0.6)), small("zoom-out", "−", "Farther", () => view.plot?.zoom(1 / 0.6)),
      small("whole-map", "Whole map", "Show the whole map", () => view.plot?.whole())),
    view.anew("Draw anew"));
}

/** Draw the points anew, in the colours and with the marks that are wanted now. */
export async function redraw(view) {
  const { made, places, wished } = view;
  const ranks = new Map(view.queue.filter((one) => view.row.has(one.task) && !wished.take.has(one.task)).map((one) => [view.row.get(one.task), one.rank]));
  const added = [...wished.add].map((task) => view.row.get(task));
  view.tip.leave();
  const found = await view.plot.draw(made, view.mode, ranks, added);
  refill(places.legend, legend(found, view.mode, ranks.size));
  Object.assign(places.plot.dataset, { drawn: "true", chosen: ranks.size, points: made.tasks.length, colour: view.mode, added: added.length });
}

function fillQueue(view) {
  const act = actions(view);
  refill(view.places.table, view.queue.length ? queueTable(view.project, view.queue, view.wished, act) : element("p", { class: "soft" }, "No task is queued."));
  refill(view.places.pending, pendingPart(view.wished, view.queue.length, act));
  fillSelected(view);
}

function fillSelected(view) {
  refill(view.places.selected, view.selected.length > 0 && selectedPart(view.selected, view.wished, actions(view)));
}

function heard(view) {
  const taskAt = (row) => view.made.tasks[row];
  return {
    hovered: (row, event) => view.tip.over(taskAt(row), event),
    left: () => view.tip.leave(),
    clicked: (row) => clicked(view, taskAt(row)),
    selected: (rows) => {
      view.selected = (rows ?? []).map(taskAt);
      view.plot.hold(rows);
      fillSelected(view);
      if (rows) announce(`${plural(rows.length, "task")} selected.`);
    },
  };
}

/** A click opens the task in Label Studio; where there is no hovering it shows the reason with its link. */
async function clicked(view, task) {
  if (window.matchMedia("(hover: none)").matches) {
    await why(view, task);
    view.places.why.scrollIntoView({ block: "nearest" }); // on a phone it stands below the map
    return;
  }
  await attempt(async () => {
    const { url } = await view.ask(task);
    if (/^https?:/i.test(url)) window.open(url, "_blank", "noopener,noreferrer");
  });
}

async function why(view, task) {
  await fillReason(view.places.why, view.project, view.ask, task);
  view.plot?.mark(view.row.get(task) ?? -1);
}

function actions(view) {
  const { wished } = view;
  const changed = async () => {
    view.selected = [];
    fillQueue(view);
    await attempt(() => redraw(view));
  };
  return {
    why: (task) => why(view, task),
    add: (tasks) => { wished.adding(tasks); return changed(); },
    take: (tasks) => { wished.taking(tasks); return changed(); },
    toggle: (task) => { (wished.take.has(task) ? wished.adding : wished.taking)([task]); return changed(); },
    clear: () => { view.selected = []; fillSelected(view); view.plot.hold(null); return view.plot.clearSelection(); },
    discard: () => { wished.clear(); return changed(); },
    publish: () => publish(view),
  };
}

async function publish(view) {
  const { run, wished, queue } = view;
  const length = queue.length + wished.add.size - wished.take.size;
  const sure = await confirmed({
    title: "Publish the changed queue?",
    sentences: [`${number(wished.add.size)} added, ${number(wished.take.size)} taken out: ${plural(length, "task")} will stand first in the annotators' queue.`,
      "What stays keeps its order; what was added comes last."],
    yes: "Publish it",
  });
  if (!sure) return;
  await attempt(async () => {
    await post(`projects/${view.project}/runs/${run.number}/publish`, { add: [...wished.add], remove: [...wished.take] });
    wished.clear();
    fillQueue(view);
    announce("The changed queue is being published.");
    view.look();
  });
}
