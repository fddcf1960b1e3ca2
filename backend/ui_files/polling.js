// Looking again and again while a view is shown and the tab is in front.

import { report } from "./banner.js";

const AFTER_AN_ERROR = 5;

/**
 * Call `look` now and again after the seconds that it returns, until the signal ends it.
 * Returns a function that looks at once.
 */
export function polling(look, signal) {
  let timer = 0;
  let busy = false;
  let again = false;

  async function turn() {
    clearTimeout(timer);
    if (signal.aborted || document.hidden) return;
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    let pause = AFTER_AN_ERROR;
    try {
      pause = await look();
    } catch (error) {
      report(error);
    }
    busy = false;
    if (signal.aborted) return;
    timer = setTimeout(turn, again ? 0 : 1000 * pause);
    again = false;
  }

  signal.addEventListener("abort", () => clearTimeout(timer));
  document.addEventListener("visibilitychange", turn, { signal });
  turn();
  return turn;
}
