/** Programs that steps need and that are fetched once, through npm and cargo, into the cache. */
import { existsSync } from "node:fs";
import { cacheDir } from "../cargo.ts";
import type { Run } from "./steps.ts";

const tools = `${cacheDir}/tools`;

/** A Node binary of this major version. */
export async function nodeBinary(version: number, run: Run): Promise<string> {
  const name = `node-linux-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`;
  const prefix = `${tools}/node-${version}`;
  const binary = `${prefix}/node_modules/${name}/bin/node`;
  if (existsSync(binary)) return binary;
  const code = await run("npm", [
    "install",
    "--no-audit",
    "--no-fund",
    "--no-save",
    "--prefix",
    prefix,
    `${name}@${version}`,
  ]);
  if (code !== 0) {
    throw new Error(`Cannot install Node ${version}: npm ended with ${code}`);
  }
  return binary;
}

/** cargo-fuzz, built on first use. */
export async function cargoFuzz(run: Run): Promise<string> {
  const binary = `${tools}/bin/cargo-fuzz`;
  if (existsSync(binary)) return binary;
  const args = [
    "install",
    "--locked",
    "--version",
    "0.13.1",
    "--root",
    tools,
    "cargo-fuzz",
  ];
  // A folder of its own: the one of the workspace may be locked by a build.
  const env = { CARGO_TARGET_DIR: `${tools}/build` };
  const code = await run("cargo", args, { env });
  if (code !== 0) {
    throw new Error(`Cannot install cargo-fuzz: cargo ended with ${code}`);
  }
  return binary;
}
