// One partition of the opened image: its clusters, its profile, and its figures.

import { clusterColour, clusterLetter } from "./colours";
import type { GalleryImage, GalleryMap, Sweep } from "./data";
import { type Child, draw, make, replace } from "./dom";
import { counted, fixed, NOTHING, percent } from "./format";
import { lazily } from "./lazily";
import { paint } from "./painting";
import {
  aspectRatio,
  attentionOf,
  clusterSizes,
  colourIndices,
  drawnGrid,
  patchAt,
  UNASSIGNED,
} from "./partition";
import { drawProfile, type Profile } from "./profile";
import { drawSelections } from "./selections";
import { legendEntry, lineSample, type Signs } from "./signs";

// Clusters that the legend lists.
const LISTED = 14;
const TARGETS = 5;

/** What a panel shows of its partition. */
export interface Shown {
  level: number;
  coloured: boolean;
  patch: number | null;
  photo: HTMLImageElement | null;
}

export interface PanelActions {
  pointAt(patch: number | null): void;
  moveTo(level: number): void;
}

/** The view of one sweep on one map. */
export class PanelView {
  readonly element: HTMLElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly patchText = make("p", { class: "patch", "aria-live": "polite" });
  private readonly figures = make("dl", { class: "figures" });
  private readonly legend = make("ul", { class: "clusters" });
  private profile: Profile | null = null;
  private width = 0;
  private shown: Shown | null = null;

  constructor(
    private readonly image: GalleryImage,
    private readonly map: GalleryMap,
    private readonly sweep: Sweep,
    private readonly signs: Signs,
    choices: HTMLElement[],
    private readonly actions: PanelActions,
  ) {
    this.canvas = make("canvas", { tabindex: 0, role: "img" });
    this.canvas.style.setProperty("--ratio", String(aspectRatio(image, map)));
    this.listen();
    const profile = make("div", { class: "profile" });
    this.element = make(
      "section",
      { class: "panel" },
      ...choices,
      this.canvas,
      this.patchText,
      this.legend,
      profile,
      this.figures,
      drawSelections(sweep, signs),
    );
    lazily(this.canvas, (width) => {
      this.width = width;
      this.paint();
    });
    lazily(profile, (width) => {
      this.profile = drawProfile(sweep, signs, width, actions.moveTo);
      replace(profile, this.profile.element);
      if (this.shown) this.profile.moveTo(this.shown.level);
    });
  }

  /** Whether the same patches lie on this panel's map and on another. */
  shares(other: PanelView): boolean {
    return String(drawnGrid(this.map)) === String(drawnGrid(other.map));
  }

  show(shown: Shown): void {
    const levelChanged = shown.level !== this.shown?.level;
    this.shown = shown;
    this.paint();
    replace(this.patchText, this.describePatch(shown));
    if (!levelChanged) return;
    this.profile?.moveTo(shown.level);
    this.showFigures(shown.level);
    this.showLegend(shown.level);
  }

  private indices(level: number): Uint8Array {
    return colourIndices(this.sweep, level, this.map.nodes);
  }

  private paint(): void {
    if (!this.shown || !this.width) return;
    const { level, coloured, patch, photo } = this.shown;
    const indices = coloured ? this.indices(level) : null;
    paint(this.canvas, this.width, { image: this.image, map: this.map, photo, indices, patch });
  }

