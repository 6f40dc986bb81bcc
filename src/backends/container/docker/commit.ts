import { randomBytes } from "node:crypto";
import type { ImageConfig } from "./api.ts";
import type { Client } from "./client.ts";

/** Keeps what a container changed in its image's own folders as an image, which starts what the first one does. */
export async function commitContainer(
  client: Client,
  id: string,
  imageId: string,
): Promise<string> {
  const { docker } = client;
  const action = "keep the container as an image";
  const repo = "localhost/mote-commit";
  const tag = randomBytes(8).toString("hex");
  try {
    const image = await client.bounded(
      { action },
      (abortSignal) => docker.getImage(imageId).inspect({ abortSignal }),
    );
    const config: ImageConfig = image.Config ?? {};
    const list = (value: ImageConfig["Cmd"]) =>
      JSON.stringify(typeof value === "string" ? [value] : value ?? []);
    const changes = [
      `ENTRYPOINT ${list(config.Entrypoint)}`,
      `CMD ${list(config.Cmd)}`,
      `USER ${config.User || "0"}`,
      `WORKDIR ${config.WorkingDir || "/"}`,
      // Else containers of that image would look like ours.
      "LABEL mote.owner=",
      "LABEL mote.purpose=",
    ];
    const query = { repo, tag, pause: true, changes: changes.join("\n") };
    await client.bounded(
      { action, timeMs: 600_000 },
      (abortSignal) =>
        docker.getContainer(id).commit(
          { ...query, abortSignal },
        ),
    );
    return `${repo}:${tag}`;
  } catch (error) {
    throw client.fault(action, error);
  }
}
