import { ensurePrivateFolder, exists, readTail, removeTree } from '../host/files'
import { isLocked, lockFile } from '../host/lock'
import { processStartTicks, signalProcess, spawnDetached } from '../host/process'
import { waitForSocket } from '../host/socket'
import type { NetworkPaths } from '../library/paths'

/**
 * Makes sure that the switch of an isolated network runs: vde_switch, one process a network, started with the first
 * machine that names it. Like a machine's QEMU it holds its lock for as long as it lives, and outlives the app.
 * @returns the folder that QEMU's `-netdev vde,sock=` wants
 */
export async function ensureSwitch(paths: NetworkPaths, signal: AbortSignal): Promise<string> {
  await ensurePrivateFolder(paths.root)
  const lock = await lockFile(paths.lock)
  if (lock) {
    try {
      if (await exists(paths.ports)) await removeTree(paths.ports) // of one that was killed
      await spawnDetached('vde_switch', ['--daemon', '--sock', paths.ports, '--mode', '0600', '--dirmode', '0700', '--pidfile', paths.pid], {
        logFile: paths.log,
        inheritFds: [lock.fd]
      })
    } finally {
      lock.release()
    }
  }
  ;(await waitForSocket(`${paths.ports}/ctl`, { signal, timeoutMs: 5000 })).destroy()
  return paths.ports
}

/** Ends the switch of a network that no machine uses any more. */
export async function endSwitch(paths: NetworkPaths): Promise<void> {
  if (!(await exists(paths.lock)) || !(await isLocked(paths.lock))) return
  // The lock is held, so the pid in the file is still the switch's own.
  const pid = Number((await readTail(paths.pid, 32)).text)
  const startTicks = processStartTicks(pid)
  if (startTicks !== null) signalProcess(pid, startTicks, 'SIGTERM')
}
