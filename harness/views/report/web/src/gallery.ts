// The gallery: every image with the clusters of one method.

import type { GalleryImage } from "./data";
import { breakable, button, choice, make, prose } from "./dom";
import { downloadButton } from "./download";
import { counted, fixed } from "./format";
import { lazily } from "./lazily";
import { type Method, methodLabels } from "./methods";
import { paint, photoOf } from "./painting";
import {
  aspectRatio,
  chosenLevel,
  clusterSizes,
  colourIndices,
  isAccepted,
  partitionsOf,
  partitionsOfMethod,
} from "./partition";
import type { View } from "./state";

// Images that are shown before the reader asks for all.
const FIRST_IMAGES = 24;

/** What tells an image apart from all others. */
export function imageKey(image: GalleryImage): string {
  return [image.run, image.set, image.name].filter(Boolean).join("/");
}

/** An image's effect, or its modularity without a control, as text; "" if it is not known. */
export function effectText(image: GalleryImage): string {
  return image.effect === null ? "" : `${image.figure} ${fixed(image.effect)}`;
}

/** The gallery's section. */
export function drawGallery(view: View): (Node | null)[] {
  const { gallery } = view.report;
  const { state } = view;
  const labels = methodLabels(gallery.methods);
  const overlay = Math.min(state.overlay, gallery.methods.length - 1);
  const shown = state.expanded.has("gallery")
    ? gallery.images
    : gallery.images.slice(0, FIRST_IMAGES);
  const options = labels.map((text, at) => ({ value: String(at), text }));
  return [
    make("p", {}, ...prose(gallery.note)),
    gallery.methods.length > 1
      ? choice("overlay", "Clusters of", options, String(overlay), (value) => {
          state.overlay = Number(value);
          view.refresh();
        })
      : null,
    make(
      "div",
      { class: "gallery" },
      ...shown.map((image) => thumbnail(image, gallery.methods[overlay] ?? null, view)),
    ),
    make(
      "p",
      { class: "below" },
      shown.length < gallery.images.length
        ? button("all gallery", `Show all ${gallery.images.length} images`, () => {
            state.expanded.add("gallery");
            view.refresh();
          })
        : null,
      downloadButton("gallery", () => gallery),
    ),
  ];
}

function thumbnail(image: GalleryImage, method: Method | null, view: View): HTMLElement {
  const found = method && partitionsOfMethod(image, method);
  const level = found && chosenLevel(found.sweep, method?.selector);
  const indices =
    found && level !== null ? colourIndices(found.sweep, level, found.map.nodes) : null;
  const clusters = indices ? counted(clusterSizes(indices).size, "cluster") : "no level chosen";
  const accepted = found && isAccepted(found.sweep, method?.selector);
  const map = found?.map ?? image.maps[0];
  const canvas = make("canvas", { "aria-hidden": "true" });
  const figure = make("figure", { class: "thumbnail" });
  if (map) {
    figure.style.setProperty("--ratio", String(aspectRatio(image, map)));
    lazily(canvas, (width) => {
      const painting = { image, map, indices, patch: null };
      void photoOf(image).then((photo) => paint(canvas, width, { ...painting, photo }));
    });
  }
  const opened = button(`open ${imageKey(image)}`, "", () => view.open(imageKey(image)));
  opened.setAttribute("aria-label", `Open ${image.name}`);
  opened.append(canvas);
  opened.disabled = partitionsOf(image).length === 0;
  figure.append(
    opened,
    make(
      "figcaption",
      {},
      make("strong", {}, ...breakable(image.name)),
      make(
        "span",
        {},
        [image.className, effectText(image), clusters, indices && !accepted ? "not accepted" : ""]
          .filter(Boolean)
          .join(" · "),
      ),
    ),
  );
  return figure;
}
