// The sections of the page, in their order, and what each is drawn from.

import { drawCurves } from "./curves";
import type { Report } from "./data";
import { list, make, prose } from "./dom";
import { downloadButton } from "./download";
import { drawEffects } from "./effects";
import { drawFailures } from "./failures";
import { drawFilters, offeredFilters } from "./filters";
import { drawGallery } from "./gallery";
import { drawLayers } from "./layers";
import { drawProgress } from "./progress";
import { drawPValues } from "./pvalues";
import type { View } from "./state";
import { drawTable } from "./table";

export interface Section {
  id: string;
  heading: string;
  /** What it is drawn from; null if the report has no such section. */
  data(report: Report): unknown;
  draw(view: View): (Node | null)[];
}

export const SECTIONS: Section[] = [
  {
    id: "progress",
    heading: "Progress",
    data: ({ progress, failures }) => progress && [progress, failures.length > 0],
    draw: ({ report }) =>
      report.progress ? drawProgress(report.progress, report.failures.length > 0) : [],
  },
  {
    id: "answer",
    heading: "Answer",
    data: ({ answer }) => present(answer),
    draw: ({ report }) => [
      make("p", { class: "lead" }, ...prose(report.answer[0])),
      ...report.answer.slice(1).map((sentence) => make("p", {}, ...prose(sentence))),
    ],
  },
  {
    id: "compared",
    heading: "What was compared",
    data: ({ compared }) => present(compared),
    draw: ({ report }) => [list(report.compared)],
  },
  {
    id: "limits",
    heading: "What this does not show",
    data: ({ limits }) => present(limits),
    draw: ({ report }) => [list(report.limits)],
  },
  {
    // Drawn apart from the tables: new figures must not close a list that the reader has opened.
    id: "filters",
    heading: "Filters",
    data: (report) => present(offeredFilters(report)),
    draw: (view) => [drawFilters(view)],
  },
  {
    id: "leaderboard",
    heading: "Leaderboard",
    data: ({ leaderboard, tests, scores, heads }) => [leaderboard, tests, scores, heads],
    draw: (view) => {
      const { leaderboard, tests, scores, heads } = view.report;
      return [
        drawTable("leaderboard", "Methods", leaderboard, view),
        tests.rows.length ? drawTable("tests", "Tests against each control", tests, view) : null,
        scores ? drawTable("scores", "Scores", scores, view) : null,
        heads ? drawTable("heads", "Heads", heads, view) : null,
      ];
    },
  },
  {
    id: "failures",
    heading: "Failures",
    data: ({ failures }) => present(failures),
    draw: ({ report }) => [
      drawFailures(report.failures),
      make(
        "p",
        { class: "below" },
        downloadButton("failures", () => report.failures),
      ),
    ],
  },
  {
    id: "comparison",
    heading: "Comparison",
    data: ({ comparison }) => comparison,
    draw: (view) => {
      const { comparison } = view.report;
      if (!comparison) return [];
      const caption = `${comparison.names[0]} and ${comparison.names[1]}`;
      return [list(comparison.notes), drawTable("comparison", caption, comparison.table, view)];
    },
  },
  {
    id: "effects",
    heading: "Effects",
    data: ({ effects }) => (effects.some((row) => row.effect !== null) ? effects : null),
    draw: drawEffects,
  },
  {
    id: "curves",
    heading: "Curves",
    data: ({ curves }) => present(curves),
    draw: drawCurves,
  },
  {
    id: "p-values",
    heading: "p values",
    data: ({ pvalues }) => present(pvalues),
    draw: drawPValues,
  },
  {
    id: "layers",
    heading: "Layers and heads",
    data: ({ layers }) => (layers?.figures.length || layers?.depth.length ? layers : null),
    draw: (view) => (view.report.layers ? drawLayers(view.report.layers, view) : []),
  },
  {
    id: "gallery",
    heading: "Gallery",
    data: ({ gallery }) => (gallery.images.length ? gallery : null),
    draw: drawGallery,
  },
  {
    id: "provenance",
    heading: "Provenance",
    data: ({ provenance }) => present(provenance),
    draw: ({ report }) => [
      ...report.provenance.flatMap(({ command, facts }) => [
        make("p", {}, "The command:"),
        make("pre", { tabindex: 0 }, make("code", {}, command)),
        make(
          "dl",
          { class: "facts" },
          ...facts.map(([name, value]) =>
            make("div", {}, make("dt", {}, name), make("dd", {}, value)),
          ),
        ),
      ]),
      make(
        "p",
        { class: "below" },
        downloadButton("report", () => report, "Download all data of this page"),
      ),
    ],
  },
];

function present<Item>(items: Item[]): Item[] | null {
  return items.length ? items : null;
}
