// The p values of every method against the uniform distribution that they have on noise.

import * as Plot from "@observablehq/plot";
import { card, chart, plot } from "./chart";
import type { PValues } from "./data";
import { button, make } from "./dom";
import { downloadButton } from "./download";
import { pText } from "./format";
import { methodLabels, passes } from "./methods";
import { legendEntry, lineSample, Signs } from "./signs";
import type { View } from "./state";

const HEIGHT = 240;
const FIRST_METHODS = 6;

/** The p values' section. */
export function drawPValues(view: View): (Node | null)[] {
  const { report, state } = view;
  const methods = [...Map.groupBy(report.pvalues, (each) => JSON.stringify(each.method)).values()];
  const labels = methodLabels(methods.map(([first]) => first.method));
  const signs = new Signs(report);
  const kept = methods
    .map((all, at) => ({
      label: labels[at],
      values: all.filter((each) =>
        passes({ ...each.method, control: each.control }, state.filters),
      ),
    }))
    .filter(({ values }) => values.length > 0);
  const shown = state.expanded.has("p values") ? kept : kept.slice(0, FIRST_METHODS);
  const controls = [...new Set(report.pvalues.map((each) => each.control))];
  return [
    make(
      "p",
      {},
      "For every p, the fraction of maps that have this p or a smaller one. Noise follows the diagonal; a line above it at the left shows more small p values than chance gives. The dotted line is the smallest p that the number of draws allows.",
    ),
    make(
      "p",
      { class: "legend" },
      ...controls.map((control) => legendEntry(lineSample(signs.ofControl(control)), control)),
    ),
    make(
      "div",
      { class: "beside three" },
      ...shown.map(({ label, values }) =>
        card(
          label,
          chart(HEIGHT, (width) => drawMethod(width, label, values, signs)),
        ),
      ),
    ),
    kept.length ? null : make("p", { class: "note" }, "No method passes the filters."),
    make(
      "p",
      { class: "below" },
      shown.length < kept.length
        ? button("all p values", `Show all ${kept.length} methods`, () => {
            state.expanded.add("p values");
            view.refresh();
          })
        : null,
      downloadButton("p-values", () => report.pvalues),
    ),
  ];
}

function drawMethod(width: number, label: string, values: PValues[], signs: Signs): Element {
  const lines = values.map((each) => {
    const { colour, dash } = signs.ofControl(each.control);
    return Plot.line(steps(each.values), {
      x: "p",
      y: "fraction",
      curve: "step-after",
      stroke: colour,
      strokeDasharray: dash,
      strokeWidth: 2,
    });
  });
  const smallest = [...new Set(values.map((each) => each.smallest))];
  return plot(`p values of ${label} against the uniform distribution`, {
    width,
    height: HEIGHT,
    x: { label: "p", domain: [0, 1] },
    y: { label: "fraction of maps", domain: [0, 1], grid: true, ticks: 5 },
    marks: [
      Plot.line(
        [
          [0, 0],
          [1, 1],
        ],
        { stroke: "var(--faint)" },
      ),
      Plot.ruleX(smallest, {
        stroke: "var(--text)",
        strokeDasharray: "1 3",
        title: (p: number) => `the smallest p that there can be: ${pText(p)}`,
      }),
      ...lines,
    ],
  });
}

/** The empirical distribution of p values, from (0, 0) to (1, 1). */
function steps(values: number[]): { p: number; fraction: number }[] {
  const ordered = [...values].sort((one, other) => one - other);
  const inner = ordered.map((p, at) => ({ p, fraction: (at + 1) / ordered.length }));
  return [{ p: 0, fraction: 0 }, ...inner, { p: 1, fraction: 1 }];
}
