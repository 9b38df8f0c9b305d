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
