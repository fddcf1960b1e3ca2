// The choices of a seed queue.

import { button, element, refill } from "./element.js";
import { isActive, number, plural } from "./words.js";

/** The form; `ordered(choices)` is called with what was chosen. `update(state)` keeps its limits true. */
export function seedForm(options, first, ordered) {
  // What this project was asked for last is the likeliest wish.
  const defaults = { ...options.defaults, ...first.run?.choices };
  const budget = budgetField(defaults.budget);
  const embedder = choiceField("embedder", "Embedder", options.embedders, defaults.embedder);
  const selector = choiceField("selector", "Selector", options.selectors, defaults.selector);
  const groups = groupFields(defaults, first.fields ?? []);
  const more = moreFields(defaults);
  const note = element("p", { id: "seed-note", class: "soft", role: "status" });
  const collected = () => ({ budget: budget.value(), embedder: embedder.value(), selector: selector.value(), ...groups.values(), ...more.values() });
  const dry = button("What would this choose?", () => ordered({ ...collected(), dry_run: true }), { id: "dry-run" });
  const publish = button("Make the seed queue", () => ordered(collected()), { id: "make-queue", class: "main" });
  const heading = element("h2", {});
  const root = element("form", { id: "seed-form", class: "card", novalidate: true, on: { submit: (event) => { event.preventDefault(); dry.click(); } } },
    heading, budget.root, element("div", { class: "two" }, embedder.root, selector.root), groups.root, more.root, note,
    element("div", { class: "buttons" }, dry, publish),
    element("p", { class: "hint" }, "The first button publishes nothing: it shows the tasks that would be chosen."));
  let state = first;
  const update = (now = state) => {
    state = now;
    heading.textContent = state.published ? "Choose another seed queue" : "Choose a seed queue";
    const left = Math.max(0, state.tasks - state.labelled);
    budget.limit(left);
    const against = obstacle(state, left, [embedder, selector]);
    refill(note, against);
    note.hidden = !against;
    dry.disabled = publish.disabled = Boolean(against);
  };
  root.addEventListener("change", () => update());
  update();
  return { root, update };
}

function obstacle(state, left, fields) {
  if (isActive(state.run?.state)) return "A run is under way; the next can be asked for when it has ended.";
  if (left === 0) return state.tasks ? "Every task is labelled already: there is nothing left to choose from." : "The project has no tasks yet. Import images in Label Studio first.";
  return fields.map((field) => field.missing()).find(Boolean) ?? "";
}

/** A labelled input with a hint. */
export function field(id, label, input, hint) {
  return element("div", { class: "field" }, element("label", { for: id }, label), input,
    hint && element("p", { class: "hint", id: `${id}-hint` }, hint));
}

function budgetField(preset) {
  const typed = element("input", { type: "number", id: "budget", name: "budget", min: 1, step: 1, value: preset, "aria-describedby": "budget-hint", inputmode: "numeric" });
  const slid = element("input", { type: "range", id: "budget-range", min: 1, value: preset, "aria-label": "Budget, as a slider" });
  typed.addEventListener("input", () => { slid.value = typed.value; });
  slid.addEventListener("input", () => { typed.value = slid.value; });
  typed.addEventListener("change", () => {
    typed.value = Math.min(Math.max(1, Math.round(Number(typed.value) || 1)), Number(typed.max) || 1);
    slid.value = typed.value;
  });
  const hint = element("p", { class: "hint", id: "budget-hint" });
  const root = element("div", { class: "field" }, element("label", { for: "budget" }, "Budget: how many tasks are labelled first"),
    element("div", { class: "slid" }, slid, typed), hint);
  return {
    root,
    value: () => Number(typed.value),
    limit: (most) => {
      const top = Math.max(1, most);
      // A slider over the whole of a large pool could not be set to 40.
      slid.max = Math.min(top, Math.max(200, 2 * Number(typed.value)));
      typed.max = top;
      if (Number(typed.value) > top && document.activeElement !== typed) typed.value = top;
      slid.value = typed.value;
      hint.textContent = `1 to ${number(top)}: ${plural(most, "task")} without a label. 20 to 100 is usual for a first round.`;
    },
  };
}

