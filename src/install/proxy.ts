import { lookup } from "node:dns/promises";
import { BlockList, connect, isIP, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import type { Connection } from "../backends/backend.ts";

const _headBytesMax = 16_384;
const _connectMs = 20_000;
const _ports: ReadonlySet<number> = new Set([80, 443]);
const _mostConnections = 256;
const _encoder = new TextEncoder();
const _latin = new TextDecoder("latin1");

/** Where a client may not go: everything that is not the public network. */
const _notPublic: readonly [string, number, "ipv4" | "ipv6"][] = [
  ["0.0.0.0", 8, "ipv4"],
  ["10.0.0.0", 8, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["168.63.129.16", 32, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.0.0.0", 24, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["198.18.0.0", 15, "ipv4"],
  ["224.0.0.0", 3, "ipv4"],
  ["::", 96, "ipv6"],
  ["::ffff:0:0", 96, "ipv6"],
  ["64:ff9b::", 96, "ipv6"],
  ["64:ff9b:1::", 48, "ipv6"],
  ["2002::", 16, "ipv6"],
  ["fc00::", 7, "ipv6"],
  ["fe80::", 10, "ipv6"],
  ["ff00::", 8, "ipv6"],
];

/** What a proxy lets through. */
export interface ProxyRules {
  /** Hosts, with their ports, that were named by the user: they may be anywhere. */
  readonly named: ReadonlySet<string>;
  /** Names may lead anywhere: this network gives private addresses to what is public. */
  readonly anywhere?: boolean;
  /** The only hosts there are, by name or by address, with their ports; without it the whole public network. */
  readonly only?: (
    host: string,
    port: number,
  ) => "name" | "address" | undefined;
  /** The proxy that the host itself has to use. */
  readonly upstream?: URL | undefined;
}

/** A request for a connection, as its first line says it. */
interface Wish {
  readonly host: string;
  readonly port: number;
  /** What is to be sent on; empty for a tunnel. */
  readonly head: string;
}

class _Refused extends Error {
  readonly status: string;

  constructor(status: string, message: string) {
    super(message);
    this.status = status;
  }
}

/** An HTTP proxy for one guest, to ports 80 and 443 of the public network. What the guest sends is not believed. */
export class Proxy {
  readonly #rules: ProxyRules;
  readonly #own = _ownAddresses();
  readonly #sockets = new Set<Socket>();
  #closed = false;

  /** A proxy with these rules. */
  constructor(rules: ProxyRules) {
    this.#rules = rules;
  }

  /** Serves a connection; never throws. */
  readonly take = (connection: Connection): void => {
    this.#serve(connection).catch(() => {}).finally(() => connection.close());
  };

  /** Ends all connections. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  async #serve(connection: Connection): Promise<void> {
    const input = connection.input[Symbol.asyncIterator]();
    let socket: Socket;
    let rest: Uint8Array;
    try {
      const { head, after } = await _head(input);
      const wish = _wish(head);
      socket = await this.#reach(wish);
      rest = after;
      if (wish.head === "") {
        await connection.write(_encoder.encode("HTTP/1.1 200 OK\r\n\r\n"));
      } else socket.write(wish.head);
    } catch (error) {
      const status = error instanceof _Refused
        ? error.status
        : "502 Bad Gateway";
      const text = `${(error as Error).message}\n`;
      await connection.write(_encoder.encode(
        `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${
          _encoder.encode(text).byteLength
        }\r\nConnection: close\r\n\r\n${text}`,
      ));
      return;
    }
    try {
      await Promise.all([
        _toSocket(socket, rest, input),
        _fromSocket(socket, connection),
      ]);
    } finally {
      socket.destroy();
      this.#sockets.delete(socket);
    }
  }

  async #reach(wish: Wish): Promise<Socket> {
    if (this.#closed || this.#sockets.size >= _mostConnections) {
      throw new _Refused("503 Service Unavailable", "too many connections");
    }
    const { host, port } = wish;
    const named = this.#rules.named.has(`${host}:${port}`);
    const granted = this.#rules.only?.(host, port);
    if (this.#rules.only && !granted) {
      throw new _Refused(
        "403 Forbidden",
        `${host}:${port} is not in rights.net`,
      );
    }
    if (!named && !granted && !_ports.has(port)) {
      throw new _Refused("403 Forbidden", `port ${port} is not 80 or 443`);
    }
    const { upstream } = this.#rules;
    if (upstream) return await this.#through(upstream, wish);
    const address = await this.#address(host, named, granted === "address");
    return await this.#connect(address, port);
  }

  async #address(
    host: string,
    named: boolean,
    literal: boolean,
  ): Promise<string> {
    const found = isIP(host)
      ? [{ address: host }]
      : await lookup(host, { all: true });
    for (const { address } of found) {
      const fine = named || this.#rules.anywhere
        ? !_isLinkLocal(address)
        : literal
        ? !_isLinkLocal(address) && !_isOwn(address) && !this.#own.has(address)
        : _isPublic(address) && !this.#own.has(address);
      if (fine) return address;
    }
    throw new _Refused(
      "403 Forbidden",
      `${host} is not in the public network, and no setting of the host names it`,
    );
  }

  #connect(address: string, port: number): Promise<Socket> {
    return new Promise((resolve, reject) => {
      // Half-open: one side may have said everything before the other has.
      const socket = connect({ host: address, port, allowHalfOpen: true });
      this.#sockets.add(socket);
      const fail = (error: Error) => {
        clearTimeout(timer);
        this.#sockets.delete(socket);
        socket.destroy();
        reject(error);
      };
      const timer = setTimeout(
        () => fail(new Error(`no connection within ${_connectMs} ms`)),
        _connectMs,
      );
      socket.once("error", fail);
      socket.once("connect", () => {
        clearTimeout(timer);
        socket.off("error", fail);
        socket.on("error", () => socket.destroy());
        resolve(socket);
      });
    });
  }

  async #through(upstream: URL, { host, port }: Wish): Promise<Socket> {
    const address = upstream.hostname.replace(/^\[|\]$/g, "");
    const socket = await this.#connect(address, Number(upstream.port || 80));
    const login = upstream.username === ""
      ? ""
      : `Proxy-Authorization: Basic ${
        btoa(
          `${decodeURIComponent(upstream.username)}:${
            decodeURIComponent(upstream.password)
          }`,
        )
      }\r\n`;
    const to = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    socket.write(`CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n${login}\r\n`);
    const answer = await _answer(socket);
    if (/^HTTP\/1\.[01] 2\d\d/.test(answer)) return socket;
    socket.destroy();
    this.#sockets.delete(socket);
    throw new Error(`the host's proxy says ${answer.split("\r\n")[0]}`);
  }
}

/** Reads until the blank line. */
async function _head(
  input: AsyncIterator<Uint8Array>,
): Promise<{ head: string; after: Uint8Array }> {
  let bytes = new Uint8Array(0);
  for (;;) {
    const text = _latin.decode(bytes);
    const end = text.indexOf("\r\n\r\n");
    if (end >= 0) {
      return { head: text.slice(0, end), after: bytes.subarray(end + 4) };
    }
    if (bytes.byteLength > _headBytesMax) {
      throw new _Refused("431 Request Header Fields Too Large", "too long");
    }
    const { value, done } = await input.next();
    if (done) throw new _Refused("400 Bad Request", "it ended in its head");
    const joined = new Uint8Array(bytes.byteLength + value.byteLength);
    joined.set(bytes);
    joined.set(value, bytes.byteLength);
    bytes = joined;
  }
}

function _wish(head: string): Wish {
  const bad = (why: string) => new _Refused("400 Bad Request", why);
  const [line = "", ...fields] = head.split("\r\n");
  const match = /^([A-Z]{1,20}) (\S{1,8192}) (HTTP\/1\.[01])$/.exec(line);
  if (!match) throw bad("no request of HTTP/1");
  const [, method = "", target = "", version = ""] = match;
  if (method === "CONNECT") {
    const to = /^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):(\d{1,5})$/
      .exec(target);
    if (!to) throw bad("no host and port");
    const host = to[1]!.replace(/^\[|\]$/g, "").toLowerCase();
    return { host, port: Number(to[2]), head: "" };
  }
  let url: URL;
  try {
    url = new URL(target);
  } catch {
    throw bad("no absolute address");
  }
  if (url.protocol !== "http:") throw bad("only http is forwarded");
  // One request a connection: the next may be for another host.
  const kept = fields.filter((field) =>
    !/^(proxy-[a-z-]+|connection|keep-alive|host)\s*:/i.test(field)
  );
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || 80),
    head: [
      `${method} ${url.pathname}${url.search} ${version}`,
      `Host: ${url.host}`,
      ...kept,
      "Connection: close",
      "\r\n",
    ].join("\r\n"),
  };
}

async function _toSocket(
  socket: Socket,
  first: Uint8Array,
  input: AsyncIterator<Uint8Array>,
): Promise<void> {
  const send = async (bytes: Uint8Array) => {
    if (bytes.byteLength === 0 || socket.write(bytes)) return;
    await new Promise<void>((go) => {
      const done = () => {
        socket.off("drain", done);
        socket.off("close", done);
        go();
      };
      socket.on("drain", done);
      socket.on("close", done);
    });
  };
  await send(first);
  for (;;) {
    const { value, done } = await input.next();
    if (done || socket.destroyed) break;
    await send(value);
  }
  socket.end();
}

async function _fromSocket(
  socket: Socket,
  connection: Connection,
): Promise<void> {
  try {
    for await (const bytes of socket) {
      await connection.write(new Uint8Array(bytes as Uint8Array));
    }
    connection.end();
  } catch {
    connection.close();
  }
}

function _answer(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const end = (error?: Error) => {
      clearTimeout(timer);
      socket.off("data", data);
      socket.off("close", closed);
      socket.pause();
      if (error) reject(error);
      else resolve(text);
    };
    const timer = setTimeout(
      () => end(new Error("the host's proxy does not answer")),
      _connectMs,
    );
    const closed = () => end(new Error("the host's proxy hung up"));
    const data = (bytes: Uint8Array) => {
      text += _latin.decode(bytes);
      const at = text.indexOf("\r\n\r\n");
      if (at < 0) {
        if (text.length > _headBytesMax) closed();
        return;
      }
      const rest = text.slice(at + 4);
      text = text.slice(0, at);
      end();
      if (rest) {
        socket.unshift(Uint8Array.from(rest, (one) => one.charCodeAt(0)));
      }
    };
    socket.on("data", data);
    socket.on("close", closed);
  });
}

let _blocked: BlockList | undefined;

function _isPublic(address: string): boolean {
  if (!_blocked) {
    _blocked = new BlockList();
    for (const range of _notPublic) _blocked.addSubnet(...range);
  }
  const plain = _plain(address);
  const version = isIP(plain);
  return version !== 0 &&
    !_blocked.check(plain, version === 4 ? "ipv4" : "ipv6");
}

/** Where clouds have what they tell their machines. */
function _isLinkLocal(address: string): boolean {
  return /^(169\.254\.|fe[89ab].:|168\.63\.129\.16$)/i.test(_plain(address));
}

/** The host itself, by any of the names that every host has for itself. */
function _isOwn(address: string): boolean {
  return /^(127\.|0\.|::1?$)/.test(_plain(address));
}

/** IPv4 within IPv6 as what it is. */
function _plain(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ??
    address.split("%")[0]!;
}

function _ownAddresses(): ReadonlySet<string> {
  return new Set(
    Object.values(networkInterfaces()).flatMap((all) =>
      (all ?? []).map(({ address }) => address.split("%")[0]!)
    ),
  );
}
