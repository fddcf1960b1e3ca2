// The next round: tasks chosen by what the model says of them.

import { post } from "./api.js";
import { attempt } from "./banner.js";
import { confirmed } from "./dialogs.js";
import { button, element } from "./element.js";
import { choiceField, field } from "./seed_form.js";
import { isActive, plural } from "./words.js";

export function roundForm(view, state, trained) {
  const { options, project } = view;
  const left = Math.max(0, state.tasks - state.labelled);
  const preset = options.round_selectors.find((one) => one.name === "uncertainty-herding") ?? options.round_selectors[0];
  const selector = choiceField("round-selector", "Selector", options.round_selectors, preset?.name ?? "");
  const budget = element("input", { type: "number", id: "round-budget", min: 1, max: Math.max(1, left), step: 1, value: Math.max(1, Math.min(20, left)), inputmode: "numeric", "aria-describedby": "round-budget-hint" });
  const ask = button("Ask for the next round", () => asked(project, selector.value(), Number(budget.value)), { id: "ask-round", class: "main" });
  const against = obstacle(state, left, trained);
  ask.disabled = Boolean(against);
  return element("form", { id: "round-form", class: "card", novalidate: true, on: { submit: (event) => { event.preventDefault(); ask.click(); } } },
    element("h2", {}, "The next round"),
    element("p", { class: "soft" }, "Choose the next tasks by what the model is unsure of. They take the place of the standing queue; what is labelled stays labelled."),
    element("div", { class: "two" }, field("round-budget", "Budget", budget, `1 to ${left}.`), selector.root),
    against && element("p", { class: "soft", id: "round-note" }, against),
    element("div", { class: "buttons" }, ask));
}

function obstacle(state, left, trained) {
  if (isActive(state.run?.state)) return "A run is under way; the next round can be asked for when it has ended.";
  if (!trained) return "There is no model yet to choose by. Label the seed queue, or press Train now.";
  return left ? "" : "Every task is labelled already.";
}

async function asked(project, selector, budget) {
  const sure = await confirmed({
    title: "Begin the next round?",
    sentences: [`${plural(budget, "task")} chosen by the model take the place of the standing queue.`, "Their progress is shown under Seed queue."],
    yes: "Begin it",
  });
  if (!sure) return;
  await attempt(async () => {
    await post(`projects/${project}/round`, { selector, budget });
    location.hash = `#/project/${project}/seed`;
  });
}
