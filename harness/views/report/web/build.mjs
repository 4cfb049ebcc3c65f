// Writes report.js, report.css and the licences of what is in them, beside this folder.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = dirname(here);

/** The digest of the sources; a test compares it with the sources that lie here. */
function sourcesDigest() {
  const names = [
    "package-lock.json",
    ...readdirSync(join(here, "src")).map((name) => `src/${name}`),
  ];
  const digest = createHash("sha256");
  for (const name of names.sort())
    digest.update(`${name}\0`).update(readFileSync(join(here, name)));
  return digest.digest("hex");
}

/** The packages whose code is in the bundle, by name. */
function bundledPackages(metafile) {
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const names = inputs
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1])
    .filter(Boolean);
  return [...new Set(names)].sort();
}

function licence(name) {
  const folder = join(here, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = ["LICENSE", "LICENSE.md", "LICENCE"].find((each) => existsSync(join(folder, each)));
  if (!file) throw new Error(`${name} has no licence file`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
}

const { metafile, outputFiles } = await build({
  absWorkingDir: here,
  entryPoints: [
    { in: "src/main.ts", out: "report" },
    { in: "src/report.css", out: "report" },
  ],
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome120", "firefox121", "safari17.4"],
  legalComments: "none",
  charset: "utf8",
  outdir: target,
  metafile: true,
  write: false,
});
const head = `/*! attention-harness, MIT; its libraries are named in report.js.LICENSES.txt. Built by \`nox -s page\` from sources ${sourcesDigest()} */\n`;
for (const { path, text } of outputFiles)
  writeFileSync(path, path.endsWith(".js") ? head + text : text);
const licences = bundledPackages(metafile).map(licence);
const rule = `\n${"-".repeat(80)}\n\n`;
writeFileSync(
  join(target, "report.js.LICENSES.txt"),
  `report.js contains code of these packages.\n${rule}${licences.join(rule)}`,
);
