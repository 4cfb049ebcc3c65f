// Methods: which of several are meant, what tells them apart, and which pass the filters.

export type Method = Record<string, string>;
export type Filters = Record<string, string>;

const NAMES = ["run", "clusterer", "selector", "graph", "extractor", "image_set", "layer", "head"];

/** A text for each method: its run and clusterer, and of the rest what it takes to tell them apart. */
export function methodLabels(methods: Method[]): string[] {
  const told: string[] = [];
  const distinct = (names: string[]) =>
    new Set(methods.map((method) => JSON.stringify(names.map((name) => method[name] ?? "")))).size;
  for (const name of NAMES) {
    if (name === "clusterer" || distinct([...told, name]) > Math.max(1, distinct(told))) {
      told.push(name);
    }
  }
  return methods.map((method) => methodText(method, told) || methodText(method));
}

/** A method as text. Numbers of layers and heads need their names. */
export function methodText(method: Method, names = Object.keys(method)): string {
  return names
    .filter((name) => method[name] !== undefined && method[name] !== "")
    .map((name) => (/^\d+$/.test(method[name]) ? `${name} ${method[name]}` : method[name]))
    .join(" · ");
}

/** What all methods have in common, if there are several, as text. */
export function commonText(methods: Method[]): string {
  if (methods.length < 2) return "";
  const names = Object.keys(methods[0]).filter(
    (name) => new Set(methods.map((method) => method[name] ?? "")).size === 1,
  );
  return methodText(methods[0], names);
}

/** Whether a method has the filtered value of every name that it has. */
export function passes(method: Method, filters: Filters): boolean {
  return Object.entries(filters).every(
    ([name, value]) => !Object.hasOwn(method, name) || method[name] === value,
  );
}
