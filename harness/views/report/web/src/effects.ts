// The effect of every method with its interval, and those of the images.

import * as Plot from "@observablehq/plot";
import { chart, plot } from "./chart";
import type { EffectRow } from "./data";
import { make } from "./dom";
import { downloadButton } from "./download";
import { counted, fixed, interval } from "./format";
import { methodLabels, passes } from "./methods";
import type { View } from "./state";

const ROW = 44;
// Charts that are narrower have their labels above the rows.
const NARROW = 560;

/** The effects' section. */
export function drawEffects(view: View): (Node | null)[] {
  const { report, state } = view;
  const labels = methodLabels(report.effects.map((row) => row.method));
  const rows = report.effects
    .map((row, at) => ({ ...row, label: labels[at] }))
    .filter((row) => row.effect !== null && passes(row.method, state.filters));
  const modularity = report.effects.every((row) => row.figure === "modularity");
  const omitted = rows.reduce((sum, row) => sum + (row.omitted ?? 0), 0);
  return [
    make("p", {}, modularity ? OF_MODULARITY : OF_EFFECT),
    rows.length
      ? chart(heightOf(rows), (width) =>
          drawRows(width, rows, modularity ? "modularity" : "effect"),
        )
      : make("p", { class: "note" }, "No method passes the filters."),
    omitted
      ? make("p", { class: "note" }, `${counted(omitted, "dot")} of images are left out.`)
      : null,
    make(
      "p",
      { class: "below" },
      downloadButton("effects", () => report.effects),
    ),
  ];
}

const OF_EFFECT =
  "The large dot is a method's mean effect over images, the bar its 95 % interval; every small dot is an image. At 0, an image clusters no better than the control.";
const OF_MODULARITY =
  "The large dot is a method's mean modularity over images, the bar its 95 % interval; every small dot is an image. Without a control, nothing says whether noise would do as well.";

type Row = EffectRow & { label: string };

function heightOf(rows: Row[]): number {
  return 60 + ROW * rows.length;
}

function drawRows(width: number, rows: Row[], figure: string): Element {
  const narrow = width < NARROW;
  const longest = Math.max(...rows.map((row) => row.label.length));
  const margin = narrow ? 8 : Math.min(16 + 7 * longest, width * 0.35);
  const images = rows.flatMap((row) =>
    row.images.map(([name, effect]) => ({ label: row.label, name, effect })),
  );
  return plot(`${figure} of every method with its interval`, {
    width,
    height: heightOf(rows),
    marginLeft: margin,
    marginTop: 10,
    x: { label: figure, grid: true, ticks: Math.min(8, Math.floor(width / 90)) },
    y: { label: null, axis: null, domain: rows.map((row) => row.label), padding: 0.3 },
    marks: [
      narrow
        ? Plot.text(rows, { y: "label", text: "label", frameAnchor: "left", dy: -15 })
        : Plot.axisY({
            lineWidth: margin / 12,
            textOverflow: "ellipsis",
            tickSize: 0,
            label: null,
          }),
      Plot.ruleX([0], { stroke: "var(--text)" }),
      Plot.dot(images, {
        x: "effect",
        y: "label",
        dy: 9,
        r: 3,
        fill: "var(--series-0)",
        fillOpacity: 0.5,
        title: (each) => `${each.name}: ${fixed(each.effect)}`,
      }),
      Plot.link(rows, {
        x1: "low",
        x2: "high",
        y1: "label",
        y2: "label",
        stroke: "var(--text)",
        strokeWidth: 2.5,
      }),
      Plot.dot(rows, {
        x: "effect",
        y: "label",
        r: 5.5,
        fill: "var(--text)",
        stroke: "var(--page)",
        title: (row) =>
          `${row.label}: ${fixed(row.effect)} (95 %: ${interval(row.low, row.high, 3)})`,
      }),
    ],
  });
}
