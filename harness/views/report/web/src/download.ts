// Data of the page as a JSON file.

import type { Cell, Table } from "./data";
import { button } from "./dom";

/** A button that saves a value as JSON. */
export function downloadButton(
  name: string,
  value: () => unknown,
  label = "Download JSON",
): HTMLButtonElement {
  const element = button(`download ${name}`, label, () => {
    const text = JSON.stringify(value(), null, 1);
    const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `${name}.json`;
    link.click();
    // The browser reads the blob after the click.
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  });
  element.classList.add("download");
  return element;
}

/** A table's rows, each by the names of its columns, the hidden ones too. */
export function records(table: Table): Record<string, Cell>[] {
  return table.rows.map((row) =>
    Object.fromEntries(table.columns.map((column, at) => [column.name, row[at]])),
  );
}
