// Failures with their reasons.

import type { FailureGroup } from "./data";
import { list, make } from "./dom";
import { count, counted } from "./format";

/** Failures by their reasons, the most frequent first. */
export function drawFailures(failures: FailureGroup[]): HTMLElement {
  const ordered = [...failures].sort((one, other) => other.count - one.count);
  return make(
    "ul",
    { class: "failures" },
    ...ordered.map(({ reason, where, count: times, examples }) =>
      make(
        "li",
        {},
        make("strong", {}, `${count(times)} × `),
        make("span", { class: "reason" }, reason),
        where ? ` (${where})` : null,
        examples.length
          ? make(
              "details",
              { "data-key": `examples ${where} ${reason}` },
              make("summary", {}, counted(examples.length, "example")),
              list(examples),
            )
          : null,
      ),
    ),
  );
}
