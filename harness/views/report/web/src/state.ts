// What the reader has chosen: it outlives the data of a live view.

import type { Report } from "./data";
import type { Filters } from "./methods";

export interface Sort {
  column: string;
  descending: boolean;
}

/** A level of the opened image: where a selector chose it, or at the slider. */
export type Level = { selector: string } | { index: number };

export interface Detail {
  image: string;
  /** The keys of the partitions that stand beside each other. */
  panels: string[];
  level: Level;
  coloured: boolean;
  patch: number | null;
}

export interface State {
  filters: Filters;
  sorts: Record<string, Sort>;
  /** Parts that the reader asked to see whole. */
  expanded: Set<string>;
  /** Options that the reader chose, by the key of the choice. */
  choices: Record<string, string>;
  overlay: number;
  detail: Detail | null;
}

/** The report as it is now, what the reader has chosen, and how a choice shows. */
export interface View {
  report: Report;
  state: State;
  /** Draw the sections anew, after a choice that concerns several of them. */
  refresh(): void;
  /** Open an image of the gallery. */
  open(image: string): void;
}

export function initialState(): State {
  return { filters: {}, sorts: {}, expanded: new Set(), choices: {}, overlay: 0, detail: null };
}
