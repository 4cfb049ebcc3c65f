// The data of a report, as JSON in the page. Written by harness/views/report/, read by the page.
// A method is a record of labels: run (of several), clusterer, selector, graph, extractor, image_set,
// layer, head; names without a value are left out. Two records are of one method if all names that
// both have are equal.
// All text is plain text: the page makes text nodes of it, and never parses it as HTML. In sentences,
// commands stand between backticks.
// null is "not computed". Arrays of numbers may hold null.

export interface Report {
  schema: 1;
  title: string; // the run's name, or "A and B"
  live: boolean; // served by `harness view`: the page asks for data again
  answer: string[]; // sentences, the most important first
  compared: string[]; // what was compared: images, model, methods, controls, draws
  limits: string[]; // what it does not show
  glossary: Record<string, { heading: string; text: string }>; // by column name
  leaderboard: Table; // one row a method
  tests: Table; // method × control: p, z, significant, maps
  scores: Table | null;
  heads: Table | null; // one row a method and head; null if the run has one head
  layers: LayerFigures | null; // only if the run has several layers or heads
  failures: FailureGroup[];
  curves: CurveGroup[];
  effects: EffectRow[]; // for bars with intervals; also the images' own effects as dots
  pvalues: PValues[];
  comparison: Comparison | null;
  gallery: Gallery;
  progress: ProgressState | null; // of a live view
  provenance: { command: string; facts: [string, string][] }[]; // one a run
}

export type Cell = string | number | boolean | null;
export interface Column {
  name: string; // key of the glossary
  heading: string;
  kind: "text" | "number" | "integer" | "share" | "p" | "interval" | "boolean";
  digits?: number;
  best?: "high" | "low"; // which end is good: arrow in the heading
  // Of kind "interval": the names of the columns with its ends (low is the column itself) and with
  // the figure that it is the interval of.
  low?: string;
  high?: string;
  estimate?: string;
  filter?: boolean; // offered as a filter: clusterer, selector, graph, layer, head, control
  hidden?: boolean;
}
export interface Table {
  columns: Column[];
  rows: Cell[][];
  note?: string;
}

export interface FailureGroup {
  reason: string;
  where: string;
  count: number;
  examples: string[];
}

export interface Series {
  label: string; // "images", or the control's name
  control: boolean;
  n: number; // maps behind it
  mean: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
}
export interface CurveGroup {
  // one method without selector: clusterer, graph, extractor (+ layer, head)
  method: Record<string, string>;
  levels: number[]; // fraction of pairs dropped
  modularity: Series[];
  clusters: Series[];
  chosen: { selector: string; level: number; count: number }[]; // on how many maps each level was chosen
}
export interface EffectRow {
  method: Record<string, string>;
  figure: "effect" | "modularity"; // modularity without a control
  effect: number | null;
  low: number | null;
  high: number | null;
  images: [string, number | null][]; // name, the image's own effect (mean of heads)
  omitted?: number; // so many images have no dot
}
export interface PValues {
  method: Record<string, string>;
  control: string;
  values: number[];
  smallest: number;
  n: number;
} // n: before values were thinned

export interface LayerFigures {
  layers: number[];
  heads: number[];
  figures: {
    name: string;
    heading: string;
    method: Record<string, string>;
    values: (number | null)[][];
  }[]; // layers × heads
  depth: {
    name: string;
    heading: string;
    method: Record<string, string>;
    mean: (number | null)[];
    low: (number | null)[];
    high: (number | null)[];
    band: string;
  }[];
}

export interface Comparison {
  names: [string, string];
  table: Table;
  notes: string[];
}

export interface Gallery {
  note: string; // which images are shown, and of how many; what was re-encoded or left out
  methods: Record<string, string>[]; // clusterer, selector, graph, extractor
  images: GalleryImage[]; // each run's by their effect, the largest first
}
export interface GalleryImage {
  name: string;
  set: string;
  className: string;
  figure: "effect" | "modularity"; // modularity without a control
  effect: number | null;
  width: number;
  height: number; // of the picture, pixels of the original
  picture: string | null; // data: URI, or null (stored maps without an image)
  note?: string; // why it has no picture
  run?: string; // of a report of several runs
  maps: GalleryMap[];
}
export interface GalleryMap {
  run?: string;
  extractor: string;
  layer: number;
  head: number;
  nodes: number;
  grid: [number, number] | null; // rows, columns; null: nodes are shown in a strip
  region: [number, number, number, number] | null; // top, left, height, width, as fractions of the image
  attention: { top: number; targets: string; weights: string } | null;
  // for each patch its strongest `top` targets: base64 of uint16 little endian (nodes × top),
  // and base64 of uint8 (nodes × top), 255 = the patch's own largest weight
  sweeps: Sweep[];
}
export interface Sweep {
  clusterer: string;
  graph: string;
  repeat: number;
  levels: number[];
  thresholds: number[];
  modularity: (number | null)[];
  clusters: number[];
  coverage: number[];
  noise: {
    control: string;
    draws: number;
    mean: (number | null)[];
    low: (number | null)[];
    high: (number | null)[];
  }[];
  colours: string; // base64 of uint8 (levels × nodes): number of the cluster's colour, which stays with it from level to level;
  // 255: in no cluster, or alone in one
  selections: {
    selector: string;
    level: number | null;
    /* index */ accepted: boolean;
    reason: string;
    plateau: [number, number] | null; // indices, both inside
    tests: { control: string; p: number; q: number | null; z: number | null }[];
    stability: { kind: string; jaccard: number | null }[];
    effect: number | null;
  }[];
}

export interface ProgressState {
  done: number;
  failed: number;
  skipped: number; // as other cells failed
  total: number;
  secondsLeft: number | null;
  finished: boolean;
  steps: string;
}
