// Modularity and clusters over the levels: images and controls in the same axes.

import * as Plot from "@observablehq/plot";
import { card, chart, plot } from "./chart";
import type { CurveGroup, Series } from "./data";
import { button, make } from "./dom";
import { downloadButton } from "./download";
import { counted, fixed } from "./format";
import { commonText, methodLabels, passes } from "./methods";
import { legendEntry, type LineStyle, lineSample, Signs, symbolSample } from "./signs";
import type { View } from "./state";

const HEIGHT = 240;
// Methods whose charts are shown before the reader asks for all.
const FIRST_METHODS = 6;

interface Point {
  level: number;
  mean: number | null;
  low: number | null;
  high: number | null;
}

/** The curves' section. */
export function drawCurves(view: View): (Node | null)[] {
  const { report, state } = view;
  const labels = methodLabels(report.curves.map((group) => group.method));
  const signs = new Signs(report);
  const kept = report.curves
    .map((group, at) => ({ group, label: labels[at] }))
    .filter(({ group }) => passes(group.method, state.filters));
  const shown = state.expanded.has("curves") ? kept : kept.slice(0, FIRST_METHODS);
  const limits = {
    modularity: commonLimit(report.curves.flatMap((group) => group.modularity)),
    clusters: commonLimit(report.curves.flatMap((group) => group.clusters)),
  };
  const common = commonText(report.curves.map((group) => group.method));
  return [
    make(
      "p",
      {},
      "The lines are means over images, the bands hold the middle 80 % of them; a higher level drops more of the edges. Symbols mark chosen levels, larger on more maps. ",
      common ? `All methods: ${common}.` : null,
    ),
    drawLegend(report.curves, signs),
    ...shown.map(({ group, label }) =>
      card(
        label,
        make(
          "div",
          { class: "beside" },
          chart(HEIGHT, (width) =>
            drawSeries(width, "modularity", label, group, limits.modularity, signs),
          ),
          chart(HEIGHT, (width) =>
            drawSeries(width, "clusters", label, group, limits.clusters, signs),
          ),
        ),
        make("p", { class: "note" }, chosenText(group)),
      ),
    ),
    kept.length ? null : make("p", { class: "note" }, "No method passes the filters."),
    make(
      "p",
      { class: "below" },
      shown.length < kept.length
        ? button("all curves", `Show all ${kept.length} methods`, () => {
            state.expanded.add("curves");
            view.refresh();
          })
        : null,
      downloadButton("curves", () => report.curves),
    ),
  ];
}

function drawSeries(
  width: number,
  quantity: "modularity" | "clusters",
  label: string,
  group: CurveGroup,
  limit: number,
  signs: Signs,
): Element {
  const series = group[quantity];
  const marks = [...series]
    // The images' line lies above those of the controls.
    .sort((one, other) => Number(other.control) - Number(one.control))
    .flatMap((each) => seriesMarks(points(each, group.levels), signs.ofSeries(each), each));
  const images = series.find((each) => !each.control);
  const chosen = group.chosen.map(({ selector, level, count }) => ({
    level,
    count,
    symbol: signs.ofSelector(selector),
    value: images ? nearest(images.mean, group.levels, level) : null,
    title: `${selector} chose level ${fixed(level, 3)} on ${counted(count, "map")}`,
  }));
  return plot(`${quantity} over levels, ${label}`, {
    width,
    height: HEIGHT,
    x: { label: "level", domain: [0, Math.max(...group.levels, 0)] },
    y: { label: quantity, domain: [0, limit], grid: true, ticks: 5, nice: true },
    r: { range: [0, 8], domain: [0, Math.max(1, ...group.chosen.map((each) => each.count))] },
    marks: [
      ...marks,
      Plot.ruleY([0], { strokeOpacity: 0.4 }),
      Plot.dot(chosen, {
        x: "level",
        y: "value",
        r: (each: { count: number }) => Math.max(each.count, 0),
        symbol: "symbol",
        stroke: "var(--text)",
        strokeWidth: 1.5,
        fill: "var(--page)",
        fillOpacity: 0.6,
        title: "title",
      }),
      ...(images
        ? [
            Plot.ruleX(
              points(images, group.levels),
              Plot.pointerX({ x: "level", py: "mean", stroke: "var(--faint)" }),
            ),
            Plot.text(
              points(images, group.levels),
              Plot.pointerX({
                px: "level",
                py: "mean",
                frameAnchor: "top-right",
                dy: -18,
                fill: "var(--text)",
                text: (point: Point) => readout(point.level, quantity, group, series),
              }),
            ),
          ]
        : []),
    ],
    symbol: { type: "identity" },
  });
}

function seriesMarks(data: Point[], style: LineStyle, series: Series): Plot.Markish[] {
  return [
    Plot.areaY(data, {
      x: "level",
      y1: "low",
      y2: "high",
      fill: style.colour,
      fillOpacity: series.control ? 0.12 : 0.2,
    }),
    Plot.lineY(data, {
      x: "level",
      y: "mean",
      stroke: style.colour,
      strokeWidth: series.control ? 1.75 : 2.5,
      strokeDasharray: style.dash,
    }),
  ];
}

function readout(level: number, quantity: string, group: CurveGroup, series: Series[]): string {
  const digits = quantity === "clusters" ? 1 : 2;
  const values = series.map(
    (each) => `${each.label} ${fixed(nearest(each.mean, group.levels, level), digits)}`,
  );
  return [`at ${fixed(level, 2)}`, ...values].join(", ");
}

function drawLegend(groups: CurveGroup[], signs: Signs): HTMLElement {
  const all = groups.flatMap((group) => group.modularity);
  const series = [...new Map(all.map((each) => [each.label, each])).values()];
  const selectors = new Set(groups.flatMap((group) => group.chosen.map((each) => each.selector)));
  return make(
    "p",
    { class: "legend" },
    ...series.map((each) => legendEntry(lineSample(signs.ofSeries(each)), each.label)),
    ...[...selectors].map((selector) =>
      legendEntry(symbolSample(signs.ofSelector(selector)), `chosen by ${selector}`),
    ),
  );
}

function chosenText(group: CurveGroup): string {
  const selectors = [...new Set(group.chosen.map((each) => each.selector))];
  if (!selectors.length) return "No level was chosen.";
  const texts = selectors.map((selector) => {
    const own = group.chosen.filter((each) => each.selector === selector);
    const levels = own.map((each) => each.level);
    const maps = own.reduce((sum, each) => sum + each.count, 0);
    const [least, most] = [Math.min(...levels), Math.max(...levels)];
    const where =
      least === most
        ? `level ${fixed(least, 2)}`
        : `levels ${fixed(least, 2)} to ${fixed(most, 2)}`;
    return `${selector} chose ${where} on ${counted(maps, "map")}`;
  });
  return `${texts.join("; ")}.`;
}

function points(series: Series, levels: number[]): Point[] {
  return levels.map((level, at) => ({
    level,
    mean: series.mean[at] ?? null,
    low: series.low[at] ?? null,
    high: series.high[at] ?? null,
  }));
}

function nearest(values: (number | null)[], levels: number[], level: number): number | null {
  let best = 0;
  levels.forEach((each, at) => {
    if (Math.abs(each - level) < Math.abs(levels[best] - level)) best = at;
  });
  return values[best] ?? null;
}

/** The same axis for all methods, so that they can be compared. */
function commonLimit(series: Series[]): number {
  const values = series.flatMap((each) => [...each.mean, ...each.high]);
  return Math.max(0, ...values.filter((value) => value !== null)) || 1;
}
