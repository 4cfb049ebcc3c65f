// Numbers as the harness prints them.

import type { Cell, Column } from "./data";

export const NOTHING = "–";

/** A number with so many digits; −0 is 0. */
export function fixed(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** A number with thousands apart. */
export function count(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: 0 });
}

/** "1 image", "2 images". */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A p value without a 0 before the point; below .001 only that. */
export function pText(value: number | null | undefined): string {
  if (value === null || value === undefined) return NOTHING;
  return value >= 0.001 ? value.toFixed(3).replace(/^0/, "") : "<.001";
}

/** A fraction in percent. */
export function percent(value: number | null): string {
  return value === null ? NOTHING : `${fixed(100 * value, 0)} %`;
}

/** The ends of an interval. */
export function interval(low: number | null, high: number | null, digits = 2): string {
  if (low === null || high === null) return NOTHING;
  return `${fixed(low, digits)} … ${fixed(high, digits)}`;
}

/** Seconds in the largest unit that suits. */
export function duration(seconds: number): string {
  if (seconds < 90) return counted(Math.round(seconds), "second");
  if (seconds < 90 * 60) return counted(Math.round(seconds / 60), "minute");
  return counted(Math.round(seconds / 3600), "hour");
}

/** A table's cell as text. */
export function cellText(cell: Cell, column: Column): string {
  if (cell === null) return NOTHING;
  if (typeof cell === "boolean") return cell ? "yes" : "no";
  if (typeof cell === "string") return cell;
  switch (column.kind) {
    case "integer":
      return count(cell);
    case "share":
      return percent(cell);
    case "p":
      return pText(cell);
    case "text":
      return String(cell);
    default:
      return fixed(cell, column.digits);
  }
}
