"""Reads packages.csv, says where the space goes, writes summary.json and chart.svg."""

import csv
import json
import math
import os
import statistics
import xml.sax.saxutils as xml

NOUN = os.environ.get("NOUN", "packages")
SECTIONS = 10
TICK = 5  # each bin doubles the size, so a tick is 32 times the one before


def human(kib):
    for unit in ("KiB", "MiB", "GiB"):
        if kib < 1024 or unit == "GiB":
            return f"{kib:.1f} {unit}" if kib < 10 else f"{kib:,.0f} {unit}"
        kib /= 1024


def load(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = [(row["name"], row["group"], int(row["kib"])) for row in csv.DictReader(file)]
    return [row for row in rows if row[2] > 0]


def by_group(rows):
    groups = {}
    for _, group, kib in rows:
        count, total = groups.get(group, (0, 0))
        groups[group] = (count + 1, total + kib)
    return sorted(groups.items(), key=lambda item: -item[1][1])


def outliers(rows):
    """Sizes spread over five powers of ten, so the fences of Tukey stand on their logarithms."""
    logs = [math.log2(kib) for _, _, kib in rows]
    first, _, third = statistics.quantiles(logs, n=4)
    fence = third + 1.5 * (third - first)
    return sorted((row for row in rows if math.log2(row[2]) > fence), key=lambda row: -row[2])


def histogram(rows, least):
    """How many are in each bin, and how many of them from the size `least` on."""
    bins = [[0, 0] for _ in range(int(math.log2(max(kib for _, _, kib in rows))) + 1)]
    for _, _, kib in rows:
        bins[int(math.log2(kib))][0] += 1
        bins[int(math.log2(kib))][1] += kib >= least
    return bins


def summarise(rows):
    sizes = sorted((kib for _, _, kib in rows), reverse=True)
    total = sum(sizes)
    tenth = max(1, len(sizes) // 10)
    return {
        "count": len(rows),
        "totalKib": total,
        "medianKib": statistics.median(sizes),
        "meanKib": round(total / len(rows), 1),
        "shareOfLargestTenth": round(sum(sizes[:tenth]) / total, 3),
        "groups": [
            {"group": group, "count": count, "kib": kib, "share": round(kib / total, 3)}
            for group, (count, kib) in by_group(rows)
        ],
        "outliers": [{"name": name, "group": group, "kib": kib} for name, group, kib in outliers(rows)],
    }


STYLE = """
svg { --paper: #fbfaf7; --ink: #22252b; --soft: #6d7280; --line: #e4e1d9; --bar: #3b6fd4; --rest: #a9c0ec; --mark: #d9542b; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #15171c; --ink: #eceef2; --soft: #9aa1af; --line: #2c3038; --bar: #7aa2f7; --rest: #394a73; --mark: #ff9e64; }
}
.paper { fill: var(--paper); }
text { font: 13px system-ui, "Segoe UI", Roboto, sans-serif; fill: var(--ink); }
.title { font-size: 22px; font-weight: 650; }
.panel { font-size: 14px; font-weight: 600; }
.soft { fill: var(--soft); }
.small { font-size: 11px; }
.bar { fill: var(--bar); }
.rest { fill: var(--rest); }
.mark { fill: var(--mark); }
.grid { stroke: var(--line); }
.rule { stroke: var(--mark); stroke-width: 1.5; stroke-dasharray: 4 3; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
"""


class Chart:
    def __init__(self, width, height):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{width}" height="{height}" rx="14"/>',
        ]

    def text(self, x, y, words, css=""):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{css}">{xml.escape(words)}</text>')

    def bar(self, x, y, width, height, css, words):
        self.parts.append(
            f'<rect class="{css}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height:.1f}" rx="3">'
            f"<title>{xml.escape(words)}</title></rect>"
        )

    def line(self, x1, y1, x2, y2, css):
        self.parts.append(f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')

    def save(self, path):
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join([*self.parts, "</svg>\n"]))


def draw_groups(chart, summary, left, top, width):
    groups = summary["groups"][:SECTIONS]
    rest = summary["groups"][SECTIONS:]
    if rest:
        groups = groups + [
            {
                "group": f"{len(rest)} others",
                "count": sum(one["count"] for one in rest),
                "kib": sum(one["kib"] for one in rest),
                "share": sum(one["share"] for one in rest),
            }
        ]
    chart.text(left, top, "Largest groups", "panel")
    label, figures = 116, 120
    longest = max(one["kib"] for one in groups)
    room = width - label - figures
    for n, one in enumerate(groups):
        y = top + 18 + n * 27
        size = room * one["kib"] / longest
        last = bool(rest) and n == len(groups) - 1
        chart.text(left + label - 10, y + 14, one["group"][:16], "end")
        chart.bar(left + label, y, size, 19, "rest" if last else "bar", f'{one["group"]}: {one["count"]} {NOUN}')
        chart.text(left + label + size + 8, y + 14, f'{human(one["kib"])} · {one["share"]:.0%}', "soft small")


def draw_histogram(chart, rows, summary, left, top, width, height):
    chart.text(left, top, "How large one is", "panel")
    far = summary["outliers"]
    far_from = min((one["kib"] for one in far), default=math.inf)
    bins = histogram(rows, far_from)
    base = top + height - 24
    step = width / len(bins)
    unit = (base - top - 44) / max(count for count, _ in bins)
    chart.line(left, base, left + width, base, "grid")
    for n, (count, outside) in enumerate(bins):
        x, words = left + n * step + 1.5, f"{count} from {human(2**n)} to {human(2 ** (n + 1))}"
        if count > outside:
            chart.bar(x, base - count * unit, step - 3, (count - outside) * unit, "bar", words)
        if outside:
            chart.bar(x, base - outside * unit, step - 3, outside * unit, "mark", words)
        if n % TICK == 0:
            chart.text(left + n * step, base + 17, f"{human(2**n)}".replace(".0", ""), "soft small")
    at = left + math.log2(summary["medianKib"]) * step
    chart.line(at, top + 30, at, base, "rule")
    chart.text(at, top + 24, f'median {human(summary["medianKib"])}', "small middle")
    if far:
        chart.text(left + width, top + 44, f"{len(far)} outliers, from {human(far_from)}", "small end")


def draw(rows, summary, path):
    width, height = 920, 470
    chart = Chart(width, height)
    chart.text(36, 52, f'{summary["count"]:,} {NOUN} take {human(summary["totalKib"])}', "title")
    chart.text(
        36,
        76,
        f'The largest tenth of them holds {summary["shareOfLargestTenth"]:.0%} of it.',
        "soft",
    )
    draw_groups(chart, summary, 36, 120, 470)
    draw_histogram(chart, rows, summary, 550, 120, 334, 316)
    chart.save(path)


def main():
    rows = load("packages.csv")
    summary = summarise(rows)
    with open("summary.json", "w", encoding="utf-8") as file:
        json.dump(summary, file, indent=2)
    draw(rows, summary, "chart.svg")

    print(f'{summary["count"]:,} {NOUN} take {human(summary["totalKib"])};', end=" ")
    print(f'half of them stay below {human(summary["medianKib"])},', end=" ")
    print(f'the largest tenth holds {summary["shareOfLargestTenth"]:.0%}.')
    print()
    for one in summary["groups"][:5]:
        bar = "█" * max(1, round(one["share"] * 40))
        print(f'  {one["group"][:14]:<14} {human(one["kib"]):>9}  {one["share"]:>4.0%}  {bar}')
    print()
    names = ", ".join(f'{one["name"]} ({human(one["kib"])})' for one in summary["outliers"][:3])
    print(f'{len(summary["outliers"])} stand out' + (f", first of all {names}." if names else "."))


main()
