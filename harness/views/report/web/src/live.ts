// A live view: asks for the data again and again. Nothing else of the page makes requests.

import type { Report } from "./data";
import type { Page } from "./page";

const PAUSE = 2000;

/** Ask for the data beside the page every two seconds, until the run has finished. */
export async function follow(page: Page): Promise<void> {
  // The address keeps what the server knows its reader by.
  const address = new URL(`data.json${location.search}`, location.href);
  let before = "";
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    try {
      const answer = await fetch(address, { cache: "no-cache" });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const text = await answer.text();
      page.say("");
      if (text === before) continue;
      before = text;
      const report = JSON.parse(text) as Report;
      page.update(report);
      if (report.progress?.finished) return;
    } catch {
      page.say("The view does not answer; it shows what it last knew, and asks again.");
    }
  }
}
