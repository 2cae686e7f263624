// Azurite's blob service for one test process: ends when standard input closes, which it does
// however that process ends.
process.stdin.on("end", () => process.exit(0));
process.stdin.resume();
require("azurite/dist/src/blob/main.js");
