// Clusters' colours, which the colour-blind can tell apart, and letters, which say the same.

// Okabe and Ito (2008) without black, then lighter and darker ones; as harness/views/colours.py.
const COLOURS = [
  "#0072B2",
  "#E69F00",
  "#009E73",
  "#CC79A7",
  "#56B4E9",
  "#D55E00",
  "#F0E442",
  "#602A00",
  "#BBE1F6",
  "#00446B",
  "#EEBF99",
  "#7A4964",
];
// Further hues lie this far apart, so that none returns.
const GOLDEN = 0.618033988749895;

/** The colour of the cluster with an index; no two indices have the same. */
export function clusterColour(index: number): string {
  if (index < COLOURS.length) return COLOURS[index];
  const hue = (360 * ((index * GOLDEN) % 1)).toFixed(1);
  return `hsl(${hue} 50% ${index % 2 ? 70 : 55}%)`;
}

/** The letter of the cluster with an index: A … Z, AA, AB, … */
export function clusterLetter(index: number): string {
  const last = String.fromCharCode(65 + (index % 26));
  return index < 26 ? last : clusterLetter(Math.floor(index / 26) - 1) + last;
}
