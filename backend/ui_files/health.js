// What the doctor says, what the workers do, what happened last.

import { get } from "./api.js";
import { report } from "./banner.js";
import { button, element, refill } from "./element.js";
import { polling } from "./polling.js";
import { moment, number } from "./words.js";

const LEVELS = { green: ["good", "good"], yellow: ["warn", "look at it"], red: ["bad", "broken"], skipped: ["calm", "not checked"] };
const VERDICTS = { green: "Everything that was checked is as it should be.", yellow: "It works; some points deserve a look.", red: "Something is broken. Each red line says how to mend it." };
const CALM = 5;

export async function show(root, { project, signal }) {
  const lines = element("div", { id: "doctor", "aria-busy": "true" });
  const activity = element("div", { id: "activity" });
  const choice = element("select", { id: "health-project" }, element("option", { value: "" }, "none: only what all projects share"));
  choice.addEventListener("change", () => { location.hash = choice.value ? `#/health/${choice.value}` : "#/health"; });
  const again = button("Look again", () => examine(lines, project, signal), { id: "doctor-again" });
  root.append(element("h1", {}, "Health"),
    element("div", { class: "card" }, element("h2", {}, "What the doctor says"),
      element("div", { class: "joined" }, element("label", { for: "health-project" }, "Project"), choice, again), lines),
    activity);
  get("projects", signal).then((found) => {
    choice.append(...found.projects.map((one) => element("option", { value: one.id, selected: one.id === project }, one.title || `Project ${one.id}`)));
  }, report);
  examine(lines, project, signal);
  let before = "";
  polling(async () => {
    const found = await get("activity", signal);
    const now = JSON.stringify(found);
    if (now !== before) refill(activity, machines(found), happened(found));
    before = now;
    return CALM;
  }, signal);
}

async function examine(place, project, signal) {
  place.setAttribute("aria-busy", "true");
  refill(place, element("p", { class: "soft", role: "status" }, "The doctor is looking; this takes some seconds ..."));
  try {
    const found = await get(project ? `doctor?project=${project}` : "doctor", signal);
    place.dataset.worst = found.worst;
    refill(place, element("p", { class: "lead", role: "status" }, VERDICTS[found.worst] ?? ""), element("ul", { class: "plain doctor" }, found.lines.map(line)));
  } catch (error) {
    refill(place, element("p", { class: "soft" }, "The doctor could not look."));
    report(error);
  } finally {
    place.removeAttribute("aria-busy");
  }
}

function line(one) {
  const [tone, word] = LEVELS[one.level] ?? LEVELS.skipped;
  return element("li", { data: { level: one.level, check: one.check } }, element("span", { class: `badge ${tone}` }, word),
    element("div", {}, element("p", {}, element("strong", {}, one.check), `: ${one.message}`),
      one.mend && element("p", { class: "mend" }, element("strong", {}, "Mend: "), one.mend)));
}

function machines({ queues, workers }) {
  return element("div", { class: "card" }, element("h2", {}, "Queues and workers"),
    !workers.length && element("p", { class: "notice warn" }, "No worker runs, so nothing will be embedded or trained. Start one with seedqueue serve or seedqueue worker."),
    element("div", { class: "two" },
      table("queues", "Queues", ["Lane", "Waiting", "Running", "Failed"], queues.map((one) => [one.lane, number(one.waiting), number(one.running), number(one.failed)])),
      table("workers", "Workers", ["Name", "State", "Lanes", "Seen"], workers.map((one) => [one.name, one.state, one.lanes.join(", "), moment(one.seen)]))));
}

function happened({ events, errors }) {
  return element("div", { class: "card" }, element("h2", {}, "What happened last"),
    element("h3", {}, "Errors"),
    errors.length ? element("ul", { id: "errors", class: "plain" }, errors.map((one) => element("li", {},
      element("span", { class: "soft" }, `${moment(one.at)}${one.project ? `, project ${one.project}` : ""}: `), element("strong", {}, one.what), `: ${one.message}`)))
      : element("p", { id: "errors", class: "soft" }, "None."),
    element("h3", {}, "Events of Label Studio"),
    events.length ? table("events", "Events", ["When", "What", "Project", "What came of it"], events.map((one) => [moment(one.at), one.action, one.project ?? "", one.outcome]))
      : element("p", { id: "events", class: "soft" }, "None came yet. Label Studio sends one with every annotation."));
}

function table(id, caption, heads, rows) {
  return element("div", { class: "table", tabindex: 0, role: "region", "aria-label": caption }, element("table", { id },
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, rows.map((row) => element("tr", {}, row.map((cell, place) => (place ? element("td", {}, cell) : element("th", { scope: "row" }, cell))))))));
}
