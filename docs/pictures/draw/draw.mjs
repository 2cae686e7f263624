// Draws each tab of the results from `answers.py` into a file of a folder.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as vega from "vega";

import { FONT } from "./look.mjs";
import { page } from "./page.mjs";

const [, , source, folder] = process.argv;
const answers = JSON.parse(readFileSync(source, "utf8"));

const rounded = (number) => String(Number(Number(number).toFixed(2)));

// Name the font once, remove classes, and round to two decimals.
function smaller(svg) {
  const tag = (text) =>
    text
      .replace(` font-family="${FONT}"`, "")
      .replace(/ (class|role|aria-[a-z]+)="[^"]*"/g, "")
      .replace(/\d+\.\d{3,}/g, rounded);
  return svg.replace(/<[^>]+>/g, tag).replace("<svg ", `<svg font-family="${FONT}" `);
}

for (const tab of answers.tabs) {
  const view = new vega.View(vega.parse(page(tab, answers)), { renderer: "none" });
  const name = tab.label.toLowerCase().replaceAll(" ", "-");
  writeFileSync(join(folder, `${name}.svg`), `${smaller(await view.toSVG())}\n`);
}
