// What hovering over a point shows. It is for the mouse: the table beside the map has the same for the keyboard.

import { element, refill } from "./element.js";
import { reasonCard } from "./why.js";

const PATIENCE = 120; // ms over a point before it is asked about
const GAP = 16;

export function tooltip(project, ask) {
  const place = element("div", { id: "map-tooltip", "aria-hidden": "true", hidden: true });
  document.body.append(place);
  let timer = 0;
  let wanted = null;

  function put(why, event) {
    if (wanted !== why.task) return;
    refill(place, reasonCard(project, why, { link: false }));
    place.dataset.task = why.task;
    place.hidden = false;
    const { width, height } = place.getBoundingClientRect();
    const x = event.clientX + GAP + width > innerWidth ? event.clientX - GAP - width : event.clientX + GAP;
    const y = Math.min(event.clientY + GAP, innerHeight - height - 8);
    place.style.left = `${Math.max(8, x)}px`;
    place.style.top = `${Math.max(8, y)}px`;
  }

  function leave() {
    clearTimeout(timer);
    wanted = null;
    place.hidden = true;
  }

  return {
    over: (task, event) => {
      if (wanted === task && !place.hidden) return;
      clearTimeout(timer);
      wanted = task;
      const known = ask.known(task);
      if (known) put(known, event);
      else timer = setTimeout(() => ask(task).then((why) => put(why, event), () => {}), PATIENCE);
    },
    leave,
    end: () => { leave(); place.remove(); },
  };
}
