// A headless Chromium that comes in a package, so that nothing has to be installed on the machine.

import { mkdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// It unpacks itself into the temporary folder, where another version of it may lie.
const { dependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const version = dependencies["@sparticuz/chromium"];
process.env.TMPDIR = join(tmpdir(), `proofpoint-sentinel-chromium-${version}`);
mkdirSync(process.env.TMPDIR, { recursive: true });

// The package was made for a place that has none of the libraries and fonts that a browser needs. There
// it brings its own along, which it recognises by this.
process.env.AWS_EXECUTION_ENV = "AWS_Lambda_nodejs20.x";

const { default: chromium } = await import("@sparticuz/chromium");
const { chromium: playwright } = await import("playwright-core");

export async function launch() {
  const executablePath = await chromium.executablePath();
  return playwright.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
}
