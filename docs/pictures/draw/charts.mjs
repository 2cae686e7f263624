// Bar charts over time and pie charts, as groups of a Vega picture.

import { box, FAINT, FONT, group, INK, LINE, SERIES, SIZE, text } from "./look.mjs";
import { count, shortened, textWidth } from "./text.mjs";

const LEGEND_ROW = 18;
const SWATCH = 10;

// The series of a chart, each with a name and points. A chart has either one value column and a
// column that names the series, or several value columns.
function seriesOf({ rows, chartSettings: { xAxis, yAxis, group: by } }) {
  const found = new Map();
  for (const row of rows) {
    for (const column of yAxis) {
      const name = by ? String(row[by]) : column;
      if (!found.has(name)) found.set(name, { name, points: [], sum: 0 });
      const series = found.get(name);
      series.points.push({ x: row[xAxis]?.time ?? row[xAxis], y: row[column] });
      series.sum += row[column];
    }
  }
  return [...found.values()].sort((one, other) => other.sum - one.sum);
}

// Names with their colours, in as many rows as needed, from `y` downwards.
function legend(entries, y, width) {
  const marks = [];
  let [x, at] = [0, y];
  for (const { label, colour } of entries) {
    const needed = SWATCH + 6 + textWidth(label, SIZE.small) + 16;
    if (x > 0 && x + needed > width) [x, at] = [0, at + LEGEND_ROW];
    marks.push(box(x, at, SWATCH, SWATCH, { fill: colour, cornerRadius: 2 }));
    marks.push(text(x + SWATCH + 6, at + SWATCH - 1, label, { fontSize: SIZE.small, fill: FAINT }));
    x += needed;
  }
  return { marks, height: at + LEGEND_ROW - y };
}

const HOUR = 3_600_000;

// Every hour from the first to the last, including hours without events.
function hoursOf(points) {
  const times = points.map(({ x }) => Date.parse(x));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  return Array.from({ length: (last - first) / HOUR + 1 }, (_, at) =>
    new Date(first + at * HOUR).toISOString(),
  );
}

const axisText = {
  labelFont: FONT,
  labelFontSize: SIZE.small,
  labelColor: FAINT,
  domainColor: LINE,
  tickColor: LINE,
};

// Bars over time, stacked or side by side.
export function bars(panel, width, height) {
  const series = seriesOf(panel);
  const isStacked = panel.visualization === "barchart";
  const named = series.map(({ name, sum }, at) => {
    const label = isStacked ? `${name}  ${count(sum)}` : name;
    return { label, colour: SERIES[at % SERIES.length] };
  });
  const measure = legend(named, 0, width);
  const left = 48;
  const [wide, high] = [width - left, height - measure.height - 34];
  const points = series.flatMap(({ name, points: of }, order) =>
    of.map((point) => ({ ...point, name, order })),
  );
  const hours = hoursOf(points);
  const data = [
    {
      name: "points",
      values: points,
      transform: [
        {
          type: "stack",
          groupby: isStacked ? ["x"] : ["x", "name"],
          field: "y",
          sort: { field: "order" },
        },
      ],
    },
  ];
  const scales = [
    {
      name: "x",
      type: "band",
      domain: hours,
      range: [0, wide],
      paddingInner: 0.18,
      paddingOuter: 0.1,
    },
    {
      name: "within",
      type: "band",
      domain: series.map(({ name }) => name),
      range: [0, (wide / hours.length) * 0.82],
    },
    {
      name: "y",
      domain: { data: "points", field: "y1" },
      range: [high, 0],
      nice: true,
      zero: true,
    },
    { name: "colour", type: "ordinal", domain: series.map(({ name }) => name), range: SERIES },
  ];
  const format =
    points.every(({ y }) => Number.isInteger(y)) || points.some(({ y }) => y >= 10) ? ",~s" : ".1f";
  const clock = { labels: { update: { text: { signal: "slice(datum.value, 11, 16)" } } } };
  const everyFourth = hours.filter((_, at) => at % 4 === 0);
  const axes = [
    {
      orient: "left",
      scale: "y",
      grid: true,
      gridColor: LINE,
      tickCount: 4,
      format,
      domain: false,
      ticks: false,
      labelPadding: 6,
      ...axisText,
    },
    { orient: "bottom", scale: "x", values: everyFourth, encode: clock, ...axisText },
  ];
  const place = isStacked
    ? { x: { scale: "x", field: "x" }, width: { scale: "x", band: 1 } }
    : {
        x: { scale: "x", field: "x", offset: { scale: "within", field: "name" } },
        width: { scale: "within", band: 0.9 },
      };
  const bar = {
    type: "rect",
    from: { data: "points" },
    encode: {
      enter: {
        ...place,
        y: { scale: "y", field: "y1" },
        y2: { scale: "y", field: "y0" },
        fill: { scale: "colour", field: "name" },
      },
    },
  };
  const made = legend(named, height - measure.height, width);
  // Axes read the size of their group from signals.
  const signals = [
    { name: "width", value: wide },
    { name: "height", value: high },
  ];
  return [group(left, 6, wide, high, [bar], { signals, data, scales, axes }), ...made.marks];
}

// A pie with a legend.
export function pie({ rows, chartSettings: { xAxis, yAxis } }, width, height) {
  const parts = rows.map((row) => ({ name: String(row[xAxis]), value: row[yAxis[0]] }));
  const all = parts.reduce((sum, { value }) => sum + value, 0);
  const radius = Math.min(width, height - 90) / 2 - 8;
  const data = [{ name: "parts", values: parts, transform: [{ type: "pie", field: "value" }] }];
  const scales = [
    { name: "colour", type: "ordinal", domain: parts.map(({ name }) => name), range: SERIES },
  ];
  const arc = {
    type: "arc",
    from: { data: "parts" },
    encode: {
      enter: {
        x: { value: width / 2 },
        y: { value: radius + 8 },
        startAngle: { field: "startAngle" },
        endAngle: { field: "endAngle" },
        innerRadius: { value: radius * 0.55 },
        outerRadius: { value: radius },
        fill: { scale: "colour", field: "name" },
        stroke: { value: "#ffffff" },
      },
    },
  };
  const middle = text(width / 2, radius + 15, count(all), {
    align: "center",
    fontSize: 20,
    fontWeight: 600,
    fill: INK,
  });
  const entries = parts.map(({ name, value }, at) => ({
    label: shortened(`${name}  ${count(value)}`, SIZE.small, width - 16),
    colour: SERIES[at % SERIES.length],
  }));
  return [
    group(0, 0, width, height, [arc, middle], { data, scales }),
    ...legend(entries, 2 * radius + 28, width).marks,
  ];
}
