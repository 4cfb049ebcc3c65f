// An interval as a bar on a scale that a column's rows share.

import type { Column, Table } from "./data";
import { draw, make } from "./dom";
import { interval } from "./format";

export interface BarScale {
  low: number;
  high: number;
}

const WIDTH = 90;
const HEIGHT = 16;
const INSET = 4;

/** From the smallest end to the largest, with 0; null if no row has an interval. */
export function barScale(table: Table, column: Column): BarScale | null {
  const at = [column.low, column.high, column.estimate].map((name) =>
    table.columns.findIndex((each) => each.name === name),
  );
  const values = table.rows
    .flatMap((row) => at.map((place) => row[place]))
    .filter((cell) => typeof cell === "number");
  if (!values.length) return null;
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  return high > low ? { low, high } : null;
}

/** The bar from low to high with a dot at the estimate, and the ends as text. */
export function drawBar(
  scale: BarScale | null,
  low: number | null,
  high: number | null,
  estimate: number | null,
): HTMLElement {
  const text = make("span", { class: "ends" }, interval(low, high));
  if (scale === null || (low === null && high === null && estimate === null)) return text;
  const at = (value: number) =>
    INSET + ((WIDTH - 2 * INSET) * (value - scale.low)) / (scale.high - scale.low);
  const bar = draw("svg", {
    class: "bar",
    width: WIDTH,
    height: HEIGHT,
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    "aria-hidden": "true",
  });
  bar.append(draw("line", { class: "zero", x1: at(0), x2: at(0), y1: 0, y2: HEIGHT }));
  if (low !== null && high !== null) {
    bar.append(
      draw("rect", { x: at(low), y: 5, width: Math.max(1, at(high) - at(low)), height: 6, rx: 2 }),
    );
  }
  if (estimate !== null) bar.append(draw("circle", { cx: at(estimate), cy: 8, r: 3.5 }));
  return make("span", { class: "interval" }, bar, text);
}
