import type { Answers, Report, Row } from "../bench.ts";
import { growth, type Scheme, schemes, starts } from "./plots.ts";

/** A report as one page that needs nothing else. */
export async function page(report: Report): Promise<string> {
  const sections: string[] = [];
  for (const lang of ["python", "javascript"]) {
    if (!report.cases.peers) break;
    const name = lang === "python" ? "Python" : "JavaScript";
    sections.push(
      `<h2>${name}: from nothing to the first byte</h2>`,
      await both(
        (scheme) => starts(report, lang, scheme),
        `Start times, ${name}`,
      ),
    );
  }
  for (const [name, answers] of Object.entries(report.cases)) {
    sections.push(await section(name, answers));
  }
  return html(report, sections.join("\n"));
}

async function section(name: string, answers: Answers): Promise<string> {
  const { rows, missing = [], curves = [] } = answers;
  const plots: string[] = [];
  for (const curve of curves) {
    const title = `${curve.name}: exponent ${curve.exponent.toFixed(2)}`;
    plots.push(
      `<figure><figcaption>${escaped(title)}</figcaption>${await both(
        (scheme) => growth(curve, scheme),
        title,
      )}</figure>`,
    );
  }
  const gaps = missing.map(({ what, why }) =>
    `<li><b>${escaped(what)}</b>: ${escaped(why)}</li>`
  );
  return `<h2>${escaped(name)}</h2>
${plots.length ? `<div class="plots">${plots.join("")}</div>` : ""}
${table(rows)}
${
    gaps.length
      ? `<details><summary>${gaps.length} not measured here</summary><ul>${
        gaps.join("")
      }</ul></details>`
      : ""
  }`;
}

/** The plot in both schemes; the page shows the one that fits. */
async function both(
  draw: (scheme: Scheme) => Promise<string>,
  title: string,
): Promise<string> {
  const drawn: string[] = [];
  for (const scheme of schemes) {
    const svg = await draw(scheme);
    drawn.push(
      `<div class="plot ${scheme.name}" role="img" aria-label="${
        escaped(title)
      }">${svg}</div>`,
    );
  }
  return drawn.join("");
}

function table(rows: readonly Row[]): string {
  const digits = (n: number) => n >= 100 ? n.toFixed(0) : n.toPrecision(3);
  const lines = rows.map(({ what, unit, figures, ratio, goal }) => {
    const state = goal
      ? `<span class="${goal.met ? "met" : "missed"}">${
        goal.met ? "met" : "missed"
      }</span> ${escaped(goal.text)}`
      : "";
    const numbers = [figures.min, figures.p50, figures.p90, figures.p99].map((
      n,
    ) => `<td class="n">${digits(n)}</td>`);
    return `<tr><th scope="row">${escaped(what.trim())}</th>${
      numbers.join("")
    }<td>${escaped(unit)}</td><td class="n">${figures.n}</td><td>${
      escaped(ratio ?? "")
    }</td><td>${state}</td></tr>`;
  });
  return `<div class="wide"><table><thead><tr><th></th><th>min</th><th>p50</th><th>p90</th><th>p99</th><th></th><th>n</th><th>ratio</th><th>goal</th></tr></thead><tbody>${
    lines.join("")
  }</tbody></table></div>`;
}

function escaped(text: string): string {
  const names: Record<string, string> = {
    "&": "amp",
    "<": "lt",
    ">": "gt",
    '"': "quot",
  };
  return text.replace(/[&<>"]/g, (one) => `&${names[one]};`);
}

const style = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2530; --quiet: #5b6673; --rule: #d9dfe6; --good: #1d7a46; --bad: #b3372b; }
@media (prefers-color-scheme: dark) { :root { --paper: #14191f; --ink: #e4e9ef; --quiet: #9aa6b3; --rule: #39424d; --good: #5cc98a; --bad: #f0897e; } }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 60rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { line-height: 1.2; margin-bottom: .25rem; } h2 { margin-top: 2.5rem; } p.machine, details, figcaption { color: var(--quiet); font-size: .875rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .875rem; width: 100%; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--rule); white-space: nowrap; } tbody th { font-weight: 500; white-space: normal; min-width: 12rem; }
td.n, thead th:nth-child(n+2):nth-child(-n+5), thead th:nth-child(7) { text-align: right; font-variant-numeric: tabular-nums; } .met { color: var(--good); } .missed { color: var(--bad); font-weight: 600; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 1rem; } figure { margin: 0; }
.plot svg { max-width: 100%; height: auto; } .plot.dark { display: none; }
@media (prefers-color-scheme: dark) { .plot.light { display: none; } .plot.dark { display: block; } }
`;

function html({ machine }: Report, body: string): string {
  const facts = Object.entries(machine).map(([name, value]) =>
    `${name} ${value}`
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mote: bench</title>
<style>${style}</style>
<h1>Mote: bench</h1>
<p class="machine">${escaped(facts.join(" · "))}</p>
${body}
</html>
`;
}
