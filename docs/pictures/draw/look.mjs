// Colours, sizes and the basic marks of every picture.

export const FONT = "Segoe UI, Helvetica Neue, Helvetica, Arial, sans-serif";

export const INK = "#24292f";
export const FAINT = "#57606a";
export const LINE = "#d8dee4";
export const PAPER = "#ffffff";
export const DESK = "#f6f8fa";
export const ACCENT = "#0969da";
export const HEAT = "#b6d7f7";

// A colour-blind-safe palette (Okabe and Ito, without yellow and black).
export const SERIES = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#d55e00",
  "#cc79a7",
  "#56b4e9",
  "#8c8c8c",
  "#7b5ea7",
  "#a6761d",
];

export const SIZE = { small: 11, usual: 12, title: 13.5, tab: 14, heading: 18, figure: 26 };

const values = (members) =>
  Object.fromEntries(Object.entries(members).map(([name, value]) => [name, { value }]));

const mark = (type, members, more = {}) => ({ type, encode: { enter: values(members) }, ...more });

export const text = (x, y, content, more = {}) =>
  mark("text", {
    x,
    y,
    text: content,
    font: FONT,
    fontSize: SIZE.usual,
    fill: INK,
    baseline: "alphabetic",
    ...more,
  });

export const box = (x, y, width, height, more = {}) =>
  mark("rect", { x, y, width, height, fill: PAPER, ...more });

export const rule = (x, y, x2, y2, stroke = LINE) => mark("rule", { x, y, x2, y2, stroke });

export const group = (x, y, width, height, marks, more = {}) =>
  mark("group", { x, y, width, height }, { marks, ...more });
