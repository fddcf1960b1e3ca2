// The map's view: when a new map or another queue is looked for, and what stands where there is none.

import { get, post } from "./api.js";
import { attempt, report } from "./banner.js";
import { darkness } from "./colours.js";
import { button, element, refill } from "./element.js";
import { redraw, showMap } from "./map_view.js";
import { polling } from "./polling.js";
import { stateOf } from "./state.js";
import { reasonsOf } from "./why.js";
import { isActive, stateWord } from "./words.js";

const QUICK = 1;
const CALM = 6;
const HOPES = 8; // looks
const LIGHT = 10000; // images of a map that is asked for now and then

export async function show(root, { project, signal }) {
  const view = { project, signal, ask: reasonsOf(project), mode: "cluster", selected: [], anew: (text) => anew(view, text) };
  view.body = element("div", { id: "map-body" }, element("p", { class: "soft", role: "status" }, "Looking ..."));
  view.note = element("div", { id: "map-note" });
  root.append(element("h1", {}, "Map"), view.note, view.body);
  signal.addEventListener("abort", () => { view.plot?.end(); view.tip?.end(); });
  darkness().addEventListener("change", () => view.plot && redraw(view).catch(report), { signal });
  view.look = polling(() => look(view), signal);
}

/** Look whether another map or another queue has come. The map is large: it is asked for only when it may be new. */
async function look(view) {
  const state = await stateOf(view.project, view.signal, view.state);
  view.state = state;
  const { run } = state;
  const under = isActive(run?.state);
  const waiting = view.awaited !== undefined;
  refill(view.note, under ? note(`Run ${run.number} is under way: ${stateWord(run.state)}. The map follows when it has ended.`)
    : waiting && note("The map is being drawn anew; it appears here by itself."));
  const shown = run?.state === "chosen" ? run.number : state.published ?? 0;
  if (mayBeNew(view, shown, under)) await refresh(view, state, shown);
  return under || waiting ? QUICK : CALM;
}

const note = (text) => element("p", { class: "notice", role: "status" }, text);

function mayBeNew(view, shown, under) {
  if (view.wished?.any() || (under && view.made)) return false; // a person is at work on it, or it cannot be new yet
  if (view.stamp === undefined || view.awaited !== undefined) return true;
  if (view.shown !== shown) {
    view.hopes = HOPES;
    return true;
  }
  if (view.made?.run !== shown && view.hopes > 0) {
    view.hopes -= 1;
    return true;
  }
  view.looks = (view.looks ?? 0) + 1;
  return (view.made?.tasks.length ?? 0) <= LIGHT && view.looks % HOPES === 0;
}

async function refresh(view, state, shown) {
  const made = await existingMap(view);
  if (view.awaited !== undefined && view.awaited === (made?.made ?? "")) return;
  view.awaited = undefined;
  view.shown = shown;
  const stamp = `${made?.made} ${shown}`;
  if (stamp === view.stamp) return;
  const run = shown || made?.run;
  const found = run && made ? await get(`projects/${view.project}/runs/${run}/queue`, view.signal) : { run: null, queue: [] };
  if (view.signal.aborted) return;
  view.stamp = stamp;
  await (made ? showMap(view, state, made, found) : showNoMap(view, state));
}

async function existingMap(view) {
  try {
    return await get(`projects/${view.project}/map`, view.signal);
  } catch (error) {
    if (error.name === "NoMap") return null;
    throw error;
  }
}

function showNoMap(view, state) {
  view.made = null;
  refill(view.body, element("div", { class: "card", id: "no-map" }, element("h2", {}, "There is no map yet"),
    element("p", {}, "The map shows every image of the pool, like beside like. It is drawn by itself when a seed queue, or a dry run of one, has been chosen."),
    element("div", { class: "buttons" }, element("a", { class: "button main", href: `#/project/${view.project}/seed` }, "Choose a seed queue"),
      state.run && anew(view, "Draw it now"))));
}

function anew(view, text) {
  return button(text, () => attempt(async () => {
    await post(`projects/${view.project}/map`);
    view.awaited = view.made?.made ?? "";
    view.look();
  }), { id: "draw-anew" });
}
