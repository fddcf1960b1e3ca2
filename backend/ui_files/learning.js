// How learning goes: the curve and its advice, what serves, the versions, the next round, where the model errs.

import { get, post } from "./api.js";
import { attempt } from "./banner.js";
import { confirmed } from "./dialogs.js";
import { button, element, refill } from "./element.js";
import { curvePart } from "./learning_curve.js";
import { readingPart } from "./learning_reading.js";
import { roundForm } from "./learning_round.js";
import { versionsPart } from "./learning_versions.js";
import { polling } from "./polling.js";
import { stateOf } from "./state.js";
import { duration, isActive, moment, number, plural } from "./words.js";

const QUICK = 2;
const CALM = 10;
const SHARE = 10; // the answer reads all annotations: it is not asked for more than a tenth of the time
const PARTS = ["training", "curves", "versions", "reading", "round", "trust"];

export async function show(root, { project, signal }) {
  const places = Object.fromEntries(PARTS.map((name) => [name, element("div", { id: `learning-${name}` })]));
  const waiting = element("p", { class: "soft", role: "status" }, "Reading the annotations ...");
  root.append(element("h1", {}, "Learning"), waiting, ...Object.values(places));
  const view = { project, signal, places, before: {}, asked: 0 };
  view.options = await get("options", signal);
  view.look = polling(async () => {
    const begun = performance.now();
    const found = await looked(view);
    waiting.remove();
    const took = (performance.now() - begun) / 1000;
    const busy = found?.progress || view.asked > 0;
    view.asked = Math.max(0, view.asked - 1);
    return Math.max(busy ? QUICK : CALM, SHARE * took);
  }, signal);
}

async function looked(view) {
  const { project, signal } = view;
  const state = await stateOf(project, signal, view.state);
  view.state = state;
  if (state.published === null) {
    if (view.before.all !== "none") PARTS.forEach((name) => refill(view.places[name], name === "training" && noQueue(project, state)));
    view.before = { all: "none" };
    return null;
  }
  if (view.before.all) view.before = {};
  const [found, { versions }] = await Promise.all([get(`projects/${project}/learning`, signal), get(`projects/${project}/versions`, signal)]);
  const serving = found.serving ?? [];
  fresh(view, "training", [found.progress, found.last, serving, state.labelled], () => trainingPart(view, found, state));
  fresh(view, "curves", found.curves, () => found.curves.map(curvePart));
  fresh(view, "versions", versions.map((one) => [one.number, one.promoted]), () => versionsPart(versions, versionActions(view)));
  fresh(view, "reading", found.reading ?? [], () => (found.reading ?? []).map((one) => readingPart(project, one)));
  fresh(view, "round", [versions.length > 0, isActive(state.run?.state)], () => roundForm(view, state, versions.length > 0));
  fresh(view, "trust", [found.agreement, found.problems, found.warnings, found.audit, found.seconds], () => trustPart(found));
  return found;
}

/** Draw a part anew only if what it shows has changed: the focus and an open table stay. */
function fresh(view, part, shows, make) {
  const key = JSON.stringify(shows);
  if (view.before[part] === key) return;
  view.before[part] = key;
  refill(view.places[part], make());
}

function noQueue(project, state) {
  return element("div", { class: "card", id: "no-queue" }, element("h2", {}, "Nothing to learn from yet"),
    element("p", {}, isActive(state.run?.state) ? "The seed queue is being made. Once it is labelled, a model learns from it and its figures appear here."
      : "A model learns from the labels of a seed queue, and there is none yet."),
    element("a", { class: "button main", href: `#/project/${project}/seed` }, "To the seed queue"));
}

