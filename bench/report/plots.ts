import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Curve, Report } from "../bench.ts";

/** Colours of one of the page's two schemes. */
export interface Scheme {
  readonly name: "light" | "dark";
  readonly ink: string;
  readonly rule: string;
  readonly mark: string;
  readonly other: string;
}

/** For light and for dark surroundings. */
export const schemes: readonly Scheme[] = [
  {
    name: "light",
    ink: "#1c2530",
    rule: "#d9dfe6",
    mark: "#2f6db5",
    other: "#a3acb8",
  },
  {
    name: "dark",
    ink: "#e4e9ef",
    rule: "#39424d",
    mark: "#6fb0f5",
    other: "#6d7783",
  },
];

function config({ ink, rule }: Scheme): NonNullable<TopLevelSpec["config"]> {
  return {
    background: "transparent",
    font: "system-ui, sans-serif",
    view: { stroke: "transparent" },
    axis: {
      labelColor: ink,
      titleColor: ink,
      gridColor: rule,
      domainColor: rule,
      tickColor: rule,
      labelFontSize: 12,
      titleFontSize: 12,
      labelLimit: 260,
    },
    text: { color: ink },
  };
}

async function svg(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  const text = await view.toSVG();
  view.finalize();
  return text;
}

/** From nothing to the first byte, for everything that was measured, on a logarithmic axis. */
export function starts(
  report: Report,
  lang: string,
  scheme: Scheme,
): Promise<string> {
  const rows = report.cases.peers?.rows ?? [];
  const values = rows.filter(({ what }) => what.endsWith(`, ${lang}`)).map(
    ({ what, figures }) => ({
      who: what.slice(0, -lang.length - 2),
      ms: figures.p50 / 1000,
      low: figures.min / 1000,
      high: figures.p90 / 1000,
      ours: what.startsWith("mote "),
    }),
  );
  const who = {
    field: "who",
    type: "nominal",
    sort: { field: "ms" },
    title: null,
  } as const;
  const scale = { type: "log" } as const;
  return svg({
    config: config(scheme),
    width: 420,
    height: { step: 26 },
    data: { values },
    layer: [
      {
        mark: { type: "rule", strokeWidth: 2, color: scheme.rule },
        encoding: {
          y: who,
          x: {
            field: "low",
            type: "quantitative",
            scale,
            title: "ms, least to p90, p50 marked",
          },
          x2: { field: "high" },
        },
      },
      {
        mark: { type: "point", filled: true, size: 90, opacity: 1 },
        encoding: {
          y: who,
          x: { field: "ms", type: "quantitative", scale },
          color: {
            condition: { test: "datum.ours", value: scheme.mark },
            value: scheme.other,
          },
        },
      },
    ],
  });
}

/** How one cost grows, on two logarithmic axes. */
export function growth(
  { name, unit, points }: Curve,
  scheme: Scheme,
): Promise<string> {
  const scale = { type: "log" } as const;
  return svg({
    config: config(scheme),
    width: 300,
    height: 190,
    data: { values: points },
    mark: {
      type: "line",
      point: { filled: true, color: scheme.mark, size: 50 },
      color: scheme.mark,
    },
    encoding: {
      x: { field: "size", type: "quantitative", scale, title: unit },
      y: { field: "ms", type: "quantitative", scale, title: "ms" },
    },
    description: name,
  });
}
