// What went wrong, in one place at the top of the page, read out at once.

import { element } from "./element.js";

const UNREACHABLE = "BackendUnreachable";
const place = () => document.getElementById("banner");

/** Show an error; one that only says that the view was left is none. */
export function report(error) {
  if (error.name === "AbortError") return;
  const known = typeof error.status === "number";
  if (!known) console.error(error);
  const text = known ? error.message : `The page itself failed: ${error.message}. Loading it again may help.`;
  if (place().dataset.error === error.name && place().dataset.text === text) return; // it stands there already
  Object.assign(place().dataset, { error: error.name, text });
  place().replaceChildren(element("div", { class: "notice bad" }, element("p", {}, text),
    element("button", { type: "button", class: "quiet", id: "banner-close", on: { click: clear } }, "Close")));
}

export function clear() {
  place().replaceChildren();
  delete place().dataset.error;
  delete place().dataset.text;
}

/** The backend answers again. */
export function recovered() {
  if (place().dataset.error === UNREACHABLE) clear();
}

/** Say something that is only heard: for what is seen by other means. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/** Run what a person asked for; what goes wrong is told. Returns whether it went well. */
export async function attempt(what) {
  try {
    clear();
    await what();
    return true;
  } catch (error) {
    report(error);
    return false;
  }
}
