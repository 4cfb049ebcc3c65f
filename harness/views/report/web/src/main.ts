// Draws the report whose data lie in the page.

import type { Report } from "./data";
import { follow } from "./live";
import { Page } from "./page";

const data = document.getElementById("data");
const report = JSON.parse(data?.textContent ?? "") as Report;
const page = new Page(report);
if (report.live) void follow(page);
