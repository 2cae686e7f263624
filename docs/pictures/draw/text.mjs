// The width of texts, and the format of values.

// Without a browser, text cannot be measured. Fonts differ between readers, so estimate a bit wide.
const WIDTHS = { narrow: 0.33, usual: 0.6, capital: 0.7, wide: 0.95, ideograph: 1.05 };

const widthOf = (letter) => {
  if (/[ijltfrI.,:;'|!()[\]/ -]/.test(letter)) return WIDTHS.narrow;
  if (/[mwMW@%]/.test(letter)) return WIDTHS.wide;
  if (letter.codePointAt(0) > 0x2e80) return WIDTHS.ideograph;
  return /[A-Z_]/.test(letter) ? WIDTHS.capital : WIDTHS.usual;
};

const BOLDER = 1.15;

export const boldWidth = (text, size) => textWidth(text, size) * BOLDER;

export const textWidth = (text, size) =>
  [...text].reduce((sum, letter) => sum + widthOf(letter), 0) * size;

// The text, shortened with an ellipsis to fit a width.
export function shortened(text, size, width) {
  if (textWidth(text, size) <= width) return text;
  const letters = [...text];
  while (letters.length && textWidth(`${letters.join("")}…`, size) > width) letters.pop();
  return `${letters.join("").trimEnd()}…`;
}

// The text in lines that fit a width.
export function wrapped(text, size, width, measure = textWidth) {
  const lines = [];
  for (const word of text.split(/\s+/)) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && measure(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

export const time = (stamp) => stamp.slice(0, 19).replace("T", " ");

const BYTES = ["B", "KB", "MB", "GB", "TB"];

export function bytes(count) {
  const power = count < 1 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), BYTES.length - 1);
  return `${(count / 1000 ** power).toFixed(power ? 1 : 0)} ${BYTES[power]}`;
}

export const count = (number) => number.toLocaleString("en-US", { maximumFractionDigits: 1 });

// A cell of a table as text.
export function written(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return count(value);
  if (value.time) return time(value.time);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
