import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, type ServerResponse, createServer, request } from "node:http";
import { type AddressInfo, type Socket, connect } from "node:net";
import { type Duplex, Transform } from "node:stream";
import { setTimeout as later } from "node:timers";

/** What the proxy does to those who pass; each can be switched while connections are open. */
export interface Hostility {
  /** Forwards a request for a WebSocket as a usual one, as proxies do that know nothing of them. */
  stripsUpgrade: boolean;
  /** Passes an answer on only when it is complete. */
  buffers: boolean;
  /** Answers event streams with 403. */
  forbidsEventStreams: boolean;
  /** Every piece of every connection is late by this, both ways. */
  delay_ms: number;
  /** Every connection is cut when it is this old; 0: never. */
  cutsAfter_ms: number;
  /** Every connection to the sync engine is cut in the middle of what is being sent, after so many bytes of answers; 0: never. */
  dropsAfter_bytes: number;
}

const PEACEFUL: Hostility = { stripsUpgrade: false, buffers: false, forbidsEventStreams: false, delay_ms: 0, cutsAfter_ms: 0, dropsAfter_bytes: 0 };
const HOP_BY_HOP = new Set(["connection", "upgrade", "keep-alive", "transfer-encoding", "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions"]);

/** A proxy in front of a server, as bad as the ones that people have in front of theirs. */
export class HostileProxy {
  private readonly server = createServer({ keepAliveTimeout: 0 }, (asked, answer) => this.forward(asked, answer));
  private readonly sockets = new Set<Duplex>();
  private readonly waits = new Set<NodeJS.Timeout>();
  private hostility = PEACEFUL;
  private port = 0;
  private target = new URL("http://127.0.0.1");
  /** WebSockets that it has passed on. */
  upgrades = 0;

  /** A proxy that listens; `standBefore` says in front of whom. */
  static async create(): Promise<HostileProxy> {
    const proxy = new HostileProxy();
    proxy.server.on("upgrade", (asked: IncomingMessage, socket: Socket, head: Buffer) => proxy.upgrade(asked, socket, head));
    proxy.server.on("connection", (socket: Socket) => proxy.accept(socket));
    proxy.server.listen(0, "127.0.0.1");
    await once(proxy.server, "listening");
    proxy.port = (proxy.server.address() as AddressInfo).port;
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  standBefore(url: string): void {
    this.target = new URL(url);
  }

  /** From now on; what is not named is left in peace. Connections that are open stay. */
  become(hostility: Partial<Hostility>): void {
    this.hostility = { ...PEACEFUL, ...hostility };
  }

  /** Cuts every connection that is open now. */
  cut(): void {
    for (const socket of [...this.sockets]) socket.destroy();
  }

  async close(): Promise<void> {
    for (const wait of this.waits) clearTimeout(wait);
    this.cut();
    this.server.close();
    await once(this.server, "close");
  }

  private accept(socket: Socket): void {
    this.keep(socket);
    socket.setNoDelay(true);
    if (this.hostility.cutsAfter_ms === 0) return;
    const wait = later(() => socket.destroy(), this.hostility.cutsAfter_ms);
    this.waits.add(wait);
    socket.once("close", () => {
      clearTimeout(wait);
      this.waits.delete(wait);
    });
  }

  private keep(socket: Duplex): void {
    this.sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => this.sockets.delete(socket));
  }

  /** Late by what the proxy is late by just now. Pieces travel side by side and arrive in order. */
  private late(): Transform {
    let due_ms = 0;
    let travelling = 0;
    let whenEmpty: (() => void) | null = null;
    const late = new Transform({
      transform: (piece: Buffer, _encoding, done) => {
        done();
        due_ms = Math.max(due_ms, Date.now() + this.hostility.delay_ms);
        travelling += 1;
        const wait = later(() => {
          this.waits.delete(wait);
          travelling -= 1;
          if (!late.destroyed) late.push(piece);
          if (travelling === 0) whenEmpty?.();
        }, due_ms - Date.now());
        this.waits.add(wait);
      },
      flush: (done) => {
        if (travelling === 0) done();
        else whenEmpty = () => done();
      },
    });
    return late;
  }

  /** Cuts in the middle of a piece once enough has passed. */
  private lossy(cut: () => void): Transform {
    let passed = 0;
    return new Transform({
      transform: (piece: Buffer, _encoding, done) => {
        const most = this.hostility.dropsAfter_bytes;
        passed += piece.length;
        if (most === 0 || passed <= most) return done(null, piece);
        done(null, piece.subarray(0, Math.floor(piece.length / 2)));
        setImmediate(cut);
      },
    });
  }

  private forward(asked: IncomingMessage, answer: ServerResponse): void {
    if (this.hostility.forbidsEventStreams && /\/live\/stream\//.test(asked.url ?? "")) {
      answer.writeHead(403, { "content-type": "text/plain" }).end("no event streams here");
      return;
    }
    const onward = this.ask(asked, asked.headers);
    onward.on("response", (got) => this.back(got, answer));
    onward.on("error", () => answer.destroy());
    answer.on("close", () => onward.destroy());
    asked.pipe(this.late()).pipe(onward);
  }

  private ask(asked: IncomingMessage, headers: IncomingMessage["headers"]): ClientRequest {
    const { hostname, port } = this.target;
    return request({ hostname, port, method: asked.method, path: asked.url, headers, agent: false });
  }

  private back(got: IncomingMessage, answer: ServerResponse): void {
    got.on("error", () => answer.destroy());
    got.on("aborted", () => answer.destroy());
    const head = () => answer.writeHead(got.statusCode ?? 502, withoutHops(got.headers));
    if (this.hostility.buffers) {
      const pieces: Buffer[] = [];
      got.on("data", (piece: Buffer) => pieces.push(piece));
      got.on("end", () => head().end(Buffer.concat(pieces)));
      return;
    }
    head().flushHeaders();
    const passed = got.pipe(this.late());
    const isLive = /^\/synchrony/.test(answer.req.url ?? "");
    (isLive ? passed.pipe(this.lossy(() => answer.socket?.destroy())) : passed).pipe(answer);
  }

  private upgrade(asked: IncomingMessage, socket: Socket, head: Buffer): void {
    if (this.hostility.stripsUpgrade) return this.answerPlainly(asked, socket);
    this.upgrades += 1;
    const { hostname, port } = this.target;
    const onward = connect(Number(port), hostname);
    this.keep(onward);
    const lines = [`${asked.method} ${asked.url} HTTP/1.1`];
    for (let at = 0; at < asked.rawHeaders.length; at += 2) lines.push(`${asked.rawHeaders[at]}: ${asked.rawHeaders[at + 1]}`);
    onward.write(`${lines.join("\r\n")}\r\n\r\n`);
    onward.write(head);
    const end = () => {
      socket.destroy();
      onward.destroy();
    };
    socket.once("close", end);
    onward.once("close", end);
    socket.pipe(this.late()).pipe(onward);
    onward.pipe(this.late()).pipe(this.lossy(end)).pipe(socket);
  }

  private answerPlainly(asked: IncomingMessage, socket: Socket): void {
    const onward = this.ask(asked, withoutHops(asked.headers));
    onward.on("error", () => socket.destroy());
    onward.on("response", (got) => {
      socket.write(`HTTP/1.1 ${got.statusCode} ${got.statusMessage}\r\nconnection: close\r\n\r\n`);
      got.pipe(socket);
    });
    onward.end();
  }
}

function withoutHops(headers: IncomingMessage["headers"]): IncomingMessage["headers"] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}
