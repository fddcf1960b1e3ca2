// The map as it is handled: plotly moves, zooms, selects and draws the queue's tasks; the pool lies on a canvas below.
// Texts of tasks never reach plotly: it would read them as markup.

import { ground, scale } from "./colours.js";
import { inside, nearest, pointsLayer, transform } from "./map_canvas.js";
import { groupsOf } from "./map_points.js";

const MOST_RANKS = 150; // written on the map; beyond it they would cover one another
const STILL = 4; // px that a click may move
const CONFIG = { displayModeBar: false, scrollZoom: true, responsive: true, doubleClick: "reset", showTips: false };
const WHOLE = [-0.04, 1.04];

let loading; // the one promise of the library, whoever asks first

/** plotly, 4.8 MB: fetched when a map is drawn and not before. */
function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "plotly.min.js";
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      loading = undefined;
      reject(new Error("plotly.min.js could not be loaded from this backend"));
    };
    document.head.append(script);
  });
  return loading;
}

/** The queue's tasks, ringed in the colour that they would have as points, and those to be added; the first trace, unseen, makes room and lets an empty queue be selected over. */
function traces(map, ranks, added, colours, colourOf) {
  const at = (rows) => ({ x: rows.map((row) => map.x[row]), y: rows.map((row) => map.y[row]), type: "scatter", hoverinfo: "skip", unselected: { marker: { opacity: 1 } } });
  const chosen = [...ranks.keys()].sort((a, b) => ranks.get(b) - ranks.get(a)); // rank 1 is drawn last, on top
  const written = chosen.length <= MOST_RANKS;
  const ranked = { text: chosen.map((row) => String(ranks.get(row))), textposition: "middle center", textfont: { size: 11, color: colours.text, family: "system-ui, sans-serif" }, unselected: { marker: { opacity: 1 }, textfont: { color: colours.text } } };
  return [
    { x: [0, 1], y: [0, 1], type: "scatter", mode: "markers", hoverinfo: "skip", marker: { size: 1, opacity: 0 }, unselected: { marker: { opacity: 0 } }, selected: { marker: { opacity: 0 } } },
    { ...at(chosen), mode: written ? "markers+text" : "markers", marker: { size: written ? 22 : 11, color: colours.panel, opacity: 1, line: { width: 3, color: chosen.map((row) => colourOf.get(row) ?? colours.grey) } }, ...(written ? ranked : {}) },
    { ...at(added), mode: "markers", marker: { size: 13, symbol: "diamond", color: colours.panel, opacity: 1, line: { width: 2.5, color: colours.added } } },
  ];
}

function layout(run, dragmode, colours) {
  const axis = () => ({ visible: false, range: [...WHOLE], zeroline: false, showgrid: false });
  return {
    xaxis: axis(), yaxis: axis(), dragmode, showlegend: false, hovermode: false, margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)", uirevision: String(run), selections: [], newselection: { line: { color: colours.ours, width: 2 } },
  };
}

/** A map in its place over a canvas. `heard`: hovered(row, event), left(), clicked(row), selected(rows or null). */
export async function plotted(place, canvas, heard) {
  const library = await plotly();
  const layer = pointsLayer(canvas);
  const now = { scene: null, map: null, ranks: new Map(), dragmode: "pan", listening: false };
  const ranges = () => ["xaxis", "yaxis"].map((axis) => place._fullLayout[axis].range.map(Number));
  const follow = () => place._fullLayout && layer.move(ranges());
  // A phone is turned, a window narrowed: plotly's drawing has a size of its own and would keep the page wide.
  const watcher = new ResizeObserver(() => place._fullLayout && library.Plots.resize(place).then(follow, () => {}));
  const change = (scene) => { Object.assign(now.scene, scene); layer.show(now.scene, ranges()); };

  function rowAt(event) {
    const box = place.getBoundingClientRect();
    return nearest(now.map, ranges(), box.width, box.height, [event.clientX - box.left, event.clientY - box.top], now.ranks.keys());
  }

  function listen() {
    now.listening = true;
    for (const event of ["plotly_relayouting", "plotly_relayout"]) place.on(event, follow);
    place.on("plotly_selected", (found) => {
      const rows = found ? inside(now.map, found) : [];
      heard.selected(rows.length ? rows : null);
    });
    place.on("plotly_deselect", () => heard.selected(null));
    watcher.observe(place);
    pointed(place, rowAt, heard);
  }

  return {
    draw: async (map, mode, ranks, added) => {
      const colours = ground();
      const found = groupsOf(map, mode, scale());
      const colourOf = new Map(found.groups.flatMap(({ colour, rows }) => rows.filter((row) => ranks.has(row)).map((row) => [row, colour])));
      Object.assign(now, { map, ranks });
      await library.react(place, traces(map, ranks, added, colours, colourOf), layout(map.run, now.dragmode, colours), CONFIG);
      if (!now.listening) listen();
      const groups = found.groups.map(({ colour, rows }) => ({ colour: colour ?? colours.grey, rows }));
      now.scene = { x: map.x, y: map.y, groups, ground: colours.panel, ring: colours.text, held: null, marked: -1 };
      layer.show(now.scene, ranges());
      return found;
    },
    drag: (dragmode) => { now.dragmode = dragmode; return library.relayout(place, { dragmode }); },
    hold: (rows) => {
      const held = rows && new Uint8Array(now.map.x.length);
      rows?.forEach((row) => { held[row] = 1; });
      change({ held });
    },
    mark: (row) => change({ marked: row }),
    zoom: (factor) => {
      const [x, y] = ranges().map(([low, high]) => [low + high - factor * (high - low), low + high + factor * (high - low)].map((end) => end / 2));
      return library.relayout(place, { "xaxis.range": x, "yaxis.range": y });
    },
    whole: () => library.relayout(place, { "xaxis.range": [...WHOLE], "yaxis.range": [...WHOLE] }),
    clearSelection: () => library.relayout(place, { selections: [] }),
    spot: (row) => {
      const box = place.getBoundingClientRect();
      const to = transform(ranges(), box.width, box.height);
      return { x: box.left + to.x(now.map.x[row]), y: box.top + to.y(now.map.y[row]) };
    },
    end: () => { watcher.disconnect(); library.purge(place); },
  };
}

/** Hovering and clicking, found by the place: plotly knows only the queue's points. */
function pointed(place, rowAt, heard) {
  let pressed = null;
  place.addEventListener("pointerdown", (event) => { pressed = [event.clientX, event.clientY]; heard.left(); }, true);
  place.addEventListener("pointerleave", () => heard.left());
  place.addEventListener("pointermove", (event) => {
    if (event.buttons || event.pointerType === "touch") return;
    const row = rowAt(event);
    if (row >= 0) heard.hovered(row, event);
    else heard.left();
    place.classList.toggle("on-a-point", row >= 0);
  });
  // plotly lays a cover over the whole page while a button is held, so the end is heard there.
  const released = (event) => {
    if (!place.isConnected) { window.removeEventListener("pointerup", released, true); return; }
    const still = pressed && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) < STILL;
    pressed = null;
    const row = still && event.button === 0 ? rowAt(event) : -1;
    if (row >= 0) heard.clicked(row);
  };
  window.addEventListener("pointerup", released, true);
}
