// The router: which view the address's hash names, the navigation, and the end of the view that is left.

import { get } from "./api.js";
import { attempt, clear, report } from "./banner.js";
import { element } from "./element.js";
import * as health from "./health.js";
import * as learning from "./learning.js";
import * as map from "./map.js";
import * as projects from "./projects.js";
import * as seed from "./seed.js";

const VIEWS = { projects, seed, map, learning, health };
const OF_A_PROJECT = { seed: "Seed queue", map: "Map", learning: "Learning" };
const main = document.getElementById("main");

/** What the hash asks for; the list of projects where it asks for nothing that there is. */
export function route(hash) {
  const of = /^#\/project\/([1-9]\d{0,17})\/(seed|map|learning)$/.exec(hash);
  if (of) return { view: of[2], project: Number(of[1]) };
  const checked = /^#\/health(?:\/([1-9]\d{0,17}))?$/.exec(hash);
  if (checked) return { view: "health", project: checked[1] ? Number(checked[1]) : null };
  return { view: "projects", project: null };
}

function link(href, text, current) {
  return element("a", { href, "aria-current": current ? "page" : null }, text);
}

function showNavigation({ view, project }, listed) {
  document.getElementById("nav").replaceChildren(
    link("#/projects", "Projects", view === "projects"),
    link(project ? `#/health/${project}` : "#/health", "Health", view === "health"));
  const bar = document.getElementById("project-bar");
  const shown = project ?? (listed.length === 1 ? listed[0].id : null);
  bar.hidden = shown === null;
  if (shown === null) return;
  const title = listed.find((one) => one.id === shown)?.title ?? `Project ${shown}`;
  const links = Object.entries(OF_A_PROJECT).map(([name, text]) => link(`#/project/${shown}/${name}`, text, name === view));
  bar.replaceChildren(element("span", { class: "project-name" }, title),
    element("nav", { id: "project-nav", "aria-label": "Views of the project" }, links));
}

function start() {
  let left = new AbortController();
  let listed = [];
  let first = true;

  async function go() {
    left.abort();
    left = new AbortController();
    document.querySelectorAll("dialog[open]").forEach((one) => one.close());
    clear();
    const asked = route(location.hash);
    const told = (found) => {
      listed = found;
      showNavigation(route(location.hash), listed);
    };
    showNavigation(asked, listed);
    const root = element("section", { id: `view-${asked.view}`, class: "view", data: { project: asked.project ?? "" } });
    main.replaceChildren(root);
    await attempt(() => VIEWS[asked.view].show(root, { project: asked.project, signal: left.signal, listed: told }));
    if (root.isConnected) arrived(root, first);
    first = false;
  }

  window.addEventListener("hashchange", go);
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  go();
  get("projects").then((found) => {
    listed = found.projects;
    showNavigation(route(location.hash), listed);
  }, report);
}

/** After a change of view the focus is on its heading, so that it is read out; not at the first one. */
function arrived(root, first) {
  const heading = root.querySelector("h1");
  if (!heading) return;
  document.title = `${heading.textContent} · seedqueue`;
  heading.tabIndex = -1;
  if (!first && !root.contains(document.activeElement)) heading.focus({ preventScroll: true });
  if (!first) window.scrollTo(0, 0);
}

start();
