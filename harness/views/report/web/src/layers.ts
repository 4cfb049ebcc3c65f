// Layers and heads: heat maps, and curves over depth.

import * as Plot from "@observablehq/plot";
import { card, chart, plot } from "./chart";
import type { LayerFigures } from "./data";
import { button, choice, make } from "./dom";
import { downloadButton } from "./download";
import { fixed } from "./format";
import { methodLabels, passes } from "./methods";
import type { View } from "./state";

const CELL = 26;
const HEIGHT = 240;
const FIRST_METHODS = 4;
// Cells that are wide enough for their number.
const NUMBERED = 34;

type Limits = [number, number];
type HeatMap = LayerFigures["figures"][number];
type Depth = LayerFigures["depth"][number];

/** The section of layers and heads. */
export function drawLayers(layers: LayerFigures, view: View): (Node | null)[] {
  return [
    ...part("Layers × heads", "heat maps", layers.figures, view, (figure, label, limits) =>
      card(
        label,
        chart(heatHeight(layers), (width) => drawHeatMap(width, layers, figure, label, limits)),
      ),
    ),
    ...part("Over depth", "depth", layers.depth, view, (depth, label) =>
      card(
        label,
        chart(HEIGHT, (width) => drawDepth(width, layers, depth, label)),
        make("p", { class: "note" }, depth.band),
      ),
    ),
    make(
      "p",
      { class: "below" },
      downloadButton("layers", () => layers),
    ),
  ];
}

/** One figure of all methods at a time; the reader chooses which. */
function part<Figure extends HeatMap | Depth>(
  heading: string,
  key: string,
  figures: Figure[],
  view: View,
  drawOne: (figure: Figure, label: string, limits: Limits) => HTMLElement,
): (Node | null)[] {
  const { state } = view;
  const names = [...new Map(figures.map((each) => [each.name, each.heading]))];
  if (!names.length) return [];
  const chosen = names.find(([name]) => state.choices[key] === name) ?? names[0];
  const same = figures.filter((each) => each.name === chosen[0]);
  const labels = methodLabels(same.map((each) => each.method));
  const kept = same
    .map((figure, at) => ({ figure, label: labels[at] }))
    .filter(({ figure }) => passes(figure.method, state.filters));
  const shown = state.expanded.has(key) ? kept : kept.slice(0, FIRST_METHODS);
  const select = (name: string) => {
    state.choices[key] = name;
    view.refresh();
  };
  const limits = commonLimits(same);
  const options = names.map(([value, text]) => ({ value, text }));
  return [
    make("h3", {}, `${heading}: ${chosen[1]}`),
    names.length > 1 ? choice(key, "Figure", options, chosen[0], select) : null,
    make(
      "div",
      { class: "beside spaced" },
      ...shown.map(({ figure, label }) => drawOne(figure, label, limits)),
    ),
    kept.length ? null : make("p", { class: "note" }, "No method passes the filters."),
    shown.length < kept.length
      ? button(`all ${key}`, `Show all ${kept.length} methods`, () => {
          state.expanded.add(key);
          view.refresh();
        })
      : null,
  ];
}

function heatHeight(layers: LayerFigures): number {
  return 120 + CELL * layers.layers.length;
}

function drawHeatMap(
  width: number,
  layers: LayerFigures,
  figure: HeatMap,
  label: string,
  [low, high]: Limits,
): Element {
  const cells = layers.layers.flatMap((layer, row) =>
    layers.heads.map((head, column) => ({
      layer,
      head,
      value: figure.values[row]?.[column] ?? null,
    })),
  );
  const wide = width / Math.max(1, layers.heads.length) > NUMBERED;
  const middle = (low + high) / 2;
  return make(
    "div",
    {},
    plot(`${figure.heading} by layer and head, ${label}`, {
      width,
      height: heatHeight(layers) - 60,
      marginTop: 8,
      x: { label: "head", type: "band", domain: layers.heads, padding: 0.04 },
      y: { label: "layer", type: "band", domain: layers.layers, padding: 0.04, labelArrow: "none" },
      color: { type: "linear", scheme: "cividis", domain: [low, high], unknown: "var(--soft)" },
      marks: [
        Plot.cell(cells, {
          x: "head",
          y: "layer",
          fill: (cell) => cell.value ?? NaN,
          title: (cell) => `layer ${cell.layer}, head ${cell.head}: ${fixed(cell.value)}`,
        }),
        ...(wide
          ? [
              Plot.text(cells, {
                x: "head",
                y: "layer",
                text: (cell) => fixed(cell.value, 2),
                fill: (cell) => textColour(cell.value, middle),
                fontSize: 11,
              }),
            ]
          : []),
      ],
    }),
    Plot.legend({
      color: { type: "linear", scheme: "cividis", domain: [low, high] },
      label: figure.heading,
      width: Math.min(240, width),
      height: 46,
    }),
  );
}

function textColour(value: number | null, middle: number): string {
  if (value === null) return "var(--text)";
  return value > middle ? "black" : "white";
}

/** One scale of colours for all methods, so that they can be compared. */
function commonLimits(figures: (HeatMap | Depth)[]): Limits {
  const values = figures
    .flatMap((figure) => ("values" in figure ? figure.values.flat() : []))
    .filter((value) => value !== null);
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  return [low, high > low ? high : low + 1];
}

function drawDepth(width: number, layers: LayerFigures, depth: Depth, label: string): Element {
  const points = layers.layers.map((layer, at) => ({
    layer,
    mean: depth.mean[at],
    low: depth.low[at],
    high: depth.high[at],
  }));
  const colour = "var(--series-0)";
  return plot(`${depth.heading} over the layers, ${label}`, {
    width,
    height: HEIGHT,
    x: { label: "layer", type: "linear", ticks: layers.layers.slice(0, 24), tickFormat: "d" },
    y: { label: depth.heading, grid: true, zero: true, ticks: 5, nice: true },
    marks: [
      Plot.areaY(points, { x: "layer", y1: "low", y2: "high", fill: colour, fillOpacity: 0.2 }),
      Plot.ruleY([0], { strokeOpacity: 0.4 }),
      Plot.lineY(points, { x: "layer", y: "mean", stroke: colour, strokeWidth: 2.5 }),
      Plot.dot(points, {
        x: "layer",
        y: "mean",
        r: 3.5,
        fill: colour,
        title: (point) => `layer ${point.layer}: ${fixed(point.mean)}`,
      }),
    ],
  });
}
