// Draws clusters, and the attention of a patch, over an image.

import { clusterColour, clusterLetter } from "./colours";
import type { GalleryImage, GalleryMap } from "./data";
import {
  aspectRatio,
  attentionOf,
  clusterSizes,
  drawnGrid,
  patchEdges,
  UNASSIGNED,
} from "./partition";

// Opacity of a cluster's colour over the grey image.
const STRENGTH = 0.58;
const PIXELS = 2;

interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Painted {
  image: GalleryImage;
  map: GalleryMap;
  photo: HTMLImageElement | null;
  /** Colour index of each patch. */
  indices: Uint8Array | null;
  /** The patch whose attention shows. */
  patch: number | null;
}

const photos = new Map<string, Promise<HTMLImageElement | null>>();

/** The image's photo, decoded; null if there is none. Only pictures in the page itself are read. */
export function photoOf(image: GalleryImage): Promise<HTMLImageElement | null> {
  const source = image.picture;
  if (source === null || !source.startsWith("data:image/")) return Promise.resolve(null);
  let photo = photos.get(source);
  if (!photo) photos.set(source, (photo = decode(source)));
  return photo;
}

async function decode(source: string): Promise<HTMLImageElement | null> {
  const element = new Image();
  element.src = source;
  try {
    await element.decode();
  } catch {
    return null;
  }
  return element;
}

/** Paint on a canvas that is so many CSS pixels wide; its height follows from the image. */
export function paint(canvas: HTMLCanvasElement, width: number, painted: Painted): void {
  const ratio = aspectRatio(painted.image, painted.map);
  canvas.width = Math.round(width * PIXELS);
  canvas.height = Math.round((width * PIXELS) / ratio);
  const context = canvas.getContext("2d");
  if (!context) return;
  const brush = new Brush(context, painted);
  brush.photo();
  if (painted.patch !== null) brush.attention(painted.patch);
  else if (painted.indices) brush.clusters(painted.indices);
  if (painted.patch === null && painted.indices) brush.letters(painted.indices);
}

