// Draws each tab of the answers, which `answers.py` made, into a file of a folder.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as vega from "vega";

import { page } from "./page.mjs";

const [, , source, folder] = process.argv;
const answers = JSON.parse(readFileSync(source, "utf8"));

for (const tab of answers.tabs) {
  const view = new vega.View(vega.parse(page(tab, answers)), { renderer: "none" });
  const name = tab.label.toLowerCase().replaceAll(" ", "-");
  writeFileSync(join(folder, `${name}.svg`), `${await view.toSVG()}\n`);
}
