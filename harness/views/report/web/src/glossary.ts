// What the glossary says of a column.

import type { Report } from "./data";

/** The heading and the explanation of a name; the name itself and nothing if there are none. */
export function glossaryEntry(report: Report, name: string): { heading: string; text: string } {
  // Scores are called by their plugins, maybe as something that every object has.
  return Object.hasOwn(report.glossary, name)
    ? report.glossary[name]
    : { heading: name.replaceAll("_", " "), text: "" };
}