  private showFigures(level: number): void {
    const { sweep } = this;
    const threshold = sweep.thresholds[level]?.toPrecision(3) ?? NOTHING;
    const rows: [Child, string][] = [
      ["level", fixed(sweep.levels[level])],
      ["weights ≥", threshold],
      ["modularity", fixed(sweep.modularity[level])],
      ...sweep.noise.map((each): [Child, string] => [
        legendEntry(
          lineSample(this.signs.ofControl(each.control)),
          `of ${each.control}, ${counted(each.draws, "draw")}`,
        ),
        fixed(each.mean[level]),
      ]),
      ["clusters", String(sweep.clusters[level])],
      ["coverage", percent(sweep.coverage[level])],
    ];
    replace(
      this.figures,
      ...rows.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))),
    );
    const clusters = counted(sweep.clusters[level], "cluster");
    this.canvas.setAttribute(
      "aria-label",
      `${this.image.name}: ${clusters} of ${sweep.clusterer} at level ${fixed(sweep.levels[level])}. Arrow keys move over its patches.`,
    );
  }

  private showLegend(level: number): void {
    const indices = this.indices(level);
    const sizes = [...clusterSizes(indices)];
    const entries = sizes
      .slice(0, LISTED)
      .map(([index, size]) =>
        make("li", {}, swatch(clusterColour(index)), `${clusterLetter(index)}: ${size}`),
      );
    const more = sizes.length - LISTED;
    const outside = indices.filter((index) => index === UNASSIGNED).length;
    const rest = [
      more > 0 ? `${more} more clusters` : "",
      outside ? `${outside} alone or in none` : "",
    ].filter(Boolean);
    replace(this.legend, ...entries, ...rest.map((text) => make("li", {}, text)));
  }

  private describePatch({ level, patch }: Shown): string {
    if (patch === null || patch >= this.map.nodes) {
      return this.map.attention
        ? "Point at a patch to see what it attends to."
        : "Point at a patch to see its cluster.";
    }
    const indices = this.indices(level);
    const index = indices[patch];
    const columns = drawnGrid(this.map)[1];
    const where = this.map.grid
      ? `Patch at row ${Math.floor(patch / columns) + 1}, column ${(patch % columns) + 1}`
      : `Node ${patch}`;
    const cluster =
      index === UNASSIGNED
        ? "alone, or in no cluster"
        : `in cluster ${clusterLetter(index)} (${counted(clusterSizes(indices).get(index) ?? 0, "patch", "patches")})`;
    return `${where}: ${cluster}.${this.describeAttention(indices, patch)}`;
  }

  private describeAttention(indices: Uint8Array, patch: number): string {
    const attention = attentionOf(this.map, patch);
    if (!attention) return " The report holds no attention of this map.";
    const strongest = [...attention.keys()].slice(0, TARGETS);
    const own = strongest.filter((target) => indices[target] === indices[patch]).length;
    const top = this.map.attention?.top ?? 0;
    return ` Bright: the ${top} patches that it attends to most; of the ${strongest.length} strongest, ${own} in its cluster.`;
  }

  private listen(): void {
    const { canvas } = this;
    const point = (event: PointerEvent) => {
      const box = canvas.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width;
      const y = (event.clientY - box.top) / box.height;
      this.actions.pointAt(patchAt(this.map, x, y));
    };
    canvas.addEventListener("pointermove", point);
    canvas.addEventListener("pointerdown", point);
    canvas.addEventListener("pointerleave", () => this.actions.pointAt(null));
    canvas.addEventListener("blur", () => this.actions.pointAt(null));
    canvas.addEventListener("keydown", (event) => {
      const [rows, columns] = drawnGrid(this.map);
      const patch = this.shown?.patch ?? null;
      const moved = patch === null ? firstPatch(event.key) : step(event.key, patch, rows, columns);
      if (moved === null) return;
      event.preventDefault();
      event.stopPropagation();
      this.actions.pointAt(Math.min(moved, this.map.nodes - 1));
    });
  }
}

function firstPatch(key: string): number | null {
  return key.startsWith("Arrow") ? 0 : null;
}

/** The patch beside another one, in the direction of an arrow key; at the border it stays. */
function step(key: string, patch: number, rows: number, columns: number): number | null {
  const [row, column] = [Math.floor(patch / columns), patch % columns];
  switch (key) {
    case "ArrowLeft":
      return row * columns + Math.max(0, column - 1);
    case "ArrowRight":
      return row * columns + Math.min(columns - 1, column + 1);
    case "ArrowUp":
      return Math.max(0, row - 1) * columns + column;
    case "ArrowDown":
      return Math.min(rows - 1, row + 1) * columns + column;
    default:
      return null;
  }
}

function swatch(colour: string): SVGSVGElement {
  const sample = draw("svg", { class: "swatch", viewBox: "0 0 10 10", "aria-hidden": "true" });
  sample.append(draw("rect", { width: 10, height: 10, fill: colour }));
  return sample;
}
