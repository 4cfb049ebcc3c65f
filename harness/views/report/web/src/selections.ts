// What the selectors chose in one sweep, with tests and stability.

import type { Sweep } from "./data";
import { make } from "./dom";
import { fixed, pText } from "./format";
import { legendEntry, type Signs, symbolSample } from "./signs";

type Selection = Sweep["selections"][number];

/** A block for every selector. */
export function drawSelections(sweep: Sweep, signs: Signs): HTMLElement {
  return make(
    "div",
    { class: "selections" },
    ...sweep.selections.map((selection) =>
      make(
        "div",
        { class: "selection" },
        make(
          "h3",
          {},
          legendEntry(symbolSample(signs.ofSelector(selection.selector)), selection.selector),
        ),
        make("p", {}, choiceText(selection, sweep)),
        selection.tests.length ? drawTests(selection) : null,
        stabilityText(selection) ? make("p", {}, stabilityText(selection)) : null,
      ),
    ),
  );
}

function choiceText(selection: Selection, sweep: Sweep): string {
  if (selection.level === null) {
    return `No level${selection.reason ? `: ${selection.reason}` : ""}.`;
  }
  const plateau = selection.plateau
    ? `, from the plateau ${selection.plateau.map((index) => fixed(sweep.levels[index])).join(" to ")}`
    : "";
  const accepted = selection.accepted
    ? ""
    : ` It does not accept it as structure${selection.reason ? `: ${selection.reason}` : ""}.`;
  const effect = selection.effect === null ? "" : ` Effect ${fixed(selection.effect)}.`;
  return `Level ${fixed(sweep.levels[selection.level])}${plateau}.${accepted}${effect}`;
}

function drawTests(selection: Selection): HTMLElement {
  const head = ["control", "p", "q", "z"].map((name) => make("th", { scope: "col" }, name));
  const rows = selection.tests.map((test) =>
    make(
      "tr",
      {},
      make("td", { class: "text" }, test.control),
      ...[pText(test.p), pText(test.q), fixed(test.z, 1)].map((text) =>
        make("td", { class: "figure" }, text),
      ),
    ),
  );
  return make(
    "table",
    {},
    make("caption", { class: "hidden" }, `Tests of ${selection.selector}`),
    make("thead", {}, make("tr", {}, ...head)),
    make("tbody", {}, ...rows),
  );
}

function stabilityText(selection: Selection): string {
  if (!selection.stability.length) return "";
  const kinds = selection.stability.map(({ kind, jaccard }) => `${kind} ${fixed(jaccard, 2)}`);
  return `Stability (adjusted Jaccard): ${kinds.join(", ")}.`;
}
