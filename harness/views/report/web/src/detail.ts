// The opened image: methods beside each other, at a level that a slider moves.

import type { GalleryImage, Sweep } from "./data";
import { breakable, button, choice, make, replace } from "./dom";
import { counted, fixed } from "./format";
import { effectText, imageKey } from "./gallery";
import type { Method } from "./methods";
import { PanelView } from "./panel";
import {
  chosenLevel,
  partitionsLike,
  partitionsOf,
  partitionsOfMethod,
  partitionTexts,
} from "./partition";
import { photoOf } from "./painting";
import { Signs } from "./signs";
import type { Detail, View } from "./state";

const MOST_PANELS = 3;
const AT_SLIDER = "";
const KEYS =
  "Keys: ← and → move the level, Page Up and Page Down change the image, Escape closes. With the focus on an image, arrows move over its patches.";

/** The dialog in which an image is opened; one for the page. */
export class DetailDialog {
  private readonly dialog = make("dialog", { class: "detail", "aria-labelledby": "detail-name" });
  private readonly slider = make("input", {
    type: "range",
    min: 0,
    step: 1,
    "data-key": "level",
    "aria-label": "Level",
  });
  private readonly output = make("output", {});
  private panels: PanelView[] = [];
  private sweeps: Sweep[] = [];
  private selectorChoice: HTMLSelectElement | null = null;
  private photo: HTMLImageElement | null = null;
  private drawn = "";

  constructor(private readonly view: View) {
    document.body.append(this.dialog);
    this.dialog.addEventListener("close", () => this.closed());
    this.dialog.addEventListener("keydown", (event) => this.pressed(event));
    this.dialog.addEventListener("pointerdown", (event) => this.closeFromOutside(event));
    this.slider.addEventListener("input", () => this.moveTo(Number(this.slider.value)));
  }

  /** Open an image by its key. */
  open(key: string): void {
    const { state } = this.view;
    const image = this.images().find((each) => imageKey(each) === key);
    if (!image) return;
    const before = state.detail;
    state.detail = {
      image: key,
      panels: this.panelsOf(image, before?.panels ?? []),
      level: before?.level ?? this.firstLevel(),
      coloured: before?.coloured ?? true,
      patch: null,
    };
    this.layOut(image, state.detail);
    if (!this.dialog.open) this.dialog.showModal();
    this.slider.focus({ preventScroll: true });
    this.dialog.scrollTop = 0;
  }

  /** Show new data of the opened image, if there are any. */
  refresh(): void {
    const { detail } = this.view.state;
    if (!detail) return;
    const image = this.images().find((each) => imageKey(each) === detail.image);
    if (!image || !partitionsOf(image).length) this.dialog.close();
    else if (JSON.stringify(image) !== this.drawn) {
      detail.panels = this.panelsOf(image, detail.panels);
      this.layOut(image, detail);
    }
  }

  private images(): GalleryImage[] {
    return this.view.report.gallery.images;
  }

  /** The method of which the gallery shows clusters. */
  private shownMethod(): Method | undefined {
    return this.view.report.gallery.methods[this.view.state.overlay];
  }

  private firstLevel(): Detail["level"] {
    const selector = this.shownMethod()?.selector;
    return selector ? { selector } : { index: 0 };
  }

  /** The panels as before where this image has them, or else the gallery's method and the next. */
  private panelsOf(image: GalleryImage, before: string[]): string[] {
    const kept = before
      .map((key) => partitionsLike(image, key)?.key)
      .filter((key) => key !== undefined);
    if (kept.length) return [...new Set(kept)];
    const all = partitionsOf(image);
    const method = this.shownMethod();
    const first = (method && partitionsOfMethod(image, method)) ?? all[0];
    const others = all.filter(({ key, map }) => map === first.map && key !== first.key);
    return [first, ...others.slice(0, 1)].map(({ key }) => key);
  }

