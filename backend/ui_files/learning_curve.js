// The learning curve of one family of heads: as a drawing, in numbers, and what follows from it.

import { drawn, element } from "./element.js";
import { figure, plural } from "./words.js";

const WIDE = 640;
const HIGH = 260;
const EDGE = { left: 46, right: 16, top: 14, bottom: 40 };
const ADVICE = { stop: ["calm", "More labels hardly pay"], "go on": ["good", "More labels pay"], "cannot tell": ["warn", "Too early to tell"] };

export function curvePart(curve) {
  const [tone, word] = ADVICE[curve.advice.verdict] ?? ADVICE["cannot tell"];
  return element("div", { class: "card curve", data: { family: curve.family, points: curve.points.length } },
    element("h2", {}, curve.family === "masks" ? "Learning curve of the masks" : "Learning curve of the classes"),
    element("p", { class: "advice", data: { verdict: curve.advice.verdict } }, element("span", { class: `badge ${tone}` }, word), ` ${curve.advice.sentence}`),
    curve.points.length ? [chart(curve), numbers(curve)] : element("p", { class: "soft" }, "No point yet: the curve begins when a version has been measured on held-out tasks."));
}

function chart(curve) {
  const points = [...curve.points].sort((a, b) => a.labels - b.labels);
  const span = range(points);
  const most = points.at(-1).labels;
  const least = points[0].labels;
  const pad = most === least ? 1 : 0;
  const x = (labels) => EDGE.left + ((labels - least + pad) / (most - least + 2 * pad)) * (WIDE - EDGE.left - EDGE.right);
  const y = (value) => EDGE.top + ((span.high - value) / (span.high - span.low)) * (HIGH - EDGE.top - EDGE.bottom);
  const name = `${curve.metric} against the number of labels, on ${plural(curve.judged_on, "held-out task")}. The numbers stand in the table below.`;
  return element("figure", {}, drawn("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": name, class: "chart" },
    ticks(span).map((value) => [drawn("line", { class: "grid", x1: EDGE.left, x2: WIDE - EDGE.right, y1: y(value), y2: y(value) }),
      drawn("text", { x: EDGE.left - 8, y: y(value) + 4, "text-anchor": "end" }, value.toFixed(span.digits))]),
    apart(points, x).map((one) => drawn("text", { x: x(one.labels), y: HIGH - EDGE.bottom + 18, "text-anchor": "middle" }, String(one.labels))),
    drawn("text", { x: (WIDE + EDGE.left) / 2, y: HIGH - 4, "text-anchor": "middle" }, "labels"),
    drawn("polyline", { class: "line", points: points.map((one) => `${x(one.labels)},${y(one.value)}`).join(" ") }),
    points.map((one) => mark(one, x(one.labels), y))),
  element("figcaption", { class: "hint" }, `${curve.metric}, measured on ${plural(curve.judged_on, "task")} of the ${curve.held_out || "held-out set"}. Bars are 95 % intervals: where they overlap widely, the versions cannot be told apart.`));
}

function mark(one, x, y) {
  const bar = one.low !== null && one.high !== null && [
    drawn("line", { class: "bar", x1: x, x2: x, y1: y(one.low), y2: y(one.high) }),
    [one.low, one.high].map((end) => drawn("line", { class: "bar", x1: x - 5, x2: x + 5, y1: y(end), y2: y(end) }))];
  return drawn("g", {}, drawn("title", {}, `${one.version}: ${figure(one)} with ${one.labels} labels`), bar, drawn("circle", { class: "dot", cx: x, cy: y(one.value), r: 5 }));
}

/** The labels' numbers that have room below the axis. */
function apart(points, x) {
  const kept = [];
  for (const one of [...points].reverse()) if (!kept.length || x(kept.at(-1).labels) - x(one.labels) > 34) kept.push(one);
  return kept;
}

function range(points) {
  const all = points.flatMap((one) => [one.value, one.low ?? one.value, one.high ?? one.value]);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const pad = Math.max(0.01, (high - low) * 0.08);
  const wide = high - low + 2 * pad;
  return { low: low - pad, high: high + pad, digits: wide > 0.3 ? 1 : wide > 0.03 ? 2 : 3 };
}

function ticks({ low, high }) {
  const raw = (high - low) / 4;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = unit * ([1, 2, 5, 10].find((one) => one * unit >= raw) ?? 10);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(value);
  return found;
}

function numbers(curve) {
  return element("details", {}, element("summary", {}, "In numbers"),
    element("div", { class: "table" }, element("table", {}, element("caption", { class: "unseen" }, `${curve.metric} of each version`),
      element("thead", {}, element("tr", {}, ["Labels", "Version", `${curve.metric} (95 % interval)`].map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, curve.points.map((one) => element("tr", {}, element("th", { scope: "row" }, String(one.labels)), element("td", {}, one.version), element("td", {}, figure(one))))))));
}
