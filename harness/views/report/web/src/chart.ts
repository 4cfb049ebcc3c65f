// What all charts share.

import * as Plot from "@observablehq/plot";
import { make, replace } from "./dom";
import { lazily } from "./lazily";

/** A place for a chart of some height, whose content is drawn when it comes into sight. */
export function chart(height: number, content: (width: number) => Element): HTMLElement {
  const place = make("div", { class: "chart" });
  place.style.minHeight = `${height}px`;
  lazily(place, (width) => replace(place, content(width)));
  return place;
}

/** A chart in the page's style. The description tells those who do not see it what it shows. */
export function plot(description: string, options: Plot.PlotOptions): Element & Plot.Plot {
  const drawn = Plot.plot({
    ariaLabel: description,
    marginLeft: 44,
    marginRight: 12,
    marginTop: 22,
    marginBottom: 34,
    ...options,
    style: { fontSize: "12px", fontFamily: "inherit", background: "none", overflow: "visible" },
  });
  // One image with one description, not one for every mark.
  drawn.setAttribute("role", "img");
  for (const mark of drawn.querySelectorAll("g[aria-label]")) mark.removeAttribute("aria-label");
  return drawn;
}

/** Charts under a heading. */
export function card(heading: string, ...content: (Node | null)[]): HTMLElement {
  return make("div", { class: "card" }, heading ? make("h3", {}, heading) : null, ...content);
}
