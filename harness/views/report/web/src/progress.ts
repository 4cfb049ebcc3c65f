// How far a live run is.

import type { ProgressState } from "./data";
import { make } from "./dom";
import { count, duration } from "./format";

/** The progress of a run; its failed cells lead to the section of failures, if there is one. */
export function drawProgress(progress: ProgressState, explained: boolean): (Node | null)[] {
  const { done, failed, skipped, total, secondsLeft, finished, steps } = progress;
  const ended = done + failed + skipped;
  const failures = `${count(failed)} failed`;
  const rest = finished ? "" : `, ${count(Math.max(0, total - ended))} to come`;
  const left = secondsLeft === null || finished ? "" : `; about ${duration(secondsLeft)} left`;
  return [
    make("progress", {
      max: Math.max(1, total),
      value: ended,
      "aria-label": "cells that have ended",
    }),
    make(
      "p",
      { class: "lead" },
      finished ? "Finished. " : "",
      `${count(done)} of ${count(total)} cells done, `,
      explained ? make("a", { href: "#failures", "data-key": "failed" }, failures) : failures,
      skipped ? `, ${count(skipped)} skipped` : "",
      `${rest}${left}.`,
    ),
    steps ? make("p", {}, steps) : null,
  ];
}
