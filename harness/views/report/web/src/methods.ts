// Methods: which of several are meant, what tells them apart, and which pass the filters.

export type Method = Record<string, string>;
export type Filters = Record<string, string>;

/** What tells each method apart from the others, as one text; all of it if nothing does. */
export function methodLabels(methods: Method[]): string[] {
  const names = [...new Set(methods.flatMap((method) => Object.keys(method)))];
  const varying = names.filter(
    (name) => new Set(methods.map((method) => method[name] ?? "")).size > 1,
  );
  const told = varying.length ? varying : names;
  return methods.map((method) => methodText(method, told));
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