  private layOut(image: GalleryImage, detail: Detail): void {
    this.drawn = JSON.stringify(image);
    this.photo = null;
    const signs = new Signs(this.view.report);
    const all = new Map(partitionsOf(image).map((each) => [each.key, each]));
    const shown = detail.panels.map((key) => all.get(key)).filter((each) => each !== undefined);
    this.sweeps = shown.map(({ sweep }) => sweep);
    this.panels = shown.map(({ map, sweep }, at) => {
      const choices = [this.partitionChoice(image, detail, at)];
      return new PanelView(image, map, sweep, signs, choices, {
        pointAt: (patch) => this.pointAt(at, patch),
        moveTo: (level) => this.moveTo(this.toFirst(at, level)),
      });
    });
    replace(
      this.dialog,
      this.drawHeader(image),
      ...this.drawControls(image, detail),
      make("div", { class: "panels" }, ...this.panels.map((panel) => panel.element)),
      make("p", { class: "note keys" }, KEYS),
    );
    this.slider.max = String(this.sweeps[0].levels.length - 1);
    this.show();
    void photoOf(image).then((photo) => {
      if (this.view.state.detail?.image !== imageKey(image)) return;
      this.photo = photo;
      this.show();
    });
  }

  private drawHeader(image: GalleryImage): HTMLElement {
    const images = this.images();
    const at = images.findIndex((each) => imageKey(each) === imageKey(image));
    const facts = [
      image.run ?? "",
      image.set,
      image.className,
      effectText(image),
      `image ${at + 1} of ${images.length}, by ${image.figure}`,
      image.note ?? "",
    ];
    const previous = button("previous", "← Previous", () => this.turn(-1));
    const next = button("next", "Next →", () => this.turn(1));
    previous.disabled = at === 0;
    next.disabled = at === images.length - 1;
    return make(
      "header",
      {},
      make(
        "div",
        {},
        make("h2", { id: "detail-name" }, ...breakable(image.name)),
        make("p", {}, facts.filter(Boolean).join(" · ")),
      ),
      make(
        "div",
        { class: "buttons" },
        previous,
        next,
        button("close", "Close", () => this.dialog.close()),
      ),
    );
  }

  private drawControls(image: GalleryImage, detail: Detail): HTMLElement[] {
    const selectors = new Set(
      image.maps.flatMap((map) =>
        map.sweeps.flatMap((sweep) => sweep.selections.map((each) => each.selector)),
      ),
    );
    const options = [
      ...[...selectors].map((value) => ({ value, text: `chosen by ${value}` })),
      { value: AT_SLIDER, text: "at the slider" },
    ];
    const levels = choice("chosen", "Levels", options, AT_SLIDER, (value) => {
      if (value === AT_SLIDER) this.moveTo(Number(this.slider.value));
      else {
        detail.level = { selector: value };
        this.show();
      }
    });
    this.selectorChoice = levels.querySelector("select");
    const coloured = make("input", { type: "checkbox", "data-key": "coloured" });
    coloured.checked = detail.coloured;
    coloured.addEventListener("change", () => {
      detail.coloured = coloured.checked;
      this.show();
    });
    const others = partitionsOf(image).filter(({ key }) => !detail.panels.includes(key));
    const add = button("add", "Another method beside", () => {
      detail.panels.push(others[0].key);
      this.layOut(image, detail);
    });
    add.disabled = detail.panels.length >= MOST_PANELS || others.length === 0;
    const remove = button("remove", "One fewer", () => {
      detail.panels.pop();
      this.layOut(image, detail);
    });
    remove.disabled = detail.panels.length < 2;
    return [
      make("label", { class: "slider" }, make("span", {}, "Level"), this.slider, this.output),
      make(
        "div",
        { class: "controls" },
        levels,
        make("label", { class: "check" }, coloured, "Show clusters"),
        add,
        remove,
      ),
    ];
  }

