// SPDX-License-Identifier: GPL-3.0-or-later
// Return what is wrong with the page that is open, a line each. Its themes are tried one after the other.
const problems = [];
const named = (element) => `${element.tagName.toLowerCase()} "${element.textContent.trim().slice(0, 40)}"`;

if (document.querySelectorAll("h1").length !== 1) problems.push("it has not one h1");
for (const image of document.images)
  if (image.complete && image.naturalWidth === 0 && image.loading !== "lazy") problems.push(`no image ${image.src}`);

// What is wider than the screen must scroll in itself.
const width = document.documentElement.clientWidth;
const scrolls = (element) => {
  for (let one = element.parentElement; one && one !== document.body; one = one.parentElement)
    if (["auto", "scroll", "hidden"].includes(getComputedStyle(one).overflowX)) return true;
  return false;
};
if (document.documentElement.scrollWidth > width) problems.push(`it scrolls: ${document.documentElement.scrollWidth} px`);
for (const element of document.querySelectorAll("article *, main *"))
  if (element.getBoundingClientRect().right > width + 1 && !scrolls(element)) {
    problems.push(`wider than ${width} px: ${named(element)}`);
    break;
  }

// Text and what is behind it differ as WCAG's level AA asks for.
const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const colours = {};
const colour = (text) => {
  if (!colours[text]) {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = text;
    context.fillRect(0, 0, 1, 1);
    colours[text] = Array.from(context.getImageData(0, 0, 1, 1).data);
  }
  return colours[text];
};
const behind = (element) => {
  const layers = [];
  for (let one = element; one; one = one.parentElement) {
    const layer = colour(getComputedStyle(one).backgroundColor);
    layers.push(layer);
    if (layer[3] === 255) break;
  }
  return layers.reverse().reduce((below, [r, g, b, a]) => [r, g, b].map((c, i) => (c * a + below[i] * (255 - a)) / 255),
    [255, 255, 255]);
};
const luminance = (rgb) => {
  const [r, g, b] = rgb.map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const looks = [...document.querySelectorAll("article *")].filter(
  (one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) && one.checkVisibility());
for (const theme of ["light", "dark"]) {
  document.body.dataset.theme = theme;
  for (const element of looks) {
    const style = getComputedStyle(element);
    if (style.visibility === "hidden" || style.fontSize === "0px") continue;
    const [one, other] = [luminance(colour(style.color).slice(0, 3)), luminance(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const size = parseFloat(style.fontSize);
    const enough = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    if (ratio < enough) {
      problems.push(`${theme}: contrast ${ratio.toFixed(2)} of ${named(element)} (${element.className})`);
      break;
    }
  }
}
document.body.dataset.theme = "auto";
return problems;