/** A select whose options have a sentence each; what is missing is said and cannot be chosen. */
export function choiceField(id, label, choices, preset) {
  const chosen = choices.find((one) => one.name === preset) ?? choices.find((one) => one.name.startsWith(`${preset}:`)) ?? choices[0];
  const select = element("select", { id, name: id, "aria-describedby": `${id}-hint` }, choices.map((one) => element("option", {
    value: one.name, selected: one === chosen, disabled: unavailable(one) && one !== chosen, title: one.sentence,
  }, one.title ?? one.name, unavailable(one) ? " (not available)" : "")));
  const hint = element("p", { class: "hint", id: `${id}-hint` });
  const others = element("div", {});
  const now = () => choices.find((one) => one.name === select.value);
  const say = () => {
    hint.textContent = now()?.sentence ?? "";
    const missing = choices.filter((one) => one.missing);
    if (missing.length) refill(others, missingPart(id, missing));
  };
  select.addEventListener("change", say);
  say();
  const root = element("div", { class: "field" }, element("label", { for: id }, label), select, hint, others);
  return { root, value: () => select.value, missing: () => (now() && unavailable(now()) ? now().missing : "") };
}

const unavailable = (one) => one.available === false || Boolean(one.missing && one.available !== true);

function missingPart(id, missing) {
  return element("details", { class: "small", id: `${id}-missing` },
    element("summary", {}, `Not available: ${missing.length}`),
    element("ul", {}, missing.map((one) => element("li", {}, element("strong", {}, one.title ?? one.name), `: ${one.missing}`))));
}

function groupFields(defaults, fields) {
  const known = [...new Set([...fields, ...(defaults.group_field ? [defaults.group_field] : [])])];
  const group = element("select", { id: "group-field", "aria-describedby": "group-field-hint" },
    element("option", { value: "" }, "none"), known.map((name) => element("option", { value: name, selected: name === defaults.group_field }, name)));
  const each = element("input", { type: "number", id: "per-group", min: 1, step: 1, value: defaults.per_group ?? 1, inputmode: "numeric" });
  const limit = field("per-group", "At most so many of a group", each);
  const shows = () => { limit.hidden = !group.value; };
  group.addEventListener("change", shows);
  shows();
  const root = element("div", { class: "two" },
    field("group-field", "Group field", group, "A field of the task data that names the patient or study, so that one patient does not fill the queue."), limit);
  return { root, values: () => ({ group_field: group.value, per_group: Number(each.value) || 1 }) };
}

function moreFields(defaults) {
  const numeric = (id, value, more) => element("input", { type: "number", id, value, min: 0, step: 1, "aria-describedby": `${id}-hint`, ...more });
  const seed = numeric("random-seed", defaults.random_seed ?? 0);
  const near = numeric("near-duplicate", defaults.near_duplicate ?? 0, { max: 1, step: 0.01 });
  const audit = numeric("audit", defaults.audit ?? 0);
  const weak = element("input", { type: "text", id: "weak-label", value: defaults.weak_label ?? "", autocomplete: "off", "aria-describedby": "weak-label-hint" });
  const text = (id, value, more) => element("input", { type: "text", id, value: value ?? "", autocomplete: "off", spellcheck: false, "aria-describedby": `${id}-hint`, ...more });
  const tab = text("tab", defaults.tab);
  const where = text("where", defaults.where);
  const root = element("details", { id: "more-choices", open: Boolean(defaults.tab || defaults.where) }, element("summary", {}, "More choices"), element("div", { class: "two" },
    field("tab", "Only the tasks of this tab", tab, "The title or number of a tab of the Data Manager. Empty: the whole project."),
    field("where", "Only tasks that fulfil this", where, "Such as view=PA and date>=2025-01-01: fields of the task data, id, or label:CONTROL for what a control says."),
    field("random-seed", "Random seed", seed, "The same images, choices and random seed give the same queue."),
    field("near-duplicate", "Near duplicates, as a cosine", near, "From this cosine to a chosen image on, others wait until nothing else is left. 0 switches it off; 0.9 is usual."),
    field("audit", "Audit tasks", audit, "Drawn at random and never learnt from, so that figures can be trusted. Only the first queue of a project draws them."),
    field("weak-label", "Weak label", weak, "For the selector of weak labels: findings, field:NAME or keywords:FIELD:WORD,WORD.")));
  return {
    root,
    values: () => ({
      random_seed: Number(seed.value) || 0, near_duplicate: Number(near.value) || 0, audit: Number(audit.value) || 0,
      tab: tab.value.trim(), where: where.value.trim(),
      ...(weak.value.trim() ? { weak_label: weak.value.trim() } : {}),
    }),
  };
}
