// The points of the pool on a canvas of their own, below plotly's: 100,000 of them are drawn in some milliseconds,
// without WebGL, which machines without a graphics card have only slowly or not at all.

const MANY = 5000; // from here on squares, written pixel by pixel
const PALE = 0.8;
const NEAR = 12; // px

/** (r, g, b) of "#rrggbb" or "#rgb". */
function channels(hex) {
  const long = hex.length === 4 ? hex.replace(/[0-9a-f]/gi, "$&$&") : hex;
  return [1, 3, 5].map((place) => parseInt(long.slice(place, place + 2), 16));
}

const mixed = (hex, ground, share) => channels(hex).map((value, place) => Math.round(value * (1 - share) + channels(ground)[place] * share));
const word = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
const css = ([red, green, blue]) => `rgb(${red} ${green} ${blue})`;

/**
 * The layer on a canvas. `show(scene, ranges)`: scene = {x, y, groups: [{colour, rows}], ground, ring, held, marked},
 * held: 1 for each selected row, or null; marked: the row with a ring, or -1. `move(ranges)` draws the same elsewhere.
 */
export function pointsLayer(canvas) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let scene = null;
  let image = null;

  function fitted() {
    const scale = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(canvas.clientWidth * scale), Math.round(canvas.clientHeight * scale)];
    if (canvas.width !== width || canvas.height !== height) {
      Object.assign(canvas, { width, height });
      image = null;
    }
    return scale;
  }

  function move(ranges) {
    if (!scene || !canvas.clientWidth) return;
    const scale = fitted();
    const to = transform(ranges, canvas.width, canvas.height);
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (scene.x.length > MANY) {
      image ??= context.createImageData(canvas.width, canvas.height);
      squares(new Uint32Array(image.data.buffer), canvas.width, canvas.height, scene, to, Math.max(2, Math.round((scene.x.length > 20000 ? 3 : 4) * scale)));
      context.putImageData(image, 0, 0);
    } else circles(context, scene, to, (scene.x.length > 2000 ? 2.6 : 4) * scale);
    if (scene.marked >= 0) ring(context, scene, to, scale);
  }

  return { move, show: (next, ranges) => { scene = next; move(ranges); } };
}

/** Where a point lies on so many pixels: px = a + b * x. */
export function transform([[left, right], [low, high]], width, height) {
  const [across, up] = [width / (right - left), height / (high - low)];
  return { x: (value) => (value - left) * across, y: (value) => height - (value - low) * up, across, up };
}

function squares(pixels, width, height, { x, y, groups, ground, held }, to, size) {
  pixels.fill(0);
  const half = size >> 1;
  for (const { colour, rows } of groups) {
    const [full, pale] = [word(mixed(colour, ground, 0.1)), word(mixed(colour, ground, PALE))];
    for (const row of rows) {
      const left = Math.round(to.x(x[row])) - half;
      const top = Math.round(to.y(y[row])) - half;
      if (left < 0 || top < 0 || left + size > width || top + size > height) continue;
      const value = held && !held[row] ? pale : full;
      for (let line = top * width + left, end = line + size * width; line < end; line += width) pixels.fill(value, line, line + size);
    }
  }
}

function circles(context, { x, y, groups, ground, held }, to, radius) {
  for (const { colour, rows } of groups) {
    for (const share of held ? [PALE, 0.12] : [0.12]) {
      context.fillStyle = css(mixed(colour, ground, share));
      context.beginPath();
      for (const row of rows) {
        if (held && Boolean(held[row]) === (share === PALE)) continue;
        const [px, py] = [to.x(x[row]), to.y(y[row])];
        context.moveTo(px + radius, py);
        context.arc(px, py, radius, 0, 2 * Math.PI);
      }
      context.fill();
    }
  }
}

function ring(context, scene, to, scale) {
  context.beginPath();
  context.arc(to.x(scene.x[scene.marked]), to.y(scene.y[scene.marked]), 17 * scale, 0, 2 * Math.PI);
  context.lineWidth = 3 * scale;
  context.strokeStyle = scene.ring;
  context.stroke();
}

/** The row nearest to a place in pixels, -1 where none is near. preferred: rows that are drawn larger and on top. */
export function nearest({ x, y }, ranges, width, height, at, preferred) {
  const to = transform(ranges, width, height);
  const among = (rows, most) => {
    let found = -1;
    let best = most * most;
    for (const row of rows) {
      const [across, down] = [to.x(x[row]) - at[0], to.y(y[row]) - at[1]];
      const distance = across * across + down * down;
      if (distance < best) [found, best] = [row, distance];
    }
    return found;
  };
  const first = among(preferred, NEAR);
  return first >= 0 ? first : among(x.keys(), NEAR);
}

/** The rows inside what plotly says was selected: a lasso's outline or a box. */
export function inside({ x, y }, { lassoPoints, range }) {
  const rows = [];
  if (range) {
    const [[left, right], [low, high]] = [range.x, range.y].map((ends) => [...ends].sort((a, b) => a - b));
    for (let row = 0; row < x.length; row += 1) if (x[row] >= left && x[row] <= right && y[row] >= low && y[row] <= high) rows.push(row);
  } else if (lassoPoints) {
    for (let row = 0; row < x.length; row += 1) if (within(x[row], y[row], lassoPoints.x, lassoPoints.y)) rows.push(row);
  }
  return rows;
}

function within(x, y, xs, ys) {
  let inner = false;
  for (let one = 0, other = xs.length - 1; one < xs.length; other = one, one += 1) {
    if (ys[one] > y !== ys[other] > y && x < ((xs[other] - xs[one]) * (y - ys[one])) / (ys[other] - ys[one]) + xs[one]) inner = !inner;
  }
  return inner;
}
