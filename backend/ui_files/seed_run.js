// A run under way, and how one ended.

import { announce } from "./banner.js";
import { element } from "./element.js";
import { duration, number, plural, stateWord } from "./words.js";

const MOST_LISTED = 200;

/** The progress of a run. `update` changes it in place; only a new state and each quarter are read out. */
export function progressPart(run, stopped) {
  const heading = element("h2", { id: "run-state" });
  const bar = element("progress", { id: "run-progress", "aria-labelledby": "run-state" });
  const told = element("p", { id: "run-told", class: "soft" });
  const root = element("div", { id: "run-active", class: "card", data: { run: run.number } }, heading, bar, told,
    element("div", { class: "buttons" }, element("button", { type: "button", id: "stop-run", on: { click: stopped } }, "Stop")));
  let heard = "";
  const update = (now, progress, failed, waiting) => {
    root.dataset.state = now.state;
    heading.textContent = `${now.choices.dry_run ? "Dry run" : "Run"} ${now.number}: ${stateWord(now.state)}`;
    if (progress?.total) {
      bar.max = progress.total;
      bar.value = progress.done;
    } else bar.removeAttribute("value");
    told.textContent = waiting ? `It waits, and goes on by itself: ${waiting}` : sentence(now, progress, failed);
    const hear = `${now.state} ${waiting ? "waits" : ""} ${progress?.total ? Math.floor((4 * progress.done) / progress.total) : 0}`;
    if (heard && hear !== heard) announce(`${heading.textContent}. ${told.textContent}`);
    heard = hear;
  };
  return { root, update };
}

function sentence(run, progress, failed) {
  if (!progress?.total) return run.state === "requested" ? "Listing the project's tasks." : "A moment.";
  const parts = [`${number(progress.done)} of ${plural(progress.total, "image")}`];
  if (progress.per_second) parts.push(`${rate(progress.per_second)} a second`);
  if (progress.seconds_left !== null && progress.seconds_left !== undefined) parts.push(`${duration(progress.seconds_left)} left`);
  if (failed) parts.push(`${number(failed)} could not be read`);
  return `${parts.join(", ")}.`;
}

const rate = (perSecond) => (perSecond < 10 ? perSecond.toFixed(1) : number(Math.round(perSecond)));

/** How the newest run ended: its error, its warnings. A good end without any is shown by its queue. */
export function ending(run) {
  const parts = [];
  if (run.state === "failed" && run.choices.dry_run && run.error.startsWith("it was stopped")) {
    parts.push(element("p", { id: "run-stopped", class: "notice" }, `Dry run ${run.number} was stopped. The images that are embedded are kept; nothing changed in Label Studio.`));
  } else if (run.state === "failed") {
    parts.push(element("div", { id: "run-error", class: "notice bad", role: "alert" },
      element("p", {}, element("strong", {}, `${run.choices.dry_run ? "Dry run" : "Run"} ${run.number} failed. `), run.error || "No reason was given; the worker's log says more.")));
  }
  if (run.state === "undone") parts.push(element("p", { id: "run-undone", class: "notice" }, `Seed queue ${run.number} was taken back. The project is as it was before.`));
  if (run.warnings?.length) {
    parts.push(element("div", { id: "run-warnings", class: "notice warn" }, element("strong", {}, "Worth knowing"),
      element("ul", {}, run.warnings.map((one) => element("li", {}, one)))));
  }
  return parts;
}

/** The images that could not be read, each with its reason. */
export function unreadablePart(project, unreadable) {
  if (!unreadable.length) return null;
  return element("details", { id: "unreadable", class: "notice warn", open: unreadable.length <= 10, data: { count: unreadable.length } },
    element("summary", {}, `${plural(unreadable.length, "image")} could not be read and ${unreadable.length === 1 ? "was" : "were"} left out`),
    element("ul", { class: "plain" }, unreadable.slice(0, MOST_LISTED).map((one) => element("li", {},
      element("strong", {}, `Task ${one.task}`), `: ${one.reason} `, element("span", { class: "soft name" }, one.uri)))),
    unreadable.length > MOST_LISTED && element("p", { class: "soft" }, `and ${number(unreadable.length - MOST_LISTED)} more: seedqueue status lists them all.`));
}

/** What a run was asked for, in one line. */
export function asked(choices) {
  const parts = [`embedder ${choices.embedder}`, `selector ${choices.selector}`, `random seed ${choices.random_seed}`];
  if (choices.group_field) parts.push(`at most ${choices.per_group} of each ${choices.group_field}`);
  if (choices.near_duplicate) parts.push(`near duplicates from ${choices.near_duplicate}`);
  if (choices.tab) parts.push(`tab ${choices.tab}`);
  if (choices.where) parts.push(`only where ${choices.where}`);
  return parts.join(", ");
}

