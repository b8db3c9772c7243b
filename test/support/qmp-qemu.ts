import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitForSocket } from '../../electron/core/host/socket'

export interface RealQemu {
  /** Where its monitor listens. One client at a time. */
  readonly socketPath: string
  readonly folder: string
  readonly process: ChildProcess
  /** Fulfilled when the process has ended. */
  readonly ended: Promise<void>
  /** Ends it and removes its folder. */
  stop(): Promise<void>
}

/**
 * A QEMU that runs nothing: without a machine, or one without devices, paused. It listens when this resolves.
 * @param args more arguments; paths in them begin at its folder
 */
export async function startQemu(args: readonly string[] = ['-machine', 'none']): Promise<RealQemu> {
  const folder = mkdtempSync(join(tmpdir(), 'strata-qmp-'))
  const socketPath = join(folder, 'qmp.sock')
  const common = ['-nodefaults', '-no-user-config', '-display', 'none', '-S', '-accel', 'tcg', '-qmp', `unix:${socketPath},server=on,wait=off`]
  const child = spawn('qemu-system-x86_64', [...common, ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const said: Buffer[] = []
  child.stderr.on('data', (bytes: Buffer) => said.push(bytes))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  const gone = new AbortController()
  void ended.then(() => gone.abort())
  try {
    const socket = await waitForSocket(socketPath, { signal: gone.signal, timeoutMs: 20_000 })
    await new Promise((resolve) => socket.once('close', resolve).destroy())
  } catch (error) {
    await stop()
    throw new Error(`QEMU did not start: ${Buffer.concat(said).toString()}`, { cause: error })
  }
  return { socketPath, folder, process: child, ended, stop }
}
