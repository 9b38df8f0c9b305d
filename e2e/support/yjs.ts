import { HocuspocusProvider as HocuspocusProvider4 } from "@hocuspocus/provider";
import { expect } from "@playwright/test";
import { HocuspocusProvider as HocuspocusProvider3 } from "hocuspocus-provider-3";
import { WebSocket } from "ws";
import { WebsocketProvider as WebsocketProvider3 } from "y-websocket";
import { WebsocketProvider as WebsocketProvider2 } from "y-websocket-2";
import * as Y from "yjs";
import type { WikiServer } from "./server.js";

/** The packages that other applications use, unmodified. */
export const KINDS = ["y-websocket 3", "y-websocket 2", "hocuspocus 4", "hocuspocus 3"] as const;
export type Kind = (typeof KINDS)[number];

/** What the providers have in common, as far as the tests need it. */
interface Provider {
  awareness: { getStates(): Map<number, Record<string, unknown>>; setLocalState(state: Record<string, unknown> | null): void } | null;
  synced: boolean;
  unsyncedChanges?: number;
  destroy(): void;
}

/** A program that edits a document with one of the packages. */
export class Client {
  readonly doc = new Y.Doc();
  readonly provider: Provider;
  /** Close codes that ended connections. */
  readonly closed: number[] = [];
  /** Reasons of refusals. */
  readonly refused: string[] = [];
  readonly heard: string[] = [];
  scope: string | undefined;

  constructor(
    server: WikiServer,
    readonly kind: Kind,
    document: string,
    token: string,
  ) {
    const base = `${server.url.replace("http", "ws")}/synchrony/v1`;
    this.provider = kind.startsWith("y-websocket") ? this.ofYWebsocket(`${base}/y`, document, token) : this.ofHocuspocus(`${base}/hocuspocus`, document, token);
  }

  private ofYWebsocket(url: string, document: string, token: string): Provider {
    const WebsocketProvider = this.kind === "y-websocket 3" ? WebsocketProvider3 : (WebsocketProvider2 as unknown as typeof WebsocketProvider3);
    const provider = new WebsocketProvider(url, document, this.doc, {
      params: { token },
      WebSocketPolyfill: WebSocket as never,
      disableBc: true,
    });
    provider.on("connection-close", (event: { code: number } | null) => this.closed.push(event?.code ?? 0));
    return provider as unknown as Provider;
  }

  private ofHocuspocus(url: string, document: string, token: string): Provider {
    const HocuspocusProvider = this.kind === "hocuspocus 4" ? HocuspocusProvider4 : (HocuspocusProvider3 as unknown as typeof HocuspocusProvider4);
    return new HocuspocusProvider({
      url,
      name: document,
      token,
      document: this.doc,
      WebSocketPolyfill: WebSocket,
      onAuthenticated: ({ scope }: { scope: string }) => (this.scope = scope),
      onAuthenticationFailed: ({ reason }: { reason: string }) => this.refused.push(reason),
      onClose: ({ event }: { event: { code: number } }) => this.closed.push(event.code),
      onStateless: ({ payload }: { payload: string }) => this.heard.push(payload),
    } as never) as unknown as Provider;
  }

  /** Everything of ours is on the server's disk, and everything of the server is here. */
  async synced(): Promise<void> {
    await expect.poll(() => this.provider.synced, { message: `${this.kind} is in step` }).toBe(true);
    if (this.kind.startsWith("hocuspocus")) {
      await expect.poll(() => this.provider.unsyncedChanges, { message: `${this.kind} has nothing unsaved` }).toBe(0);
    }
  }

  get xml(): string {
    return this.doc.getXmlFragment("default").toString();
  }

  /** The first text of the page that contains these words. */
  textWith(words: string): Y.XmlText {
    const texts = this.doc.getXmlFragment("default").createTreeWalker((node) => node instanceof Y.XmlText && node.toString().includes(words));
    const [text] = [...texts] as unknown as Y.XmlText[];
    if (!text) throw new Error(`${this.kind}: no "${words}" in ${this.xml}`);
    return text;
  }

  /** Writes behind the first text that contains these words. */
  append(words: string, more: string): void {
    const text = this.textWith(words);
    text.insert(text.length, more);
  }

  destroy(): void {
    this.provider.destroy();
  }
}

/** Waits until all have the same page. */
export async function same(clients: Client[]): Promise<string> {
  await expect(() => {
    for (const client of clients) expect(client.xml, client.kind).toBe(clients[0]!.xml);
  }).toPass({ timeout: 20_000 });
  return clients[0]!.xml;
}
