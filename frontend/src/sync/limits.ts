// Every limit of the sync client, with its unit in its name.

export const PROTOCOL_VERSION = 2
export const DOCUMENT_NAME_BYTES_MAX = 200
export const LEASES_MAX = 64
export const PROOF_BYTES = 16
export const UPDATES_PER_PUSH_MAX = 1024
export const TOKEN_BYTES_MAX = 4 * 1024
export const SNAPSHOT_PART_BYTES_MAX = 64 * 1024
export const PRESENCE_BYTES_MAX = 1024
/** What a frame may be larger than `update_bytes_max`. */
export const FRAME_MARGIN_BYTES = 64 * 1024

/** Unanswered batches; the server takes 64. What comes beyond waits and is merged. */
export const IN_FLIGHT_MAX = 16
export const PING_EVERY_MS = 20_000
export const PONG_WITHIN_MS = 10_000
export const CONNECT_WITHIN_MS = 10_000
export const WELCOME_WITHIN_MS = 20_000
export const BACKOFF_FIRST_MS = 250
export const BACKOFF_MAX_MS = 15_000
export const PRESENCE_EVERY_MS = 60
/** Refusals for a clock gap without any acknowledgement between, after which the edits are set aside. */
export const GAPS_MAX = 2

/** How long a way to the engine may take until it has answered the first ping. */
export const ECHO_WITHIN_MS = 8000
/** When the second way of WebSockets, the event streams and the long polls join a race that nobody has won. */
export const NEXT_PATH_AFTER_MS = 500
export const EVENT_STREAM_AFTER_MS = 2000
export const LONG_POLL_AFTER_MS = 3000
/** How long a way that has answered waits for a better one that was started. */
export const GRACE_MS = 300
/** Response headers, and the first bytes after them, of an event stream. */
export const STREAM_ANSWERS_WITHIN_MS = 2000
export const PAD_WITHIN_MS = 1000
/** How long a request is made again within a session; the server keeps it for 40 seconds. */
export const RESEND_FOR_MS = 20_000
export const RESEND_FIRST_MS = 200
export const RESEND_MAX_MS = 4000
export const SEND_WITHIN_MS = 15_000
/** Frames in one request, unless a single one is larger. */
export const SEND_BYTES_MAX = 1 << 20
/** When the server hears which frames have come. */
export const CONFIRM_AFTER_BYTES = 64 * 1024
export const CONFIRM_AFTER_MS = 1000
/** What a request may hold that outlives its page. */
export const KEEPALIVE_BYTES_MAX = 60_000
export const POLL_WAIT_MIN_S = 20
export const POLL_WAIT_MAX_S = 25
/** Pauses between looks for a better way. */
export const BETTER_FIRST_MS = 5000
export const BETTER_MAX_MS = 300_000
/** For how long a network's best way is remembered. */
export const REMEMBER_MS = 24 * 3600 * 1000
/** A token is fetched anew when it ends sooner than this. */
export const TOKEN_MARGIN_MS = 30_000
export const HEARTBEAT_MAX_MS = 25_000
/** After the network or the page came back, an answer is due sooner. */
export const WAKE_PONG_WITHIN_MS = 3000
