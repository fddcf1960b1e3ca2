// Which point has which colour, and what the legend says of it. Knows neither the page nor plotly.

import { CATEGORY_COUNT, category } from "./colours.js";

const MOST_NAMED = 12; // entries of a legend

export const MODES = {
  cluster: "cluster",
  label: "label",
  predicted: "prediction",
  uncertainty: "uncertainty",
  round: "round",
};

/**
 * The points as groups of one colour each: [{name, colour, rows}], grey ones first so that they lie below.
 * named: whether the groups have a name each, for a legend.
 */
export function groupsOf(map, mode, scale) {
  if (mode === "uncertainty") return byUncertainty(map, scale);
  if (mode === "cluster") return byCluster(map);
  if (mode === "round") return byName(map.round.map((run) => (run ? `run ${run}` : null)), "not queued yet", true);
  if (mode === "label") return byName(map.label, "no label yet", false);
  return byName(map.predicted, "no prediction yet", false);
}

function rowsWhere(count, keyed) {
  const found = new Map();
  for (let row = 0; row < count; row += 1) {
    const key = keyed(row);
    const rows = found.get(key);
    if (rows) rows.push(row);
    else found.set(key, [row]);
  }
  return found;
}

function byName(values, none, natural) {
  const found = rowsWhere(values.length, (row) => values[row] ?? null);
  const names = [...found.keys()].filter((name) => name !== null);
  const order = natural
    ? (a, b) => a.localeCompare(b, "en", { numeric: true })
    : (a, b) => found.get(b).length - found.get(a).length || a.localeCompare(b, "en");
  names.sort(order);
  const own = names.slice(0, MOST_NAMED);
  const rest = names.slice(MOST_NAMED).flatMap((name) => found.get(name));
  const groups = own.map((name, place) => ({ name, colour: category(place), rows: found.get(name) }));
  if (rest.length) groups.unshift({ name: `${names.length - MOST_NAMED} others`, colour: null, rows: rest });
  if (found.has(null)) groups.unshift({ name: none, colour: null, rows: found.get(null) });
  return { groups, named: true, note: own.length > CATEGORY_COUNT ? "Colours come again after the eighth." : "" };
}

function byCluster(map) {
  const found = rowsWhere(map.cluster.length, (row) => (map.cluster[row] ? (map.cluster[row] - 1) % CATEGORY_COUNT : null));
  const groups = [...found.keys()].filter((key) => key !== null).sort((a, b) => a - b)
    .map((key) => ({ name: "", colour: category(key), rows: found.get(key) }));
  if (found.has(null)) groups.unshift({ name: "of no cluster", colour: null, rows: found.get(null) });
  const note = "Points of one colour that lie together are most like the same chosen task. Far apart, colours come again.";
  return { groups, named: false, note };
}

function byUncertainty(map, scale) {
  const top = scale.length - 1;
  const found = rowsWhere(map.uncertainty.length, (row) => {
    const value = map.uncertainty[row];
    return value === null || value === undefined ? null : Math.min(top, Math.max(0, Math.floor(value * scale.length)));
  });
  const groups = [...found.keys()].filter((key) => key !== null).sort((a, b) => a - b)
    .map((key) => ({ name: "", colour: scale[key], rows: found.get(key) }));
  if (found.has(null)) groups.unshift({ name: "no prediction yet", colour: null, rows: found.get(null) });
  return { groups, named: false, scale: groups.some((one) => one.colour) ? scale : null, note: "" };
}
