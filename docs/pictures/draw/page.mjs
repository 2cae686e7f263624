// One tab of the workbook as a Vega picture, with its items in rows and in the workbook's widths.

import { bars, pie } from "./charts.mjs";
import { TILES_HEIGHT, table, tableHeight, tiles } from "./grids.mjs";
import { ACCENT, box, DESK, FAINT, group, INK, LINE, rule, SIZE, text } from "./look.mjs";
import { boldWidth, textWidth, time, wrapped } from "./text.mjs";

const [TEXT, QUERY, PARAMETERS] = [1, 3, 9];
const WIDTH = 1200;
const MARGIN = 24;
const INNER = WIDTH - 2 * MARGIN;
const GUTTER = 12;
const PADDING = 16;
const LEADING = 18;
const CHART = { 0: 260, 1: 190, 4: 150 };

// Places without the outlines of countries.
function places({ rows }, width, height) {
  return rows.map(({ Longitude, Latitude, Place, Messages }) =>
    text(
      (width * (Longitude + 180)) / 360,
      (height * (90 - Latitude)) / 180,
      `\u25cf ${Place}: ${Messages}`,
      {
        fill: ACCENT,
      },
    ),
  );
}

const KINDS = {
  barchart: { height: ({ size }) => CHART[size], draw: bars },
  unstackedbar: { height: ({ size }) => CHART[size], draw: bars },
  map: { height: ({ size }) => CHART[size], draw: places },
  piechart: { height: ({ size }) => CHART[size] + 20, draw: pie },
  table: { height: tableHeight, draw: table },
  tiles: { height: () => TILES_HEIGHT, draw: tiles },
};

const paragraph = (x, y, lines, more = {}) => text(x, y, lines, { lineHeight: LEADING, ...more });

// A panel in a frame: the title, and its content or the message for no data.
function panel(content, width) {
  const inner = width - 2 * PADDING;
  const title = wrapped(content.title, SIZE.title, inner, boldWidth);
  const top = PADDING + title.length * LEADING + 6;
  const kind = KINDS[content.visualization];
  const natural = content.rows.length ? kind.height(content, inner) : 40;
  const draw = (height) => {
    const body = height - top - PADDING;
    const shown = content.rows.length
      ? kind.draw(content, inner, body)
      : [text(0, 20, content.noDataMessage, { fill: FAINT, fontStyle: "italic" })];
    return [
      box(0, 0, width, height, { stroke: LINE, cornerRadius: 6 }),
      paragraph(PADDING, PADDING + 12, title, { fontSize: SIZE.title, fontWeight: 600 }),
      group(PADDING, top, inner, body, shown),
    ];
  };
  return { height: top + natural + PADDING, draw };
}

// The notes of the workbook are Markdown with emphasis, code and paragraphs only.
function prose(markdown, width) {
  const plain = markdown.replace(/[*`]/g, "").split("\n\n");
  const broken = plain.flatMap((part) => wrapped(part, SIZE.usual, width));
  return {
    height: broken.length * LEADING,
    draw: () => [paragraph(0, 12, broken, { fill: FAINT })],
  };
}

function pills(names) {
  let x = 0;
  const marks = names.flatMap(([label, value]) => {
    const before = x + 14 + textWidth(label, SIZE.usual) + 12;
    const wide = before - x + boldWidth(value, SIZE.usual) + 14;
    const made = [
      box(x, 0, wide, 28, { stroke: LINE, cornerRadius: 14 }),
      text(x + 14, 18, label, { fill: FAINT }),
      text(before, 18, value, { fontWeight: 600 }),
    ];
    x += wide + 10;
    return made;
  });
  return { height: 28, draw: () => marks };
}

function filters({ parameters }) {
  return pills(parameters.map(({ label, value }) => [label, value || "(empty)"]));
}

function drawnItem({ type, content }, width) {
  if (type === TEXT) return prose(content.json, width);
  if (type === PARAMETERS) return filters(content);
  if (type === QUERY) return panel(content, width);
  throw new Error(`cannot draw items of type ${type}`);
}

// Items side by side until they fill the width.
function inRows(items) {
  const rows = [];
  let used = 100;
  for (const item of items) {
    const share = Number(item.customWidth ?? 100);
    if (used + share > 100) {
      rows.push([]);
      used = 0;
    }
    rows.at(-1).push({ item, share });
    used += share;
  }
  return rows;
}

function row(cells, y) {
  const shares = cells.reduce((sum, { share }) => sum + share, 0);
  // Three thirds of the workbook are 99 percent.
  const full = shares >= 99 ? shares : 100;
  const room = INNER - GUTTER * (cells.length - 1);
  let x = MARGIN;
  const placed = cells.map(({ item, share }) => {
    const width = (room * share) / full;
    const at = { x, width, item: drawnItem(item, width) };
    x += width + GUTTER;
    return at;
  });
  const height = Math.max(...placed.map(({ item }) => item.height));
  const marks = placed.map(({ x: left, width, item }) =>
    group(left, y, width, height, item.draw(height)),
  );
  return { marks, height };
}

function tabStrip(labels, chosen, y) {
  let x = MARGIN;
  const marks = [rule(MARGIN, y + 12, WIDTH - MARGIN, y + 12)];
  for (const label of labels) {
    const wide = boldWidth(label, SIZE.tab);
    const isChosen = label === chosen;
    marks.push(
      text(x, y, label, {
        fontSize: SIZE.tab,
        fill: isChosen ? INK : FAINT,
        fontWeight: isChosen ? 600 : 400,
      }),
    );
    if (isChosen) marks.push(box(x, y + 10, wide, 3, { fill: ACCENT }));
    x += wide + 30;
  }
  return marks;
}

export function page(tab, answers) {
  const range = `${time(answers.from).slice(0, 16)} to ${time(answers.to).slice(0, 16)} UTC`;
  const marks = [
    text(MARGIN, 40, "Proofpoint Email Security", { fontSize: SIZE.heading, fontWeight: 600 }),
    text(WIDTH - MARGIN, 40, "simulated mail; drawn from the panels' queries, not in Azure", {
      align: "right",
      fill: FAINT,
    }),
    group(
      MARGIN,
      56,
      INNER,
      28,
      pills([
        ["Time range", range],
        ["Cluster", "All"],
      ]).draw(),
    ),
    ...tabStrip(
      answers.tabs.map(({ label }) => label),
      tab.label,
      116,
    ),
  ];
  let y = 146;
  for (const cells of inRows(tab.items)) {
    const made = row(cells, y);
    marks.push(...made.marks);
    y += made.height + GUTTER;
  }
  return {
    $schema: "https://vega.github.io/schema/vega/v6.json",
    width: WIDTH,
    height: y + MARGIN - GUTTER,
    padding: 0,
    background: DESK,
    autosize: "none",
    marks,
    config: { aria: false },
  };
}
