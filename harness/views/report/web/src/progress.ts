// How far a live run is.

import type { ProgressState } from "./data";
import { make } from "./dom";
import { count, duration } from "./format";
import { drawFailures } from "./failures";

/** The progress of a run, and its failures so far. */
export function drawProgress(progress: ProgressState): (Node | null)[] {
  const { done, failed, total, secondsLeft, finished, steps, failures } = progress;
  const rest = Math.max(0, total - done - failed);
  const left = secondsLeft === null || finished ? "" : `; about ${duration(secondsLeft)} left`;
  const cells = `${count(done)} of ${count(total)} cells done, ${count(failed)} failed, ${count(rest)} to come${left}.`;
  return [
    make("progress", {
      max: Math.max(1, total),
      value: done + failed,
      "aria-label": "cells that have ended",
    }),
    make("p", { class: "lead" }, finished ? `Finished. ${cells}` : cells),
    steps ? make("p", {}, steps) : null,
    failures.length ? drawFailures(failures) : null,
  ];
}
