// The seed queue of a project: what it would be, how far it is, what stands, and undoing it.

import { get, post, remove } from "./api.js";
import { announce, attempt } from "./banner.js";
import { confirmed } from "./dialogs.js";
import { element, outside, refill } from "./element.js";
import { polling } from "./polling.js";
import { stateOf } from "./state.js";
import { chosenPart, standingPart } from "./seed_queue.js";
import { seedForm } from "./seed_form.js";
import { ending, progressPart, unreadablePart } from "./seed_run.js";
import { reasonsOf } from "./why.js";
import { isActive, number, plural, stateWord } from "./words.js";

const QUICK = 1;
const CALM = 8;

export async function show(root, { project, signal }) {
  const places = Object.fromEntries(["summary", "run", "chosen", "standing", "form"].map((name) => [name, element("div", { id: `seed-${name}` })]));
  const waiting = element("p", { class: "soft", role: "status" }, "Reading the project ...");
  root.append(element("h1", {}, "Seed queue"), waiting, ...Object.values(places));
  const asked = Promise.all([get("options", signal), stateOf(project, signal)]);
  const [options, first] = await asked.finally(() => waiting.remove());
  document.title = `${first.title}: seed queue · seedqueue`;
  const view = { project, signal, options, places, ask: reasonsOf(project), setAside: 0, drawn: {}, state: first };
  view.look = () => {}; // until the first look is over
  const form = seedForm(options, first, (choices) => order(view, choices));
  places.form.append(form.root);
  const look = async () => {
    view.state = await stateOf(project, signal, view.state);
    await draw(view, form);
    return isActive(view.state.run?.state) ? QUICK : CALM;
  };
  await draw(view, form);
  view.look = polling(look, signal);
}

async function draw(view, form) {
  const { places, state } = view;
  const { run } = state;
  once(view, "summary", [state.tasks, state.labelled], () => refill(places.summary, summary(state)));
  form.update(state);
  if (isActive(run?.state)) drawProgress(view);
  else once(view, "run", [run?.number, run?.state, state.unreadable.length], () => {
    places.run.replaceChildren();
    if (run) refill(places.run, ending(run), unreadablePart(view.project, state.unreadable));
  });
  const chosen = run?.state === "chosen" && run.number !== view.setAside ? run.number : 0;
  await onceAsync(view, "chosen", chosen, places.chosen, (found) => chosenPart(view, found, actions(view)));
  await onceAsync(view, "standing", state.published ?? 0, places.standing, (found) => standingPart(view, found, actions(view)));
}

/** Draw a part only when what it shows has changed: a person may be at work in it. */
function once(view, part, shows, make) {
  const key = JSON.stringify(shows);
  if (view.drawn[part] === key) return;
  view.drawn[part] = key;
  make();
}

async function onceAsync(view, part, run, place, make) {
  if (view.drawn[part] === run) return;
  const found = run ? await get(`projects/${view.project}/runs/${run}/queue`, view.signal) : null;
  view.drawn[part] = run;
  view.ask.forget();
  refill(place, found && make(found));
}

function drawProgress(view) {
  const { run, progress, unreadable, waiting } = view.state;
  if (view.drawn.run !== `active ${run.number}`) {
    view.drawn.run = `active ${run.number}`;
    view.progress = progressPart(run, () => stop(view));
    refill(view.places.run, view.progress.root);
    announce(`Run ${run.number}: ${stateWord(run.state)}.`);
  }
  view.progress.update(run, progress, unreadable.length, waiting);
}

function summary(state) {
  const left = Math.max(0, state.tasks - state.labelled);
  return element("p", { class: "lead" },
    element("strong", {}, state.title), `: ${plural(state.tasks, "task")}, ${number(state.labelled)} labelled, ${number(left)} to choose from. `,
    state.url && outside(state.url, "Open in Label Studio"));
}

async function order(view, choices) {
  const { project, state } = view;
  const dry = choices.dry_run === true;
  if (!dry) {
    const sure = await confirmed({
      title: "Make the seed queue?",
      sentences: [
        `${plural(choices.budget, "task")} will stand first in the annotators' queue, as soon as they are chosen.`,
        state.published ? "The seed queue that stands now is replaced; labels that were made stay." : "",
        "You can undo this: the project is then as it was before.",
      ],
      yes: "Make the seed queue",
    });
    if (!sure) return;
  }
  await attempt(async () => {
    await post(`projects/${project}/seed`, choices);
    view.setAside = 0;
    view.look();
    view.places.run.scrollIntoView({ block: "nearest" });
  });
}

async function stop(view) {
  const { run } = view.state;
  const dry = run.choices.dry_run;
  const stands = view.state.published !== null && !dry;
  const sure = await confirmed({
    title: "Stop this run?",
    sentences: [stands
      ? "The seed queue that stands is taken away too: the project is then as it was before any of them."
      : "Nothing of it will be published. The images that are embedded already are kept, so a new run goes on from there."],
    yes: "Stop it", no: "Let it go on", danger: true,
  });
  if (sure) await attempt(async () => { await remove(`projects/${view.project}/${dry ? `runs/${run.number}` : "queue"}`); view.look(); });
}

/** What the buttons of the two queues do. */
function actions(view) {
  const to = (path) => `projects/${view.project}/${path}`;
  return {
    publish: async (run, count) => {
      const sure = await confirmed({
        title: "Publish this queue?",
        sentences: [`These ${plural(count, "task")} will stand first in the annotators' queue, in this order.`,
          view.state.published ? "They replace the seed queue that stands now; labels that were made stay." : ""],
        yes: "Publish it",
      });
      if (sure) await attempt(async () => { await post(to(`runs/${run}/publish`), { add: [], remove: [] }); view.look(); });
    },
    setAside: (run) => {
      view.setAside = run;
      announce("The dry run is set aside. Nothing was published.");
      view.look();
    },
    extend: (budget) => attempt(async () => { await post(to("extend"), { budget }); view.look(); }),
    undo: async (count) => {
      const sure = await confirmed({
        title: "Undo the seed queue?",
        sentences: [`The ${plural(count, "task")} go back to where they were, and the project's sampling, tabs and model version are as before.`,
          "Annotations stay. A later seed queue is chosen anew."],
        yes: "Undo it", danger: true,
      });
      if (sure) await attempt(async () => { await remove(to("queue")); view.look(); });
    },
  };
}