class Brush {
  private readonly rectangles: Rectangle[];

  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly painted: Painted,
  ) {
    const { width, height } = context.canvas;
    this.rectangles = Array.from({ length: painted.map.nodes }, (_, patch) => {
      const edges = patchEdges(painted.map, patch);
      // At whole pixels no seam shows between patches.
      const [left, right] = [edges.left, edges.right].map((x) => Math.round(x * width));
      const [top, bottom] = [edges.top, edges.bottom].map((y) => Math.round(y * height));
      return { x: left, y: top, width: right - left, height: bottom - top };
    });
  }

  photo(): void {
    const { canvas } = this.context;
    this.fill("#b8b8b8", { x: 0, y: 0, width: canvas.width, height: canvas.height });
    const { photo, indices, patch } = this.painted;
    if (!photo) return;
    this.context.imageSmoothingQuality = "high";
    // A picture of few pixels keeps them sharp.
    this.context.imageSmoothingEnabled = photo.naturalWidth > 64;
    this.context.drawImage(photo, 0, 0, canvas.width, canvas.height);
    if (!indices && patch === null) return;
    // Over grey, colours keep their hue.
    this.context.globalCompositeOperation = "saturation";
    this.fill("#808080", { x: 0, y: 0, width: canvas.width, height: canvas.height });
    this.context.globalCompositeOperation = "source-over";
  }

  clusters(indices: Uint8Array): void {
    this.rectangles.forEach((rectangle, patch) => {
      const index = indices[patch];
      if (index === UNASSIGNED) this.hatch(rectangle);
      else {
        this.context.globalAlpha = STRENGTH;
        this.fill(clusterColour(index), rectangle);
        this.context.globalAlpha = 1;
      }
    });
    if (this.painted.map.grid) this.borders(indices);
  }

  attention(patch: number): void {
    const { canvas } = this.context;
    this.context.globalAlpha = 0.72;
    this.fill("#101018", { x: 0, y: 0, width: canvas.width, height: canvas.height });
    for (const [target, weight] of attentionOf(this.painted.map, patch) ?? []) {
      this.context.globalAlpha = 0.15 + 0.8 * weight;
      if (target < this.rectangles.length) this.fill("#FFD54A", this.rectangles[target]);
    }
    this.context.globalAlpha = 1;
    if (this.painted.indices && this.painted.map.grid) this.borders(this.painted.indices);
    this.frame(this.rectangles[patch]);
  }

  /** Each cluster's letter, on its patch that lies farthest inside. */
  letters(indices: Uint8Array): void {
    const depths = insideDepths(indices, drawnGrid(this.painted.map));
    const best = new Map<number, number>();
    indices.forEach((index, patch) => {
      const other = best.get(index);
      if (other === undefined || depths[patch] > depths[other]) best.set(index, patch);
    });
    const size = Math.max(18, Math.min(40, this.rectangles[0].height * 0.8));
    this.context.font = `700 ${size}px system-ui, sans-serif`;
    this.context.textAlign = "center";
    this.context.textBaseline = "middle";
    this.context.lineJoin = "round";
    for (const index of clusterSizes(indices).keys()) {
      const patch = best.get(index);
      if (patch === undefined) continue;
      const { x, y, width, height } = this.rectangles[patch];
      this.context.lineWidth = size / 5;
      this.context.strokeStyle = "rgba(255, 255, 255, 0.9)";
      this.context.strokeText(clusterLetter(index), x + width / 2, y + height / 2);
      this.context.fillStyle = "#000000";
      this.context.fillText(clusterLetter(index), x + width / 2, y + height / 2);
    }
  }

  private borders(indices: Uint8Array): void {
    const [rows, columns] = drawnGrid(this.painted.map);
    this.context.beginPath();
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const patch = row * columns + column;
        const { x, y, width, height } = this.rectangles[patch];
        if (column + 1 < columns && indices[patch] !== indices[patch + 1]) {
          this.context.moveTo(x + width, y);
          this.context.lineTo(x + width, y + height);
        }
        if (row + 1 < rows && indices[patch] !== indices[patch + columns]) {
          this.context.moveTo(x, y + height);
          this.context.lineTo(x + width, y + height);
        }
      }
    }
    this.stroke(3, "rgba(255, 255, 255, 0.85)");
    this.stroke(1.2, "rgba(0, 0, 0, 0.85)");
  }

  private frame({ x, y, width, height }: Rectangle): void {
    this.context.beginPath();
    this.context.rect(x, y, width, height);
    this.stroke(7, "#000000");
    this.stroke(3, "#ffffff");
  }

  private hatch({ x, y, width, height }: Rectangle): void {
    this.context.save();
    this.context.beginPath();
    this.context.rect(x, y, width, height);
    this.context.clip();
    this.context.beginPath();
    const step = 7;
    // Lines of all patches run on from one to the next.
    const first = Math.floor((x + y) / step) * step;
    for (let sum = first; sum <= x + y + width + height; sum += step) {
      this.context.moveTo(sum - y, y);
      this.context.lineTo(sum - y - height, y + height);
    }
    this.stroke(1.5, "rgba(0, 0, 0, 0.5)");
    this.context.restore();
  }

  private stroke(width: number, colour: string): void {
    this.context.lineWidth = width;
    this.context.strokeStyle = colour;
    this.context.stroke();
  }

  private fill(colour: string, { x, y, width, height }: Rectangle): void {
    this.context.fillStyle = colour;
    this.context.fillRect(x, y, width, height);
  }
}

/** How many steps each patch lies from another cluster or from the edge of the grid. */
function insideDepths(indices: Uint8Array, [rows, columns]: [number, number]): number[] {
  const depths = new Array<number>(indices.length).fill(0);
  let layer = [...indices.keys()];
  for (let depth = 1; layer.length; depth++) {
    const inner = layer.filter((patch) => {
      const [row, column] = [Math.floor(patch / columns), patch % columns];
      if (!row || !column || row === rows - 1 || column === columns - 1) return false;
      return [patch - 1, patch + 1, patch - columns, patch + columns].every(
        (other) => indices[other] === indices[patch] && depths[other] === depth - 1,
      );
    });
    inner.forEach((patch) => (depths[patch] = depth));
    layer = inner;
  }
  return depths;
}
