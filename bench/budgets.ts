import { readFileSync } from "node:fs";
import type { Report } from "./bench.ts";

/** A ratio that may not be left behind, and why it is this number. */
interface Budget {
  /** The case, and the row whose p50 is looked at. */
  readonly case: string;
  readonly row: string;
  /** The row it is set against; without one the p50 itself counts. */
  readonly against?: string;
  /** The p50 of `against` has to be this many times that of `row`. */
  readonly atLeast?: number;
  /** The p50 (over that of `against`) may be this at most. */
  readonly atMost?: number;
  readonly reason: string;
}

/** Every budget that a report breaks or cannot show. */
export function brokenBudgets(report: Report): string[] {
  const file = new URL("budgets.json", import.meta.url);
  const budgets: Budget[] = JSON.parse(readFileSync(file, "utf8"));
  return budgets.flatMap((budget) => broken(budget, report));
}

function broken(budget: Budget, { cases }: Report): string[] {
  const { atLeast, atMost, reason } = budget;
  const rows = cases[budget.case]?.rows;
  // A short run asks some questions only.
  if (!rows) return [];
  const p50 = (what: string) =>
    rows.find((row) => row.what.trim() === what)?.figures.p50;
  const own = p50(budget.row);
  const other = budget.against === undefined ? undefined : p50(budget.against);
  if (
    own === undefined || (budget.against !== undefined && other === undefined)
  ) {
    return [
      `${budget.case}: no figure for ${budget.row} or what it is set against`,
    ];
  }
  const name = `${budget.case}: ${budget.row}`;
  if (atLeast !== undefined && other! / own < atLeast) {
    return [
      `${name} is ${
        (other! / own).toFixed(1)
      } times faster than ${budget.against}, not ${atLeast}: ${reason}`,
    ];
  }
  const value = other === undefined ? own : own / other;
  return atMost !== undefined && value > atMost
    ? [`${name} is ${value.toFixed(2)}, not ${atMost} at most: ${reason}`]
    : [];
}
