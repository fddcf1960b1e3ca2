// "Why this image?": the reason that the backend gives for a task, asked once, shown wherever it is wanted.

import { get, thumbnail } from "./api.js";
import { shown } from "./dialogs.js";
import { element, outside } from "./element.js";

const MOST = 500; // reasons kept

/** A function that gives a task's reason, asking once a task; `known` in it gives what is there without asking. */
export function reasonsOf(project) {
  const kept = new Map();
  const known = new Map();
  function ask(task) {
    if (!kept.has(task)) {
      if (kept.size >= MOST) kept.clear();
      const asked = get(`projects/${project}/tasks/${task}/why`);
      asked.then((why) => known.set(task, why), () => kept.delete(task));
      kept.set(task, asked);
    }
    return kept.get(task);
  }
  ask.known = (task) => known.get(task);
  ask.forget = () => { kept.clear(); known.clear(); };
  return ask;
}

/** A small picture of a task, or a word where there is none. */
export function picture(project, task, attributes = {}) {
  const image = element("img", { src: thumbnail(project, task), alt: "", loading: "lazy", decoding: "async", ...attributes });
  image.addEventListener("error", () => image.replaceWith(element("span", { class: "none" }, "no picture")));
  return image;
}

/** The reason as it stands in the tooltip, the panel and the dialog. */
export function reasonCard(project, why, { link = true } = {}) {
  return element("div", { class: "why", data: { task: why.task } },
    picture(project, why.task, { loading: "eager" }),
    element("div", {},
      element("p", { class: "why-name" }, why.rank ? `Rank ${why.rank}, task ${why.task}` : `Task ${why.task}, not in the queue`),
      element("ul", { class: "sentences" }, (why.sentences ?? []).map((one) => element("li", {}, one))),
      link && why.url && element("p", {}, outside(why.url, "Open it in Label Studio"))));
}

/** The reason in a dialog of its own. */
export async function showReason(project, ask, task) {
  const why = await ask(task);
  shown("Why this image?", reasonCard(project, why), "why-dialog");
}
