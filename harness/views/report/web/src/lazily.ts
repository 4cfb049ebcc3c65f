// Draws what is nearly in sight, as wide as there is room, and then the rest bit by bit.

// Pixels beyond the window in which something is nearly in sight.
const MARGIN = 400;

// Milliseconds between two that are drawn out of sight, and until one looks for more.
const PAUSE = 20;
const LONG_PAUSE = 1000;

type Drawer = (width: number) => void;

const drawers = new WeakMap<Element, Drawer>();
const drawnWidths = new WeakMap<Element, number>();
const waiting = new Set<Element>();

const seen = new IntersectionObserver(
  (entries) => {
    entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => begin(target));
    [...waiting].filter((element) => !element.isConnected).forEach(forget);
  },
  { rootMargin: `${MARGIN}px` },
);

const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.isConnected) redraw(target);
    else resized.unobserve(target);
  }
});

// Paper shows what nobody has scrolled to, and photos take time to decode.
window.addEventListener("load", drawRest);
window.addEventListener("beforeprint", () =>
  [...waiting].filter((element) => element.isConnected).forEach(begin),
);

/** Call a drawer with the element's width once it is nearly in sight, and when its width changes. */
export function lazily(element: Element, drawer: Drawer): void {
  drawers.set(element, drawer);
  waiting.add(element);
  seen.observe(element);
}

/** Draw at once what is nearly in sight, so that content that is replaced does not flicker. */
export function drawNearby(): void {
  for (const element of waiting) {
    const { top, bottom } = element.getBoundingClientRect();
    if (element.isConnected && top < window.innerHeight + MARGIN && bottom > -MARGIN) {
      begin(element);
    }
  }
}

/** Draw one of those that wait, and the others after a pause, in which the page answers. */
function drawRest(): void {
  const next = [...waiting].find((element) => element.isConnected);
  if (next) begin(next);
  setTimeout(drawRest, next ? PAUSE : LONG_PAUSE);
}

function begin(element: Element): void {
  forget(element);
  redraw(element);
  resized.observe(element);
}

function forget(element: Element): void {
  seen.unobserve(element);
  waiting.delete(element);
}

function redraw(element: Element): void {
  const width = Math.floor(element.clientWidth);
  // A scrollbar that comes and goes must not set off another drawing.
  if (width === 0 || Math.abs(width - (drawnWidths.get(element) ?? 0)) < 20) return;
  drawnWidths.set(element, width);
  drawers.get(element)?.(width);
}
