import { ensurePrivateFolder, removeFile } from '../host/files'
import { spawnDetached } from '../host/process'
import { waitForFile } from '../host/socket'
import type { MachinePaths, MachineRuntimePaths } from '../library/paths'

/** Starts the machine's TPM 2.0 (swtpm). It ends by itself when QEMU closes the connection. */
export async function startTpm(paths: MachinePaths, runtime: MachineRuntimePaths, signal: AbortSignal): Promise<void> {
  await ensurePrivateFolder(paths.tpmState)
  await removeFile(runtime.tpm)
  await spawnDetached(
    'swtpm',
    ['socket', '--tpm2', '--terminate', '--tpmstate', `dir=${paths.tpmState}`, '--ctrl', `type=unixio,path=${runtime.tpm},mode=0600`],
    { logFile: paths.tpmLog }
  )
  await waitForFile(runtime.tpm, { signal, timeoutMs: 5000 })
}
