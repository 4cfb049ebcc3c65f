// The page: its sections, and how they are drawn anew.

import type { Report } from "./data";
import { DetailDialog } from "./detail";
import { make, replace } from "./dom";
import { drawNearby } from "./lazily";
import { type Section, SECTIONS } from "./sections";
import { initialState, type View } from "./state";

/** Draws a report into the document, and again when its data or the reader's choices change. */
export class Page {
  private readonly title = make("h1", {});
  private readonly links = make("nav", { "aria-label": "Sections" });
  private readonly status = make("p", { class: "status", role: "status", hidden: true });
  private readonly places = new Map<Section, { element: HTMLElement; drawn: string | null }>();
  private readonly view: View;
  private readonly detail: DetailDialog;

  constructor(report: Report) {
    this.view = {
      report,
      state: initialState(),
      refresh: () => this.draw(true),
      open: (image) => this.detail.open(image),
    };
    const main = make("main", {});
    for (const section of SECTIONS) {
      const element = make("section", { id: section.id });
      this.places.set(section, { element, drawn: null });
      main.append(element);
    }
    document.body.append(
      make("header", { class: "page" }, this.title, this.links, this.status),
      main,
    );
    this.detail = new DetailDialog(this.view);
    this.draw(false);
  }

  /** Show new data; what the reader sees and chose stays. */
  update(report: Report): void {
    this.view.report = report;
    this.draw(false);
    this.detail.refresh();
  }

  /** Say something about the view itself; an empty text says nothing. */
  say(text: string): void {
    this.status.textContent = text;
    this.status.hidden = text === "";
  }

  private draw(all: boolean): void {
    const { report } = this.view;
    const scroll = window.scrollY;
    document.title = report.title;
    this.title.textContent = report.title;
    const present: Section[] = [];
    for (const [section, place] of this.places) {
      const data = section.data(report) ?? null;
      // Other reports never change, and may be large.
      const text = report.live ? JSON.stringify(data) : "";
      place.element.hidden = data === null;
      if (data !== null) present.push(section);
      if (!all && text === place.drawn) continue;
      place.drawn = text;
      const open = openDetails(place.element);
      const content =
        data === null ? [] : [make("h2", {}, section.heading), ...section.draw(this.view)];
      // An element that is emptied and filled would let the page jump.
      place.element.style.minHeight = `${place.element.offsetHeight}px`;
      replace(place.element, ...content);
      place.element.style.minHeight = "";
      reopenDetails(place.element, open);
    }
    replace(
      this.links,
      ...present.map(({ id, heading }) => make("a", { href: `#${id}`, "data-key": id }, heading)),
    );
    if (scroll) window.scrollTo({ top: scroll, behavior: "instant" });
    drawNearby();
  }
}

function openDetails(element: Element): Set<string | null> {
  const open = element.querySelectorAll("details[open]");
  return new Set([...open].map((each) => each.getAttribute("data-key")));
}

function reopenDetails(element: Element, keys: Set<string | null>): void {
  for (const each of element.querySelectorAll("details")) {
    each.open = keys.has(each.getAttribute("data-key"));
  }
}
