// Numbers, times and states in plain words.

export const STATES = {
  "no seed queue": "no seed queue yet",
  requested: "waiting to begin",
  embedding: "embedding the images",
  selecting: "choosing",
  publishing: "publishing",
  published: "seed queue stands",
  chosen: "a dry run is ready",
  failed: "failed",
  undone: "taken back",
};
const ACTIVE = new Set(["requested", "embedding", "selecting", "publishing"]);
const TONES = { failed: "bad", published: "good", chosen: "good" };

export const isActive = (state) => ACTIVE.has(state);
export const stateWord = (state) => STATES[state] ?? state;
export const toneOf = (state) => (isActive(state) ? "busy" : TONES[state] ?? "calm");

export const number = (value) => Number(value).toLocaleString("en");

/** "1 image", "1,200 images". */
export function plural(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** "about 3 minutes". */
export function duration(seconds) {
  if (seconds < 50) return seconds < 10 ? "a few seconds" : `about ${Math.round(seconds / 10) * 10} seconds`;
  if (seconds < 90) return "about a minute";
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} minutes`;
  if (seconds < 172800) return `about ${Math.round(seconds / 3600)} hours`;
  return `about ${Math.round(seconds / 86400)} days`;
}

/** A moment as people say it, in their own time zone. */
export function moment(iso) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return String(iso ?? "");
  const today = new Date().toDateString() === at.toDateString();
  const time = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return today ? `today at ${time}` : `${at.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" })}, ${time}`;
}

/** A figure with its 95 % interval: "0.713 (0.650 to 0.781)"; why it is missing where it is. */
export function figure(found, sign = false) {
  if (!found || found.value === null || found.value === undefined) return found?.reason || "not measured";
  const plus = (value) => (sign && value >= 0 ? "+" : "") + value.toFixed(3);
  return found.low === null || found.low === undefined
    ? plus(found.value) : `${plus(found.value)} (${plus(found.low)} to ${plus(found.high)})`;
}

export const percent = (share) => `${Math.round(100 * share)} %`;

/** The first so many characters of a text that may be of any length. */
export function shortened(text, most = 40) {
  const letters = Array.from(String(text));
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : letters.join("");
}

/** "stands for 41" images of the pool; the task itself is one of them. */
export const standsFor = (weight) => (weight > 1 ? `stands for ${number(weight)}` : "stands for itself");
