import { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { failure } from '#contract'
import { exists, punchHole } from '../host/files'
import { connectUnix } from '../host/socket'
import { FileTail } from '../host/tail'

/** A console log that passes the first size on disk gives back all but its last part of the second size. */
const LOG_LIMIT_BYTES = 64 * 2 ** 20
const LOG_KEPT_BYTES = 16 * 2 ** 20
/** A guest that has printed so much since the last key floods. */
const FLOOD_BYTES = 4096
/**
 * How long after the last key its connection may be given up: what QEMU has not read by then is lost. A guest takes a paste slowly, and
 * nothing tells how much of it is still on its way: so it is given far more time than any guest was seen to need.
 */
const restMs = (typedBytes: number): number => 300 + 10 * typedBytes

/** What a machine that is off printed in its last run, then the end; of one that never ran, the end at once. */
export async function openPastConsole(logFile: string, fromByte: number): Promise<Duplex> {
  if (!(await exists(logFile))) return new Duplex({ allowHalfOpen: false, read: endAtOnce, write: (_bytes, _encoding, done) => done() })
  const past = new SerialConsole(logFile, null)
  const viewer = await past.open(fromByte)
  past.finish()
  return viewer
}

function endAtOnce(this: Duplex): void {
  this.push(null)
}

/**
 * The serial console of one machine. Output comes from the log that QEMU keeps on disk since the start: so every viewer
 * has all of it, reads at its own pace, and a flood waits in the file. Input goes through QEMU's socket, which takes one
 * client: one connection is shared by all viewers, and what arrives on it is dropped, as the log has it.
 *
 * In a flood that connection is given up, until the next key. QEMU writes to it byte by byte, a few hundred of which fill the socket. Then
 * it waits, which makes the guest print at less than half its speed; and it logs the byte that it could not write, and once more when it
 * tries again (qemu_chr_write_buffer in QEMU's chardev/char.c).
 */
export class SerialConsole {
  private input: Promise<Socket> | null = null
  /** When something was typed last, how much by then without a rest, and how much the guest printed since. */
  private keysAtMs = 0
  private typedBytes = 0
  private printed = 0
  private readonly tails = new Set<FileTail>()

  constructor(
    private readonly logFile: string,
    /** Null when QEMU has ended: what is typed has nowhere to go. */
    private readonly socketPath: string | null
  ) {}

  /** A viewer: reads what was printed from `fromByte` of the log on, then what comes; ends when QEMU does. */
  async open(fromByte: number): Promise<Duplex> {
    const tail = await FileTail.open(this.logFile, fromByte, LOG_LIMIT_BYTES)
    this.tails.add(tail)
    let reading = false
    return new Duplex({
      read() {
        if (reading) return
        reading = true
        void tail.read().then(
          (bytes) => {
            reading = false
            this.push(bytes)
          },
          (error: Error) => this.destroy(error)
        )
      },
      write: (bytes: Buffer, _encoding, done) => {
        this.connected(bytes.length).then((socket) => socket.write(bytes, () => done()), done)
      },
      destroy: (error, done) => {
        this.tails.delete(tail)
        tail.close().then(() => done(error), done)
      }
    })
  }

  /** QEMU has ended: viewers get the rest and then the end. */
  finish(): void {
    for (const tail of this.tails) tail.finish()
    this.release()
  }

  release(): void {
    void this.input?.then((socket) => socket.destroy()).catch(() => {}) // it may never have connected
    this.input = null
  }

  /** Keeps a guest that prints without end from filling the disk. */
  async trim(): Promise<void> {
    await punchHole(this.logFile, LOG_LIMIT_BYTES, LOG_KEPT_BYTES)
  }

  /** @param bytes how many are about to be typed */
  private connected(bytes: number): Promise<Socket> {
    if (this.socketPath === null) return Promise.reject(failure('wrong-state', 'The machine is off and takes no input.', { name: 'console', state: 'off' }))
    if (this.rested()) this.typedBytes = 0
    this.typedBytes += bytes
    this.keysAtMs = performance.now()
    this.printed = 0
    this.input ??= this.connect(this.socketPath)
    this.input.catch(() => (this.input = null)) // the next key tries again
    return this.input
  }

  private rested(): boolean {
    return performance.now() - this.keysAtMs > restMs(this.typedBytes)
  }

  private connect(path: string): Promise<Socket> {
    const connecting = connectUnix(path).then((socket) => {
      const lost = (): void => {
        if (this.input === connecting) this.input = null
      }
      socket.on('error', lost)
      socket.on('close', lost)
      socket.on('data', (bytes: Buffer) => {
        this.printed += bytes.length
        if (this.printed <= FLOOD_BYTES || !this.rested() || socket.writableLength > 0) return
        lost() // at once: the next key makes a new one
        socket.destroy()
      })
      return socket
    })
    return connecting
  }
}
