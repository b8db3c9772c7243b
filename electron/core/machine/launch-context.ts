import type { Host } from '#contract'
import { findFirmware } from '../host/capabilities'
import type { Library } from '../library/library'
import type { LaunchContext } from './command-line'
import type { ManagedMachine } from './machine'

/** What the command line is built from. Looks, but starts nothing. */
export async function launchContext(
  { definition, paths }: Pick<ManagedMachine, 'definition' | 'paths'>,
  { runtime }: Library,
  host: Host,
  paused: boolean
): Promise<LaunchContext> {
  const isolated = definition.nics.flatMap((nic) => (nic.network.kind === 'isolated' ? [nic.network.name] : []))
  return {
    accelerator: definition.accelerator === 'auto' ? host.accelerator : definition.accelerator,
    paths,
    runtime: runtime.machine(definition.id),
    uefiCode: definition.firmware === 'uefi' ? ((await findFirmware())?.code ?? null) : null,
    incoming: null,
    switches: Object.fromEntries(isolated.map((name) => [name, runtime.network(name).ports])),
    paused
  }
}
