// The server's half of a WebSocket (RFC 6455), as much as the development server needs: binary messages, ping, close.
import { createHash } from 'node:crypto'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

function head(opcode, length) {
  if (length < 126) return Buffer.from([0x80 | opcode, length])
  const long = Buffer.alloc(length < 65536 ? 4 : 10)
  long[0] = 0x80 | opcode
  long[1] = length < 65536 ? 126 : 127
  if (length < 65536) long.writeUInt16BE(length, 2)
  else long.writeBigUInt64BE(BigInt(length), 2)
  return long
}

/** One frame out of `buffer`, or null when it is not complete. */
function frame(buffer) {
  if (buffer.length < 2) return null
  let length = buffer[1] & 0x7f
  let at = 2
  if (length === 126) [length, at] = buffer.length < 4 ? [Infinity, 0] : [buffer.readUInt16BE(2), 4]
  else if (length === 127) [length, at] = buffer.length < 10 ? [Infinity, 0] : [Number(buffer.readBigUInt64BE(2)), 10]
  if (buffer.length < at + 4 + length) return null
  const mask = buffer.subarray(at, at + 4)
  const data = Buffer.from(buffer.subarray(at + 4, at + 4 + length))
  for (let i = 0; i < data.length; i += 1) data[i] ^= mask[i % 4]
  return { isLast: (buffer[0] & 0x80) !== 0, opcode: buffer[0] & 0x0f, data, size: at + 4 + length }
}

/** Answers the upgrade and gives `{ send, close }`; `on` gets `message(bytes)` and `closed()`. */
export function accept(request, socket, on) {
  const key = createHash('sha1').update(request.headers['sec-websocket-key'] + GUID).digest('base64')
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`)
  socket.setNoDelay(true)
  const write = (opcode, data) => socket.writable && socket.write(Buffer.concat([head(opcode, data.length), data]))
  const close = (code) => {
    const data = Buffer.alloc(2)
    data.writeUInt16BE(code)
    write(8, data)
    socket.end()
  }
  let buffer = Buffer.alloc(0)
  let parts = []
  socket.on('data', (chunk) => {
    buffer = Buffer.concat([buffer, chunk])
    for (let next = frame(buffer); next; next = frame(buffer)) {
      buffer = buffer.subarray(next.size)
      if (next.opcode === 8) socket.end()
      else if (next.opcode === 9) write(10, next.data)
      else if (next.opcode <= 2) {
        parts.push(next.data)
        if (next.isLast) on.message(new Uint8Array(Buffer.concat(parts.splice(0))))
      }
    }
  })
  socket.on('error', () => undefined)
  socket.on('close', () => on.closed())
  return { send: (bytes) => write(2, Buffer.from(bytes)), close }
}
