// The profile of one sweep: modularity over the levels, with noise, chosen levels and a cursor.

import * as Plot from "@observablehq/plot";
import { plot } from "./chart";
import type { Sweep } from "./data";
import { draw } from "./dom";
import { IMAGES, type Signs } from "./signs";

const HEIGHT = 190;

export interface Profile {
  element: Element;
  /** Move the cursor to a level. */
  moveTo(index: number): void;
}

/** A profile whose levels can be pressed. */
export function drawProfile(
  sweep: Sweep,
  signs: Signs,
  width: number,
  pressed: (index: number) => void,
): Profile {
  const at = (values: (number | null)[]) =>
    sweep.levels.map((level, index) => ({ level, value: values[index] ?? null }));
  const noise = sweep.noise.flatMap((each) => {
    const { colour, dash } = signs.ofControl(each.control);
    const bands = sweep.levels.map((level, index) => ({
      level,
      low: each.low[index] ?? null,
      high: each.high[index] ?? null,
    }));
    return [
      Plot.areaY(bands, { x: "level", y1: "low", y2: "high", fill: colour, fillOpacity: 0.15 }),
      Plot.lineY(at(each.mean), {
        x: "level",
        y: "value",
        stroke: colour,
        strokeWidth: 1.5,
        strokeDasharray: dash,
      }),
    ];
  });
  const chosen = sweep.selections
    .filter((each) => each.level !== null)
    .map((each) => ({
      level: sweep.levels[each.level ?? 0],
      value: sweep.modularity[each.level ?? 0],
      symbol: signs.ofSelector(each.selector),
      title: `${each.selector}: level ${sweep.levels[each.level ?? 0].toFixed(3)}`,
    }));
  const plateaus = sweep.selections
    .filter((each) => each.plateau !== null)
    .map(({ plateau }) => ({
      from: sweep.levels[plateau?.[0] ?? 0],
      to: sweep.levels[plateau?.[1] ?? 0],
    }));
  const figure = plot("modularity over levels, with that of the controls", {
    width,
    height: HEIGHT,
    symbol: { type: "identity" },
    marginTop: 18,
    x: { label: "level", domain: [0, Math.max(...sweep.levels, 0)] },
    y: { label: "modularity", grid: true, zero: true, ticks: 4, nice: true },
    marks: [
      Plot.rectX(plateaus, { x1: "from", x2: "to", fill: "var(--text)", fillOpacity: 0.07 }),
      ...noise,
      Plot.lineY(at(sweep.modularity), {
        x: "level",
        y: "value",
        stroke: IMAGES.colour,
        strokeWidth: 2.5,
      }),
      Plot.dot(chosen, {
        x: "level",
        y: "value",
        r: 5,
        symbol: "symbol",
        stroke: "var(--text)",
        strokeWidth: 1.5,
        title: "title",
      }),
    ],
  }) as SVGSVGElement & Plot.Plot;
  return withCursor(figure, sweep, pressed);
}

function withCursor(
  figure: SVGSVGElement & Plot.Plot,
  sweep: Sweep,
  pressed: (index: number) => void,
): Profile {
  const scale = figure.scale("x");
  const cursor = draw("line", { class: "cursor", y1: 18, y2: HEIGHT - 34 });
  figure.append(cursor);
  const place = (index: number) => scale?.apply(sweep.levels[index]) as number;
  const nearest = (x: number) =>
    sweep.levels.reduce(
      (best, _, index) => (Math.abs(place(index) - x) < Math.abs(place(best) - x) ? index : best),
      0,
    );
  const press = (event: PointerEvent) => {
    const box = figure.getBoundingClientRect();
    pressed(nearest(((event.clientX - box.left) * figure.viewBox.baseVal.width) / box.width));
  };
  figure.addEventListener("pointerdown", press);
  figure.addEventListener("pointermove", (event) => {
    if (event.buttons) press(event);
  });
  return {
    element: figure,
    moveTo(index) {
      cursor.setAttribute("x1", String(place(index)));
      cursor.setAttribute("x2", String(place(index)));
    },
  };
}
