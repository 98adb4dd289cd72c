// Reads codes as the client library does: for each {field, typed} on the standard input, prints the code or null.
// The first argument is the path of api.js.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { readBackupCode, readTotpCode } = await import(pathToFileURL(process.argv[2]).href);
const READERS = { code: readTotpCode, backupCode: readBackupCode };
const examples = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(examples.map(({ field, typed }) => READERS[field](typed))));
