// Tables and tiles, as marks of a Vega picture.

import { ACCENT, FAINT, HEAT, INK, LINE, SIZE, box, rule, text } from "./look.mjs";
import { bytes, count, shortened, textWidth, written } from "./text.mjs";

const ROW = 24;
const GAP = 14;
const ROWS = 10;
const [HIDDEN, BAR] = [5, 3];
const IN_BYTES = 2;
const WIDEST = 300;

const isNumber = (value) => typeof value === "number";

// The columns that the panel shows, with how their cells are written.
function columnsOf({ rows, gridSettings }) {
  const all = Object.keys(rows[0]);
  return all.flatMap((name) => {
    const format = gridSettings.formatters.find(({ columnMatch }) => new RegExp(columnMatch).test(name)) ?? {};
    if (format.formatter === HIDDEN) return [];
    const write = format.numberFormat?.unit === IN_BYTES ? (value) => (isNumber(value) ? bytes(value) : "") : written;
    const values = rows.map((row) => row[name]);
    const right = values.some(isNumber);
    const most = format.formatter === BAR ? Math.max(...values) : 0;
    return [{ name, write, right, most }];
  });
}

// As many columns as fit, each as wide as its longest cell; the last ones share what is left over.
function laidOut(columns, rows, width) {
  const wanted = columns.map(({ name, write, most }) => {
    const texts = [name, ...rows.map((row) => write(row[name]))];
    const widest = Math.max(...texts.map((cell) => textWidth(cell, SIZE.usual)));
    return Math.min(Math.max(widest, most ? 90 : 0), WIDEST) + GAP;
  });
  const placed = [];
  let x = 0;
  for (const [at, column] of columns.entries()) {
    if (at > 0 && x + Math.min(wanted[at], 110) > width) break;
    placed.push({ ...column, x, width: Math.min(wanted[at], width - x) });
    x += wanted[at];
  }
  const spare = Math.max(width - x, 0) / placed.length;
  placed.forEach((column, at) => Object.assign(column, { x: column.x + spare * at, width: column.width + spare }));
  return placed;
}

const shownRows = (panel) => panel.rows.slice(0, panel.limit ?? ROWS);

export const tableHeight = (panel) => (panel.rows.length ? (shownRows(panel).length + 1) * ROW + 26 : 60);

export function table(panel, width) {
  const rows = shownRows(panel);
  const all = columnsOf(panel);
  const columns = laidOut(all, rows, width);
  const marks = [];
  const cell = ({ x, right, width: wide }, y, content, more) => {
    const fitting = shortened(content, SIZE.usual, wide - GAP);
    marks.push(text(right ? x + wide - GAP : x, y + 16, fitting, { align: right ? "right" : "left", ...more }));
  };
  for (const column of columns) cell(column, 0, column.name, { fill: FAINT, fontWeight: 600 });
  rows.forEach((row, at) => {
    const y = (at + 1) * ROW;
    const isClicked = panel.clicked !== undefined && row[panel.exportFieldName] === panel.clicked;
    if (isClicked) marks.push(box(-6, y, width + 12, ROW, { fill: "#ddf4ff", stroke: ACCENT }));
    else marks.push(rule(0, y, width, y));
    for (const column of columns) {
      const value = row[column.name];
      if (column.most) {
        const long = ((column.width - GAP) * value) / column.most;
        marks.push(box(column.x + column.width - GAP - long, y + 3, long + 4, ROW - 6, { fill: HEAT, cornerRadius: 2 }));
      }
      cell(column, y, column.write(value));
    }
  });
  const hidden = [];
  if (panel.rows.length > rows.length) hidden.push(`${panel.rows.length - rows.length} more rows`);
  if (all.length > columns.length) hidden.push(`${all.length - columns.length} more columns: ${all.slice(columns.length).map(({ name }) => name).join(", ")}`);
  if (hidden.length) {
    const note = shortened(`… ${hidden.join("; ")}`, SIZE.small, width);
    marks.push(text(0, (rows.length + 1) * ROW + 17, note, { fill: FAINT, fontSize: SIZE.small, fontStyle: "italic" }));
  }
  return marks;
}

export const TILES_HEIGHT = 78;

export function tiles({ rows, tileSettings: { titleContent, leftContent } }, width) {
  const wide = Math.min(200, (width - 12 * (rows.length - 1)) / rows.length);
  return rows.flatMap((row, at) => {
    const x = at * (wide + 12);
    const title = shortened(String(row[titleContent.columnMatch]), SIZE.usual, wide - 24);
    return [
      box(x, 0, wide, TILES_HEIGHT - 8, { stroke: LINE, cornerRadius: 4 }),
      text(x + 12, 22, title, { fill: FAINT }),
      text(x + 12, 56, count(row[leftContent.columnMatch]), { fontSize: SIZE.figure, fontWeight: 600, fill: INK }),
    ];
  });
}
