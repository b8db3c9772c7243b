import { randomBytes, randomInt } from 'node:crypto'
import { connect } from 'node:net'

/** Requests of the vhost-user protocol are numbered from 1; a few more than there are. */
const REQUESTS = 44
/** Version 1; with it, an answer is asked for. */
const FLAGS = [0x1, 0x9]

const header = (request: number, flags: number, size: number): Buffer => {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt32LE(request, 0)
  bytes.writeUInt32LE(flags, 4)
  bytes.writeUInt32LE(size, 8)
  return bytes
}

/** Kinds of what an exporter must not be hurt by. Source: the vhost-user protocol, docs/interop/vhost-user.rst of QEMU. */
const KINDS: (() => Buffer)[] = [
  /** Nothing of the protocol. */
  () => randomBytes(randomInt(1, 4096)),
  /** Any request, with anything in it. */
  () => {
    const payload = randomBytes(randomInt(0, 64))
    return Buffer.concat([header(randomInt(0, REQUESTS), FLAGS[randomInt(2)]!, payload.length), payload])
  },
  /** One that is longer than any message, and than what follows. */
  () => Buffer.concat([header(randomInt(1, REQUESTS), 0x1, 0xffff_fff0), randomBytes(64)]),
  /** A memory table without memory; rings at places that are in none. */
  () => Buffer.concat([header(5, 0x1, 40), randomBytes(40), header(9, 0x1, 40), randomBytes(40)]),
  /** Half a header. */
  () => header(1, 0x1, 0).subarray(0, 7),
  /** Much that is right, at once. */
  () => Buffer.concat(Array.from({ length: 200 }, () => header([1, 15, 17][randomInt(3)]!, 0x1, 0)))
]

/**
 * Connects to a vhost-user socket and says what no client says, until it is thrown out, or for so long. QEMU 7.2's exporter ends by some of it
 * (SIGSEGV at a memory table that makes no sense). @returns how often it was let in
 */
export async function annoy(socketPath: string, times: number, holdMs = 50): Promise<number> {
  let letIn = 0
  for (let time = 0; time < times; time++) {
    await new Promise<void>((resolve) => {
      const socket = connect(socketPath, () => {
        letIn++
        socket.write(KINDS[time % KINDS.length]!())
      })
      socket.resume()
      socket.setTimeout(holdMs, () => socket.destroy())
      socket.on('error', () => {}) // it was thrown out, or nobody is there now
      socket.on('close', () => resolve())
    })
  }
  return letIn
}
