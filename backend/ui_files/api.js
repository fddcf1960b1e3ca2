// The REST routes, asked by relative addresses: the page may lie under any path of a reverse proxy.

import { recovered } from "./banner.js";

const BASE = "../api/";

/** What the backend refused, by the name and the sentence that it gave. */
export class Refused extends Error {
  constructor(name, message, status) {
    super(message);
    this.name = name;
    this.status = status;
  }
}

export const get = (path, signal) => call("GET", path, undefined, signal);
export const post = (path, body = {}) => call("POST", path, body);
export const remove = (path) => call("DELETE", path);

/** The address of a task's small picture. */
export const thumbnail = (project, task) => `${BASE}projects/${project}/tasks/${task}/thumbnail`;

async function call(method, path, body, signal) {
  const headers = { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }) };
  const text = body === undefined ? undefined : JSON.stringify(body);
  let answer;
  try {
    answer = await fetch(BASE + path, { method, headers, body: text, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("BackendUnreachable",
      "The backend does not answer. Is `seedqueue serve` running, and this machine connected? The page asks again by itself.", 0);
  }
  recovered();
  const told = await json(answer);
  if (!answer.ok) throw refusal(answer, told);
  return told;
}

async function json(answer) {
  try {
    return await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return null;
  }
}

function refusal(answer, told) {
  if (told && typeof told.message === "string") return new Refused(String(told.error), told.message, answer.status);
  return new Refused("BackendFailed",
    `The backend answered with status ${answer.status} and no reason. Its log says more; try again after a look at it.`,
    answer.status);
}
