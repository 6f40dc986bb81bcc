/** Compiles the images of both languages into the cache, as a first session does. */
import { createSession } from "../../mod.ts";

for (const lang of ["python", "javascript"] as const) {
  const session = await createSession({ backend: "wasm", lang });
  await session.close();
}
