// The best transport: one WebSocket.
import type { Socket } from '../link'

/** `base` is absolute, or starts at the root of this site. */
export function webSocketUrl(base: string, site: string): string {
  const url = new URL(`${base}/live`, site)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return url.href
}

export function openWebSocket(base: string): Socket {
  return new WebSocket(webSocketUrl(base, location.href)) as unknown as Socket
}
