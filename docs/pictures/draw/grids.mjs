// Tables and tiles, as marks of a Vega picture.

import { ACCENT, box, FAINT, HEAT, INK, LINE, rule, SIZE, text } from "./look.mjs";
import { boldWidth, bytes, count, shortened, textWidth, written } from "./text.mjs";

const ROW = 24;
const GAP = 14;
const ROWS = 10;
const [HIDDEN, BAR] = [5, 3];
const IN_BYTES = 2;
const WIDEST = 300;

const sum = (numbers) => numbers.reduce((all, number) => all + number, 0);
const isNumber = (value) => typeof value === "number";

// The columns that the panel shows, with the format of their cells.
function columnsOf({ rows, gridSettings }) {
  const all = Object.keys(rows[0]);
  return all.flatMap((name) => {
    const format =
      gridSettings.formatters.find(({ columnMatch }) => new RegExp(columnMatch).test(name)) ?? {};
    if (format.formatter === HIDDEN) return [];
    const write =
      format.numberFormat?.unit === IN_BYTES
        ? (value) => (isNumber(value) ? bytes(value) : "")
        : written;
    const values = rows.map((row) => row[name]);
    const right = values.some(isNumber);
    const most = format.formatter === BAR ? Math.max(...values) : 0;
    const isText = !values.some((value) => isNumber(value) || value?.time);
    return [{ name, write, right, isText, most }];
  });
}

// Texts are shortened to these widths before a column is left out. The first column gets more space,
// because it identifies the row.
const NARROWEST = { first: 190, other: 115 };

// As many columns as fit, each as wide as its longest cell. Long texts are shortened to fit more columns.
function laidOut(columns, rows, width) {
  const wanted = columns.map(({ name, write, most }) => {
    const cells = rows.map((row) => textWidth(write(row[name]), SIZE.usual));
    return Math.min(Math.max(boldWidth(name, SIZE.usual), most ? 70 : 0, ...cells), WIDEST) + GAP;
  });
  const least = columns.map(({ isText, name }, at) => {
    const narrow = Math.max(
      at ? NARROWEST.other : NARROWEST.first,
      boldWidth(name, SIZE.usual) + GAP,
    );
    return isText ? Math.min(wanted[at], narrow) : wanted[at];
  });
  let fitting = columns.length;
  while (fitting > 1 && sum(least.slice(0, fitting)) > width) fitting -= 1;
  const widths = wanted.slice(0, fitting);
  const shrinkable = sum(widths) - sum(least.slice(0, fitting));
  const excess = Math.max(sum(widths) - width, 0);
  const spare = Math.max(width - sum(widths), 0) / fitting;
  let x = 0;
  return widths.map((wide, at) => {
    const cut = excess ? (excess * (wide - least[at])) / shrinkable : 0;
    const column = { ...columns[at], x, width: wide - cut + spare };
    x += column.width;
    return column;
  });
}

const shownRows = (panel) => panel.rows.slice(0, ROWS);

// A note about the rows and columns that are not in the picture.
function noteOf(panel, rows, all, columns, width) {
  const named = (number, what) => `${number} more ${what}${number === 1 ? "" : "s"}`;
  const hidden = [];
  if (panel.rows.length > rows.length) hidden.push(named(panel.rows.length - rows.length, "row"));
  const left = all.slice(columns.length).map(({ name }) => name);
  if (left.length) hidden.push(`${named(left.length, "column")}: ${left.join(", ")}`);
  return hidden.length ? shortened(`… ${hidden.join("; ")}`, SIZE.small, width) : "";
}

function laidOutTable(panel, width) {
  const rows = shownRows(panel);
  const all = columnsOf(panel);
  const columns = laidOut(all, rows, width);
  return { rows, columns, note: noteOf(panel, rows, all, columns, width) };
}

export function tableHeight(panel, width) {
  const { rows, note } = laidOutTable(panel, width);
  return (rows.length + 1) * ROW + (note ? 22 : 0);
}

export function table(panel, width) {
  const { rows, columns, note } = laidOutTable(panel, width);
  const marks = [];
  const cell = ({ x, right, width: wide }, y, content, more) => {
    const fitting = shortened(content, SIZE.usual, wide - GAP);
    marks.push(
      text(right ? x + wide - GAP : x, y + 16, fitting, {
        align: right ? "right" : "left",
        ...more,
      }),
    );
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
        marks.push(box(column.x, y + 3, long, ROW - 6, { fill: HEAT, cornerRadius: 2 }));
      }
      cell(column, y, column.write(value));
    }
  });
  if (note)
    marks.push(
      text(0, (rows.length + 1) * ROW + 17, note, {
        fill: FAINT,
        fontSize: SIZE.small,
        fontStyle: "italic",
      }),
    );
  return marks;
}

export const TILES_HEIGHT = 70;

export function tiles({ rows, tileSettings: { titleContent, leftContent } }, width) {
  const wide = Math.min(200, (width - 12 * (rows.length - 1)) / rows.length);
  return rows.flatMap((row, at) => {
    const x = at * (wide + 12);
    const title = shortened(String(row[titleContent.columnMatch]), SIZE.small, wide - 20);
    return [
      box(x, 0, wide, TILES_HEIGHT, { stroke: LINE, cornerRadius: 4 }),
      text(x + 12, 22, title, { fill: FAINT, fontSize: SIZE.small }),
      text(x + 12, 56, count(row[leftContent.columnMatch]), {
        fontSize: SIZE.figure,
        fontWeight: 600,
        fill: INK,
      }),
    ];
  });
}
