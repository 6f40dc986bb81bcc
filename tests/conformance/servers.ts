/** Servers of this machine for the tests of requests. */
import { createServer, type RequestListener, type Server } from "node:http";
import { createSocket } from "node:dgram";
import type { AddressInfo } from "node:net";

/** A server on loopback for as long as `body` takes. */
export async function withServer<T>(
  answer: RequestListener,
  body: (origin: string, port: number) => Promise<T>,
): Promise<T> {
  const server: Server = createServer(answer);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  try {
    return await body(`http://127.0.0.1:${port}`, port);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

/** A resolver on loopback that gives the next of `answers` to every question for an IPv4 address. */
export async function withResolver<T>(
  answers: readonly string[],
  body: (server: string, asked: () => number) => Promise<T>,
): Promise<T> {
  const socket = createSocket("udp4");
  let asked = 0;
  socket.on("message", (question, { port, address }) => {
    const type = question.readUInt16BE(question.length - 4);
    const reply = type === 1 ? record(answers[asked++ % answers.length]!) : [];
    const head = new Uint8Array(question);
    head.set([0x81, 0x80], 2);
    head.set([0, reply.length ? 1 : 0], 6);
    head.set([0, 0, 0, 0], 8);
    socket.send(new Uint8Array([...head, ...reply]), port, address);
  });
  await new Promise<void>((done) => socket.bind(0, "127.0.0.1", done));
  try {
    return await body(`127.0.0.1:${socket.address().port}`, () => asked);
  } finally {
    await new Promise<void>((done) => socket.close(done));
  }
}

function record(address: string): number[] {
  return [
    0xc0,
    12,
    0,
    1,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    4,
    ...address.split(".").map(Number),
  ];
}
