// The lines of controls and the symbols of selectors, the same in all charts of a report.

import * as Plot from "@observablehq/plot";
import type { Report, Series } from "./data";
import { draw, make } from "./dom";

const DASHES = ["6 3", "2 2", "8 2 2 2", "1 3", "10 4"];
const SYMBOLS = ["circle", "square", "triangle", "diamond", "star", "wye"] as const;

export type SymbolName = (typeof SYMBOLS)[number];

/** How a line is drawn: a dash says the same as the colour, which the style sheet sets. */
export interface LineStyle {
  colour: string;
  dash: string;
}

export const IMAGES: LineStyle = { colour: "var(--series-0)", dash: "none" };

export class Signs {
  private readonly controls: string[];
  private readonly selectors: string[];

  constructor({ curves, pvalues, gallery }: Report) {
    const drawn = curves.flatMap((group) =>
      group.modularity.filter((series) => series.control).map((series) => series.label),
    );
    this.controls = [...new Set([...drawn, ...pvalues.map((each) => each.control)])];
    const chosen = curves.flatMap((group) => group.chosen.map((each) => each.selector));
    this.selectors = [
      ...new Set([...chosen, ...gallery.methods.map((method) => method.selector ?? "")]),
    ];
  }

  ofControl(control: string): LineStyle {
    const at = Math.max(0, this.controls.indexOf(control)) % DASHES.length;
    return { colour: `var(--series-${at + 1})`, dash: DASHES[at] };
  }

  ofSeries(series: Series): LineStyle {
    return series.control ? this.ofControl(series.label) : IMAGES;
  }

  ofSelector(selector: string): SymbolName {
    return SYMBOLS[Math.max(0, this.selectors.indexOf(selector)) % SYMBOLS.length];
  }
}

/** A line as the charts draw it. */
export function lineSample({ colour, dash }: LineStyle): SVGSVGElement {
  const sample = draw("svg", { class: "sample", viewBox: "0 0 32 10", "aria-hidden": "true" });
  const line = { x1: 0, x2: 32, y1: 5, y2: 5, stroke: colour, "stroke-dasharray": dash };
  sample.append(draw("line", { ...line, "stroke-width": 2.5 }));
  return sample;
}

/** A symbol as the charts draw it. */
export function symbolSample(symbol: SymbolName): SVGSVGElement {
  const marks = [Plot.dot([0], { x: 8, y: 8, symbol, r: 5, stroke: "var(--text)" })];
  const sample = Plot.plot({
    marks,
    axis: null,
    margin: 0,
    width: 16,
    height: 16,
    x: { type: "identity" },
    y: { type: "identity" },
  }) as SVGSVGElement & Plot.Plot;
  sample.setAttribute("class", "sign");
  sample.setAttribute("aria-hidden", "true");
  return sample;
}

/** An entry of a legend. */
export function legendEntry(sample: SVGSVGElement, text: string): HTMLElement {
  return make("span", { class: "entry" }, sample, text);
}
