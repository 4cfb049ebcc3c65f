// Partitions of an image's patches: which cluster each patch is in at a level, and where it lies.

import type { GalleryImage, GalleryMap, Sweep } from "./data";
import type { Method } from "./methods";

export const UNASSIGNED = 255;
// Nodes in a row, where they have no grid.
const STRIP = 32;

/** The edges of a patch. Neighbours share theirs to the digit. */
export interface Edges {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export function bytes(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

const decoded = new WeakMap<Sweep, Uint8Array>();

/** The colour index of each patch at a level. */
export function colourIndices(sweep: Sweep, level: number, nodes: number): Uint8Array {
  let all = decoded.get(sweep);
  if (!all) decoded.set(sweep, (all = bytes(sweep.colours)));
  return all.subarray(level * nodes, (level + 1) * nodes);
}

/** How many patches each cluster has, by colour index, the largest first; unassigned ones have none. */
export function clusterSizes(indices: Uint8Array): Map<number, number> {
  const sizes = new Map<number, number>();
  for (const index of indices) {
    if (index !== UNASSIGNED) sizes.set(index, (sizes.get(index) ?? 0) + 1);
  }
  return new Map([...sizes].sort((one, other) => other[1] - one[1] || one[0] - other[0]));
}

/** Rows and columns in which the nodes are drawn. */
export function drawnGrid(map: GalleryMap): [number, number] {
  return map.grid ?? [Math.ceil(map.nodes / STRIP), Math.min(map.nodes, STRIP)];
}

/** Width to height of what is drawn: the image's own, or with square patches. */
export function aspectRatio(image: GalleryImage, map: GalleryMap): number {
  const [rows, columns] = drawnGrid(map);
  const known = map.grid !== null && image.width > 0 && image.height > 0;
  return known ? image.width / image.height : columns / rows;
}

/** Where a patch lies, as fractions of the image's width and height. */
export function patchEdges(map: GalleryMap, patch: number): Edges {
  const [rows, columns] = drawnGrid(map);
  const [top, left, height, width] = regionOf(map);
  const [row, column] = [Math.floor(patch / columns), patch % columns];
  return {
    left: left + (width * column) / columns,
    top: top + (height * row) / rows,
    right: left + (width * (column + 1)) / columns,
    bottom: top + (height * (row + 1)) / rows,
  };
}

/** The patch at a point, which is given as fractions of the image's width and height. */
export function patchAt(map: GalleryMap, x: number, y: number): number | null {
  const [rows, columns] = drawnGrid(map);
  const [top, left, height, width] = regionOf(map);
  const column = Math.floor(((x - left) / width) * columns);
  const row = Math.floor(((y - top) / height) * rows);
  if (row < 0 || column < 0 || row >= rows || column >= columns) return null;
  const patch = row * columns + column;
  return patch < map.nodes ? patch : null;
}

function regionOf(map: GalleryMap): [number, number, number, number] {
  return map.grid && map.region ? map.region : [0, 0, 1, 1];
}

/** How much a patch attends to its strongest targets: weights in 0 … 1 of the map's largest. */
export function attentionOf(map: GalleryMap, patch: number): Map<number, number> | null {
  if (!map.attention) return null;
  const { top } = map.attention;
  const targets = bytes(map.attention.targets);
  const weights = bytes(map.attention.weights);
  const found = new Map<number, number>();
  for (let at = patch * top; at < (patch + 1) * top; at++) {
    const weight = weights[at] / 255;
    if (weight > 0) found.set(targets[2 * at] + 256 * targets[2 * at + 1], weight);
  }
  return found;
}

/** The clusters of one clusterer on one map, at all levels. */
export interface Partitions {
  /** The method with its layer, head and repeat, as text. */
  key: string;
  map: GalleryMap;
  sweep: Sweep;
}

/** All partitions of an image. */
export function partitionsOf(image: GalleryImage): Partitions[] {
  return image.maps.flatMap((map) =>
    map.sweeps.map((sweep) => ({ key: JSON.stringify(partsOf(map, sweep)), map, sweep })),
  );
}

/** What tells an image's partitions apart, as texts. */
export function partitionTexts(all: Partitions[]): string[] {
  const parts = all.map(({ map, sweep }) => partsOf(map, sweep));
  const names = ["run", "graph", "extractor", "layer", "head", "repeat"] as const;
  const varying = names.filter((name) => new Set(parts.map((each) => each[name])).size > 1);
  return parts.map((each) => [each.clusterer, ...varying.map((name) => each[name])].join(" · "));
}

/** The partitions with a key; of an image that lacks them, those of the same clusterer and graph. */
export function partitionsLike(image: GalleryImage, key: string): Partitions | null {
  const all = partitionsOf(image);
  const wanted = JSON.parse(key) as ReturnType<typeof partsOf>;
  return (
    all.find((each) => each.key === key) ??
    all.find(({ sweep }) => sweep.clusterer === wanted.clusterer && sweep.graph === wanted.graph) ??
    null
  );
}

/** A method of the gallery among an image's partitions; null if it has no result there. */
export function partitionsOfMethod(image: GalleryImage, method: Method): Partitions | null {
  const wanted = (name: string, value: string | undefined) =>
    method[name] === undefined || value === undefined || method[name] === value;
  return (
    partitionsOf(image).find(
      ({ map, sweep }) =>
        wanted("run", map.run) &&
        wanted("extractor", map.extractor) &&
        wanted("clusterer", sweep.clusterer) &&
        wanted("graph", sweep.graph),
    ) ?? null
  );
}

/** The level that a selector chose, as an index; null if it chose none. */
export function chosenLevel(sweep: Sweep, selector: string | undefined): number | null {
  return sweep.selections.find((each) => each.selector === selector)?.level ?? null;
}

/** Whether a selector accepts the level that it chose as structure. */
export function isAccepted(sweep: Sweep, selector: string | undefined): boolean {
  return sweep.selections.find((each) => each.selector === selector)?.accepted ?? false;
}

function partsOf(map: GalleryMap, sweep: Sweep) {
  return {
    run: map.run ?? "",
    clusterer: sweep.clusterer,
    graph: sweep.graph,
    extractor: map.extractor,
    layer: `layer ${map.layer}`,
    head: `head ${map.head}`,
    repeat: `repeat ${sweep.repeat}`,
  };
}
