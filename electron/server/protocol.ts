/** What server and client have to agree on beside the contract. Imports nothing: the command line has to start fast. */

/** The `Upgrade` token of byte streams. */
export const STREAM_PROTOCOL = 'strata-stream'

/** Answer of `GET /v1/owner`: who owns the library. */
export interface Owner {
  /** As in the events. */
  owner: string
  version: string
  pid: number
}
