import type { Benchmark } from "./bench.ts";
import { containers } from "./cases/containers.ts";
import { cpu } from "./cases/cpu.ts";
import { crowd } from "./cases/crowd.ts";
import { edges } from "./cases/edges.ts";
import { first } from "./cases/first.ts";
import { growth } from "./cases/growth.ts";
import { kubernetes } from "./cases/kubernetes.ts";
import { live } from "./cases/live.ts";
import { startOfPeers } from "./cases/peers.ts";
import { policy } from "./cases/policy.ts";
import { pool } from "./cases/pool.ts";
import { run } from "./cases/run.ts";
import { start } from "./cases/start.ts";
import { tools } from "./cases/tools.ts";

/** Every question, in the order in which they are asked. */
export const cases: readonly Benchmark[] = [
  start,
  startOfPeers,
  run,
  tools,
  edges,
  crowd,
  live,
  cpu,
  growth,
  first,
  policy,
  pool,
  containers,
  kubernetes,
];
