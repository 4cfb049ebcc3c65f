// One row of filters, which holds for all tables and charts.

import type { Column, Report, Table } from "./data";
import { button, choice, make } from "./dom";
import { glossaryEntry } from "./glossary";
import { type Filters, type Method, passes } from "./methods";
import type { View } from "./state";

/** The filters' row; nothing if there is nothing to choose from. */
export function drawFilters(view: View): HTMLElement | null {
  const offered = offeredFilters(view.report);
  if (!offered.size) return null;
  const filters = view.state.filters;
  const choices = [...offered].map(([name, values]) =>
    choice(
      `filter ${name}`,
      glossaryEntry(view.report, name).heading,
      [{ value: "", text: "all" }, ...values.map((value) => ({ value, text: value }))],
      filters[name] ?? "",
      (value) => {
        if (value === "") delete filters[name];
        else filters[name] = value;
        view.refresh();
      },
    ),
  );
  const reset = button("filter reset", "Show all", () => {
    view.state.filters = {};
    view.refresh();
  });
  reset.disabled = Object.keys(filters).length === 0;
  return make(
    "div",
    { class: "filters", role: "group", "aria-label": "Filters of all tables and charts" },
    ...choices,
    reset,
  );
}

/** A table's rows that pass the filters. */
export function filteredRows(table: Table, filters: Filters): Table["rows"] {
  const columns = filterColumns(table);
  return table.rows.filter((row) => passes(methodOfRow(columns, table, row), filters));
}

function offeredFilters(report: Report): Map<string, string[]> {
  const offered = new Map<string, Set<string>>();
  const offer = (method: Method) => {
    for (const [name, value] of Object.entries(method)) {
      if (!offered.has(name)) offered.set(name, new Set());
      if (value !== "") offered.get(name)?.add(value);
    }
  };
  for (const table of [report.leaderboard, report.tests, report.scores, report.heads]) {
    if (table === null) continue;
    const columns = filterColumns(table);
    table.rows.forEach((row) => offer(methodOfRow(columns, table, row)));
  }
  report.curves.forEach((group) => offer(group.method));
  report.effects.forEach((row) => offer(row.method));
  report.layers?.figures.forEach((figure) => offer(figure.method));
  const several = [...offered].filter(([, values]) => values.size > 1);
  return new Map(several.map(([name, values]) => [name, ordered(values)]));
}

function ordered(values: Set<string>): string[] {
  const texts = [...values];
  return texts.every((text) => /^\d+$/.test(text))
    ? texts.sort((one, other) => Number(one) - Number(other))
    : texts;
}

function filterColumns(table: Table): Column[] {
  return table.columns.filter((column) => column.filter);
}

function methodOfRow(columns: Column[], table: Table, row: Table["rows"][number]): Method {
  return Object.fromEntries(
    columns.map((column) => {
      const cell = row[table.columns.indexOf(column)];
      return [column.name, cell === null ? "" : String(cell)];
    }),
  );
}
