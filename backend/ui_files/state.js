// The state of a project: what the backend knows of its runs, and Label Studio's counts of its tasks.

import { get } from "./api.js";
import { isActive } from "./words.js";

/** `last`: the state before, whose counts are kept while a run is under way: Label Studio has enough to do then. */
export async function stateOf(project, signal, last) {
  const state = await get(`projects/${project}`, signal);
  const pool = last && isActive(state.run?.state) ? last.pool : await get(`projects/${project}/pool`, signal);
  return { ...pool, ...state, pool };
}