  private partitionChoice(image: GalleryImage, detail: Detail, at: number): HTMLElement {
    const all = partitionsOf(image);
    const texts = partitionTexts(all);
    const options = all.map(({ key }, place) => ({ value: key, text: texts[place] }));
    return choice(`partition ${at}`, "Method", options, detail.panels[at], (key) => {
      detail.panels[at] = key;
      this.layOut(image, detail);
    });
  }

  /** The level of a panel: where its selector chose one, or the slider's. */
  private levelOf(at: number, slider: number): number {
    const { detail } = this.view.state;
    if (detail && "selector" in detail.level) {
      const chosen = chosenLevel(this.sweeps[at], detail.level.selector);
      if (chosen !== null) return chosen;
    }
    return nearest(this.sweeps[at].levels, this.sweeps[0].levels[slider]);
  }

  /** The first panel's level that lies nearest to one of another panel. */
  private toFirst(at: number, level: number): number {
    return nearest(this.sweeps[0].levels, this.sweeps[at].levels[level]);
  }

  private moveTo(index: number): void {
    const { detail } = this.view.state;
    if (!detail) return;
    const last = this.sweeps[0].levels.length - 1;
    detail.level = { index: Math.max(0, Math.min(last, index)) };
    this.show();
  }

  private pointAt(at: number, patch: number | null): void {
    const { detail } = this.view.state;
    if (!detail || detail.patch === patch) return;
    detail.patch = patch;
    this.show(at);
  }

  private show(pointed = 0): void {
    const { detail } = this.view.state;
    if (!detail) return;
    const slider = "index" in detail.level ? detail.level.index : Number(this.slider.value);
    const first = this.levelOf(0, Math.min(slider, this.sweeps[0].levels.length - 1));
    this.slider.value = String(first);
    const levels = this.sweeps[0].levels;
    const text = `${fixed(levels[first])} (${first + 1} of ${counted(levels.length, "level")})`;
    this.output.textContent = text;
    this.slider.setAttribute("aria-valuetext", text);
    if (this.selectorChoice) {
      this.selectorChoice.value = "selector" in detail.level ? detail.level.selector : AT_SLIDER;
    }
    this.panels.forEach((panel, at) =>
      panel.show({
        level: at === 0 ? first : this.levelOf(at, first),
        coloured: detail.coloured,
        patch: panel.shares(this.panels[pointed]) ? detail.patch : null,
        photo: this.photo,
      }),
    );
  }

  private turn(by: number): void {
    const images = this.images();
    const at = images.findIndex((each) => imageKey(each) === this.view.state.detail?.image);
    const next = images[at + by];
    if (next) this.open(imageKey(next));
  }

  private pressed(event: KeyboardEvent): void {
    if (event.key === "PageDown" || event.key === "PageUp") {
      event.preventDefault();
      this.turn(event.key === "PageDown" ? 1 : -1);
      return;
    }
    const target = event.target as HTMLElement;
    // The slider and lists move by themselves.
    if (["INPUT", "SELECT"].includes(target.tagName)) return;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      event.preventDefault();
      this.moveTo(Number(this.slider.value) + (event.key === "ArrowRight" ? 1 : -1));
    }
  }

  private closeFromOutside(event: PointerEvent): void {
    const { left, right, top, bottom } = this.dialog.getBoundingClientRect();
    const { clientX: x, clientY: y } = event;
    if (x < left || x > right || y < top || y > bottom) this.dialog.close();
  }

  private closed(): void {
    const opened = this.view.state.detail?.image;
    this.view.state.detail = null;
    this.drawn = "";
    this.dialog.replaceChildren();
    // The gallery may have been drawn anew since.
    const key = CSS.escape(`open ${opened}`);
    document.querySelector<HTMLElement>(`[data-key="${key}"]`)?.focus({ preventScroll: true });
  }
}

function nearest(levels: number[], level: number): number {
  return levels.reduce(
    (best, each, index) => (Math.abs(each - level) < Math.abs(levels[best] - level) ? index : best),
    0,
  );
}
