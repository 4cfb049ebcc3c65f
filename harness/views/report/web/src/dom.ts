// Elements of the page. Every text becomes a text node: nothing here parses HTML.

export type Child = Node | string | null;
export type Attributes = Record<string, string | number | boolean | null>;

/** An element with attributes and children. `true` sets an empty attribute, `false` and `null` none. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  element.append(...present(children));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** An element of a drawing. */
export function draw<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS(SVG, tag);
  setAttributes(element, attributes);
  element.append(...present(children));
  return element;
}

/** A button. The key tells it apart from others when the page is drawn anew. */
export function button(key: string, text: string, pressed: () => void): HTMLButtonElement {
  const element = make("button", { type: "button", "data-key": key }, text);
  element.addEventListener("click", pressed);
  return element;
}

export interface Option {
  value: string;
  text: string;
}

/** A labelled choice of one option. */
export function choice(
  key: string,
  label: string,
  options: Option[],
  chosen: string,
  changed: (value: string) => void,
): HTMLLabelElement {
  const select = make(
    "select",
    { "data-key": key, "aria-label": label },
    ...options.map(({ value, text }) => make("option", { value }, text)),
  );
  select.value = chosen;
  select.addEventListener("change", () => changed(select.value));
  return make("label", { class: "choice" }, make("span", {}, label), select);
}

/** A list of texts. */
export function list(texts: string[]): HTMLUListElement {
  return make("ul", {}, ...texts.map((text) => make("li", {}, ...prose(text))));
}

/** A text whose lines may break after the signs of specs and paths. */
export function breakable(text: string): Child[] {
  return text.split(/(?<=[[,=/])/).flatMap((part, at) => (at ? [make("wbr"), part] : [part]));
}

/** A text in which commands stand between backticks. */
export function prose(text: string): Child[] {
  const parts = text.split("`");
  return parts.map((part, at) => (at % 2 && at < parts.length - 1 ? make("code", {}, part) : part));
}

/** Put children in the place of those that an element has; the focus stays on the same key. */
export function replace(element: Element, ...children: Child[]): void {
  const focused = document.activeElement;
  const key = focused && element.contains(focused) ? focused.getAttribute("data-key") : null;
  element.replaceChildren(...present(children));
  if (key !== null) byKey(element, key)?.focus({ preventScroll: true });
}

function byKey(element: Element, key: string): HTMLElement | null {
  return element.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
}

function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

function present(children: Child[]): (Node | string)[] {
  return children.filter((child) => child !== null);
}
