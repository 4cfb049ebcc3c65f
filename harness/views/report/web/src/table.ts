// A table that sorts by any column, explains its headings, and draws intervals as bars.

import type { Cell, Column, Table } from "./data";
import { breakable, button, make, prose, replace } from "./dom";
import { downloadButton, records } from "./download";
import { filteredRows } from "./filters";
import { cellText, count } from "./format";
import { glossaryEntry } from "./glossary";
import { type BarScale, barScale, drawBar } from "./interval_bar";
import type { Sort, View } from "./state";
import { explain } from "./tooltip";

// Rows that a table shows before the reader asks for all.
const FIRST_ROWS = 30;

/** A table, by a name that no other has. */
export function drawTable(name: string, caption: string, table: Table, view: View): HTMLElement {
  const place = make("div", { class: "table" });
  const redraw = () => replace(place, ...parts(name, caption, table, view, redraw));
  redraw();
  return place;
}

function parts(name: string, caption: string, table: Table, view: View, redraw: () => void) {
  const { state } = view;
  const sort = state.sorts[name] ?? null;
  const kept = sorted(table, filteredRows(table, state.filters), sort);
  const whole = state.expanded.has(name) || kept.length <= FIRST_ROWS;
  const shown = whole ? kept : kept.slice(0, FIRST_ROWS);
  const columns = table.columns.filter((column) => !column.hidden);
  const scales = new Map(
    columns
      .filter((column) => column.kind === "interval")
      .map((column) => [column.name, barScale(table, column)]),
  );
  const choose = (column: Column) => {
    state.sorts[name] = nextSort(column, sort);
    redraw();
  };
  const head = columns.map((column) => drawHeading(column, sort, view, choose));
  const body = shown.map((row, at) =>
    make(
      "tr",
      { class: startsTier(table, shown, at, sort) ? "new-tier" : null },
      ...columns.map((column) => drawCell(table, row, column, scales)),
    ),
  );
  return [
    make(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
      make(
        "table",
        {},
        make("caption", {}, caption),
        make("thead", {}, make("tr", {}, ...head)),
        make("tbody", {}, ...body),
      ),
    ),
    make(
      "p",
      { class: "below" },
      make("span", {}, rowsText(table.rows.length, kept.length, shown.length)),
      whole
        ? null
        : button(`all ${name}`, "Show all rows", () => {
            state.expanded.add(name);
            redraw();
          }),
      downloadButton(name, () => records(table)),
    ),
    table.note ? make("p", { class: "note" }, ...prose(table.note)) : null,
  ];
}

function rowsText(all: number, kept: number, shown: number): string {
  const rows = all === 1 ? "row" : "rows";
  if (kept === 0 && all > 0) return `None of ${count(all)} ${rows} passes the filters`;
  const of = kept === all ? `${count(all)} ${rows}` : `${count(kept)} of ${count(all)} ${rows}`;
  return shown === kept ? of : `The first ${count(shown)} of ${of}`;
}

function drawHeading(
  column: Column,
  sort: Sort | null,
  view: View,
  choose: (column: Column) => void,
): HTMLElement {
  const by = sort?.column === column.name ? sort : null;
  const arrow = by ? (by.descending ? "▾" : "▴") : "";
  const entry = glossaryEntry(view.report, column.name);
  const heading = button(`sort ${column.name}`, column.heading || entry.heading, () =>
    choose(column),
  );
  if (column.best) {
    const best = column.best === "high" ? "↑" : "↓";
    heading.append(make("span", { class: "best", "aria-hidden": "true" }, best));
  }
  heading.append(make("span", { class: "arrow", "aria-hidden": "true" }, arrow));
  const good = column.best
    ? `A ${column.best === "high" ? "larger" : "smaller"} one is better.`
    : "";
  const text = [entry.text.replace(/\.$/, ""), good].filter(Boolean).join(". ");
  if (text) explain(heading, text);
  return make(
    "th",
    {
      scope: "col",
      class: alignment(column),
      "aria-sort": by ? (by.descending ? "descending" : "ascending") : "none",
    },
    heading,
  );
}

function drawCell(
  table: Table,
  row: Cell[],
  column: Column,
  scales: Map<string, BarScale | null>,
): HTMLElement {
  if (column.kind === "interval") {
    const [low, high] = ends(table, row, column);
    const bar = drawBar(
      scales.get(column.name) ?? null,
      low,
      high,
      numberAt(table, row, column.estimate),
    );
    return make("td", { class: "interval" }, bar);
  }
  const cell = row[table.columns.indexOf(column)];
  return make("td", { class: alignment(column) }, ...breakable(cellText(cell, column)));
}

function alignment(column: Column): string {
  return column.kind === "text" || column.kind === "interval" ? column.kind : "figure";
}

function ends(table: Table, row: Cell[], column: Column): [number | null, number | null] {
  return [numberAt(table, row, column.low), numberAt(table, row, column.high)];
}

function numberAt(table: Table, row: Cell[], name: string | undefined): number | null {
  const cell = row[table.columns.findIndex((column) => column.name === name)];
  return typeof cell === "number" ? cell : null;
}

/** A first press sorts the best to the top, or names from A; the next turns it round. */
function nextSort(column: Column, sort: Sort | null): Sort {
  if (sort?.column === column.name) return { ...sort, descending: !sort.descending };
  const rises = column.best === "low" || ["text", "p"].includes(column.kind);
  return { column: column.name, descending: !rises && column.name !== "tier" };
}

function sorted(table: Table, rows: Cell[][], sort: Sort | null): Cell[][] {
  const column = table.columns.find((each) => each.name === sort?.column);
  if (!sort || !column) return rows;
  const sign = sort.descending ? -1 : 1;
  const value = (row: Cell[]) =>
    column.kind === "interval" ? ends(table, row, column)[0] : row[table.columns.indexOf(column)];
  return [...rows].sort((one, other) => compared(value(one), value(other), sign));
}

/** What is missing stands last in either direction. */
function compared(one: Cell, other: Cell, sign: number): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  if (typeof one === "string" || typeof other === "string") {
    return sign * String(one).localeCompare(String(other), "en", { numeric: true });
  }
  return sign * (Number(one) - Number(other));
}

/** Whether a row is the first of its tier, where the tiers stand together. */
function startsTier(table: Table, rows: Cell[][], at: number, sort: Sort | null): boolean {
  const tier = table.columns.findIndex((column) => column.name === "tier");
  if (tier < 0 || at === 0 || (sort && sort.column !== "tier")) return false;
  return rows[at][tier] !== rows[at - 1][tier];
}
