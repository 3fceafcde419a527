// Opens an age file with an implementation that is not ours (npm package age-encryption).
// usage: node open.mjs IDENTITY_FILE < sealed > opened
import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(process.env.AGE_MODULES + "/x.js"));
const { Decrypter } = await import(pathToFileURL(require.resolve("age-encryption")).href);
const identity = readFileSync(process.argv[2], "utf8").split("\n").find((line) => line.startsWith("AGE-SECRET-KEY-"));
const decrypter = new Decrypter();
decrypter.addIdentity(identity.trim());
const opened = await decrypter.decrypt(readFileSync(0));
for (let at = 0; at < opened.length; ) at += writeSync(1, opened, at);
