// Where a version errs: the confusion matrix on its held-out tasks, and its worst cases.

import { element, outside } from "./element.js";
import { picture } from "./why.js";
import { number } from "./words.js";

export function readingPart(project, reading) {
  const { version, family, confusion, classes, worst } = reading;
  if (!confusion && !worst.length) return null;
  return element("div", { class: "card reading", data: { family } }, element("h2", {}, `Where ${typeof version === "number" ? `version ${version}` : version} errs`),
    confusion && matrix(confusion, classes), worst.length > 0 && cases(project, worst));
}

function matrix(confusion, classes) {
  const most = Math.max(1, ...confusion.flat());
  return [element("h3", {}, "Confusion matrix"),
    element("div", { class: "table", tabindex: 0, role: "region", "aria-label": "Confusion matrix" }, element("table", { class: "confusion" },
      element("caption", {}, "Rows: what annotators said. Columns: what the model said. The diagonal is where both agree."),
      element("thead", {}, element("tr", {}, element("td", {}), classes.map((name) => element("th", { scope: "col" }, name)))),
      element("tbody", {}, confusion.map((row, truth) => element("tr", {}, element("th", { scope: "row" }, classes[truth]),
        row.map((count, said) => element("td", { class: truth === said ? "right" : "wrong", style: { "--share": count / most } }, number(count))))))))];
}

function cases(project, worst) {
  return [element("h3", {}, "Worst cases"),
    element("p", { class: "hint" }, "Where the model was surest and wrong, or drew the farthest from the annotators. A wrong label shows up here too."),
    element("ol", { class: "queue worst" }, worst.map((one) => element("li", { data: { task: one.task } }, picture(project, one.task),
      element("p", {}, element("span", { class: "soft" }, "annotators: "), one.truth), element("p", {}, element("span", { class: "soft" }, "model: "), one.predicted),
      element("p", { class: "soft", title: "The worse the lower: what the model gave to the annotators' answer, or the overlap of the masks" }, `score ${Number(one.score).toFixed(2)}`),
      element("p", {}, outside(one.url, `Task ${one.task}`)))))];
}