function trainingPart(view, found, state) {
  const serving = found.serving ?? [];
  const says = serving.length
    ? ["Pre-annotations come from ", serving.map((one, place) => [place ? " and " : "", element("strong", { id: place ? null : "learning-serving" }, one.name)]), "."]
    : [element("span", { id: "learning-serving" }, "No model serves yet."), " The first is trained when every task of the seed queue is labelled or skipped, or when you ask for it."];
  return element("div", { class: "card" }, element("h2", {}, "Training"),
    element("p", {}, says, ` ${number(state.labelled)} of ${plural(state.tasks, "task")} labelled.`),
    found.progress && progress(found.progress), found.last && last(found.last),
    element("div", { class: "buttons" }, button("Train now", () => attempt(async () => {
      await post(`projects/${view.project}/train`, { head: null });
      view.asked = 5;
      view.look();
    }), { id: "train-now", class: "main" })));
}

function progress(one) {
  const epochs = one.epochs ? `, epoch ${one.epoch} of ${one.epochs}` : "";
  const left = one.seconds_left === null || one.seconds_left === undefined ? "" : `, ${duration(one.seconds_left)} left`;
  const text = `Training ${one.head}${epochs}${left}`;
  return element("div", { id: "training", class: "meter", role: "status" }, element("progress", { ...(one.epochs ? { max: one.epochs, value: one.epoch } : {}), "aria-label": text }), element("span", {}, text));
}

function last(one) {
  const failed = one.outcome === "failed";
  return element("p", { id: "last-training", class: failed ? "notice bad" : "notice", data: { outcome: one.outcome } },
    element("strong", {}, failed ? "The last training failed " : "The last training ended "), `${moment(one.at)}: ${one.message}`);
}

function versionActions(view) {
  const done = async (path, body) => { await attempt(async () => { await post(`projects/${view.project}/${path}`, body); view.look(); }); };
  return {
    promote: async (version) => {
      const sure = await confirmed({ title: `Promote ${version.name}?`, sentences: ["Its pre-annotations are then the ones that annotators see, whatever its figures say."], yes: "Promote it" });
      if (sure) await done(`versions/${version.number}/promote`, {});
    },
    rollBack: async (serving) => {
      const sure = await confirmed({ title: `Roll back ${serving.name}?`, sentences: ["The version that served before it serves again. No version is deleted."], yes: "Roll back" });
      if (sure) await done("rollback", { head: serving.head });
    },
  };
}

function trustPart(found) {
  const { agreement, problems, warnings, audit, seconds } = found;
  const some = agreement?.tasks > 0;
  const told = some ? [agreement.kappa !== null && `kappa ${agreement.kappa.toFixed(2)} over the classes`, agreement.dice !== null && `Dice ${agreement.dice.toFixed(2)} over the masks`].filter(Boolean).join(", ") : "";
  return element("div", { class: "card" }, element("h2", {}, "How far to trust it"),
    element("ul", {},
      element("li", { id: "audit" }, audit ? `${plural(audit, "audit task")}: drawn at random, never learnt from; the figures are measured on those that are labelled.` : "There are no audit tasks, so no figure here estimates how good the model is. Ask for them with the first seed queue, under More choices."),
      element("li", { id: "agreement" }, some ? `${plural(agreement.tasks, "task")} labelled by several of ${plural(agreement.annotators, "annotator")}: ${told || "agreement is not defined yet"}.` : "No task has been labelled by two annotators, so their agreement is unknown."),
      seconds !== null && seconds !== undefined && element("li", {}, `A label takes ${seconds.toFixed(0)} seconds in the median.`)),
    warnings?.length > 0 && element("ul", { class: "notice warn" }, warnings.map((one) => element("li", {}, one))),
    problems?.length > 0 && element("details", { id: "problems", data: { count: problems.length } },
      element("summary", {}, `${plural(problems.length, "annotation")} cannot be learnt from`),
      element("ul", { class: "plain" }, problems.slice(0, 200).map((one) => element("li", {}, element("strong", {}, `Task ${one.task}`), one.annotation ? `, annotation ${one.annotation}: ` : ": ", one.reason)))));
}
