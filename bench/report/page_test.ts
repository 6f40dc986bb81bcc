/** The page as a browser shows it: on a phone and on a desk, light and dark. Needs Chromium. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import type { Report } from "../bench.ts";
import { summarize } from "../measure.ts";
import { page } from "./page.ts";

const chromium = [
  process.env.CHROMIUM ?? "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((file) => existsSync(file));

const report: Report = {
  machine: { cpu: "an <example>", cores: 2 },
  cases: {
    peers: {
      rows: [
        ["mote wasm, python", 101],
        ["python3 process, python", 7_210],
        ["docker run, python", 412_000],
        ["mote wasm, javascript", 36],
        ["node process, javascript", 48_720],
      ].map(([what, us]) => ({
        what: String(what),
        unit: "µs",
        figures: summarize([Number(us) * 0.9, Number(us), Number(us) * 1.4]),
        goal: { text: "≤ 1 ms", met: Number(us) < 1_000 },
      })),
      missing: [{ what: "bubblewrap, python", why: "spawn bwrap ENOENT" }],
    },
    growth: {
      rows: [{ what: "exponent of output", unit: "", figures: summarize([1]) }],
      curves: [{
        name: "output",
        unit: "bytes",
        exponent: 1,
        points: [1e3, 1e5, 1e7].map((size) => ({ size, ms: size / 1e4 })),
      }],
    },
  },
};

test("text of a report is text on the page", async () => {
  const html = await page(report);
  assert.match(html, /an &lt;example&gt;/);
  assert.doesNotMatch(html, /<script|src=|href="http|url\(http/);
});

test(`in Chromium${chromium ? "" : " (left out: no chromium found)"}`, {
  skip: chromium ? false : "no chromium found",
}, async (context) => {
  const { default: puppeteer } = await import("puppeteer-core");
  const dir = mkdtempSync(join(tmpdir(), "mote-page-"));
  const file = join(dir, "report.html");
  writeFileSync(file, await page(report));
  const browser = await puppeteer.launch({
    executablePath: chromium!,
    args: ["--no-sandbox", "--disable-gpu"],
    userDataDir: join(dir, "profile"),
  });
  try {
    const tab = await browser.newPage();
    const faults: string[] = [];
    tab.on("pageerror", (error) => faults.push(String(error)));
    tab.on("requestfailed", (request) => faults.push(request.url()));
    const shots = new Map<string, number>();
    for (const [where, width] of [["phone", 390], ["desk", 1280]] as const) {
      for (const scheme of ["light", "dark"]) {
        await context.test(`${where}, ${scheme}`, async () => {
          await tab.setViewport({ width, height: 844 });
          await tab.emulateMediaFeatures([{
            name: "prefers-color-scheme",
            value: scheme,
          }]);
          await tab.goto(`file://${file}`);
          const seen = await tab.evaluate(`(() => {
            const shown = (css) => [...document.querySelectorAll(css)].filter((one) => one.offsetHeight > 50).length;
            return {
              wide: document.documentElement.scrollWidth - innerWidth,
              light: shown(".plot.light"),
              dark: shown(".plot.dark"),
              rows: document.querySelectorAll("tbody tr").length,
              size: parseFloat(getComputedStyle(document.body).fontSize),
            };
          })()`);
          const plots = { light: 0, dark: 0, [scheme]: 3 };
          assert.deepEqual(seen, { wide: 0, ...plots, rows: 6, size: 16 });
          const shot = await tab.screenshot({ fullPage: true });
          shots.set(`${where}, ${scheme}`, shot.length);
        });
      }
    }
    assert.deepEqual(faults, []);
    // Pages of one colour pack to next to nothing.
    for (const [name, bytes] of shots) {
      assert.ok(bytes > 15_000, `${name}: ${bytes}`);
    }
    assert.equal(shots.size, 4);
  } finally {
    await browser.close();
    rmSync(dir, { recursive: true, force: true });
  }
});
