// Colours that most kinds of colour blindness tell apart, on white and on black.

const CATEGORIES = ["#4477aa", "#ee6677", "#228833", "#ccaa22", "#44b5d8", "#aa3377", "#e07b00", "#8c79d9"];
// Viridis in ten steps: what is most uncertain stands out on either ground, so on a light one the scale is turned.
const LIGHT = ["#b5de2b", "#6ece58", "#35b779", "#1f9e89", "#26828e", "#31688e", "#3e4989", "#482878", "#461763", "#440154"];
const DARK = ["#46327e", "#3e4989", "#365c8d", "#2a788e", "#1f988b", "#2fb47c", "#5cc863", "#9bd93c", "#d2e21b", "#fde725"];

export const darkness = () => window.matchMedia("(prefers-color-scheme: dark)");
export const category = (place) => CATEGORIES[place % CATEGORIES.length];
export const CATEGORY_COUNT = CATEGORIES.length;
export const scale = () => (darkness().matches ? DARK : LIGHT);

/** The colours of the page itself, for what is drawn by plotly. */
export function ground() {
  const style = getComputedStyle(document.documentElement);
  const named = (name) => style.getPropertyValue(name).trim();
  return { panel: named("--panel"), text: named("--text"), ours: named("--ours"), grey: named("--dot"), added: named("--warn") };
}
