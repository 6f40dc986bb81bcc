import { createSession, probe, type SessionOptions } from "../../mod.ts";
import process from "node:process";
import { assertOutput, type Lang, type Peer, since } from "./peer.ts";

type Wall = "wasm" | "hyperlight" | "docker" | "podman" | "kubernetes";

/** The image of a container backend; MOTE_TEST_IMAGES puts another prefix before python:1 and node:1. */
function image(backend: Wall, lang: Lang): { image?: string } {
  const prefix = process.env.MOTE_TEST_IMAGES;
  if (!prefix || backend === "wasm" || backend === "hyperlight") return {};
  return { image: `${prefix}${lang === "python" ? "python" : "node"}:1` };
}

/** Options of a session behind a wall. */
export function options(backend: Wall, lang: Lang): SessionOptions<Wall> {
  return { backend, lang, ...image(backend, lang) };
}

/** Mote behind one wall. */
export function mote(backend: Wall, lang: Lang): Peer {
  const name = `mote ${backend}`;
  return {
    name,
    lang,
    async missing() {
      const { available, reason } = (await probe())[backend];
      return available ? undefined : reason;
    },
    async fresh(code, expected) {
      let first = 0;
      const started = performance.now();
      const session = await createSession(options(backend, lang));
      try {
        const { stdout } = await session.run(code, {
          onStdout: () => void (first ||= since(started)),
        });
        assertOutput(name, stdout, expected);
      } finally {
        await session.close();
      }
      return first;
    },
  };
}
