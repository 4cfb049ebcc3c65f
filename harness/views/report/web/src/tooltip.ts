// Explains headings on hover and on focus.

import { make } from "./dom";

const bubble = make("div", { role: "tooltip", id: "tooltip", hidden: true });
let shownFor: HTMLElement | null = null;

/** Let an element that can have the focus show a text while it is pointed at or focused. */
export function explain(element: HTMLElement, text: string): void {
  element.addEventListener("mouseenter", () => show(element, text));
  element.addEventListener("focus", () => show(element, text));
  element.addEventListener("mouseleave", hide);
  element.addEventListener("blur", hide);
}

function show(element: HTMLElement, text: string): void {
  bubble.textContent = text;
  bubble.hidden = false;
  // A dialog lies above everything outside it.
  (element.closest("dialog") ?? document.body).append(bubble);
  element.setAttribute("aria-describedby", bubble.id);
  shownFor = element;
  const box = element.getBoundingClientRect();
  const left = Math.min(box.left, document.documentElement.clientWidth - bubble.offsetWidth - 8);
  const below = box.bottom + 6;
  const fits = below + bubble.offsetHeight < window.innerHeight;
  bubble.style.left = `${Math.max(8, left)}px`;
  bubble.style.top = `${fits ? below : box.top - bubble.offsetHeight - 6}px`;
}

function hide(): void {
  bubble.hidden = true;
  shownFor?.removeAttribute("aria-describedby");
  shownFor = null;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hide();
});
document.addEventListener("scroll", hide, { capture: true, passive: true });
