// A service of Azurite, `blob` or `queue`, for one test process: ends when standard input closes, which it does
// however that process ends.
process.stdin.on("end", () => process.exit(0));
process.stdin.resume();
require(`azurite/dist/src/${process.env.AZURITE_SERVICE}/main.js`);
