// The second step before something that others will notice.

import { element } from "./element.js";

/** Ask; resolves to whether the answer was yes. Escape is no. */
export function confirmed({ title, sentences, yes, no = "Cancel", danger = false }) {
  return new Promise((resolve) => {
    const answer = (value) => element("button", {
      type: "button", id: value ? "confirm-yes" : "confirm-no", class: value ? (danger ? "main danger" : "main") : "",
      on: { click: () => asked.close(value ? "yes" : "") },
    }, value ? yes : no);
    const asked = element("dialog", { id: "confirm", "aria-labelledby": "confirm-title" },
      element("h2", { id: "confirm-title" }, title),
      sentences.filter(Boolean).map((sentence) => element("p", {}, sentence)),
      element("div", { class: "buttons end" }, answer(false), answer(true)));
    asked.addEventListener("close", () => {
      asked.remove();
      resolve(asked.returnValue === "yes");
    });
    document.body.append(asked);
    asked.showModal();
  });
}

/** A dialog that only shows something. */
export function shown(title, content, id) {
  const made = element("dialog", { id, "aria-labelledby": `${id}-title` },
    element("h2", { id: `${id}-title` }, title), content,
    element("div", { class: "buttons end" },
      element("button", { type: "button", class: "main", id: `${id}-close`, on: { click: () => made.close() } }, "Close")));
  made.addEventListener("close", () => made.remove());
  made.addEventListener("click", (event) => event.target === made && made.close());
  document.body.append(made);
  made.showModal();
  return made;
}
