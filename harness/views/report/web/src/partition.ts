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

/** A method's map and sweep of an image, and the level that its selector chose. */
export interface Found {
  map: number;
  sweep: number;
  level: number | null;
}

/** Where a method of the gallery is among an image's maps; null if it has no result there. */
export function findMethod(image: GalleryImage, method: Method): Found | null {
  for (const [map, each] of image.maps.entries()) {
    const sweep = each.sweeps.findIndex((sweep) => isOf(method, each, sweep));
    if (sweep < 0) continue;
    const chosen = each.sweeps[sweep].selections.find(
      ({ selector }) => selector === method.selector,
    );
    return { map, sweep, level: chosen?.level ?? null };
  }
  return null;
}

function isOf(method: Method, map: GalleryMap, sweep: Sweep): boolean {
  const own = {
    run: map.run,
    extractor: map.extractor,
    clusterer: sweep.clusterer,
    graph: sweep.graph,
  };
  return Object.entries(own).every(
    ([name, value]) => method[name] === undefined || value === undefined || method[name] === value,
  );
}
