import type { Availability, ResultOf } from '#contract'
import type { Paint } from './paint'
import { block, formatSize } from './text'

/** The computer, and what of it QEMU can use. */
export function hostBlock(host: ResultOf<'host.show'>, paint: Paint): string {
  const availability = (given: Availability): string =>
    given.available ? `${paint.green('yes')}${given.detail === '' ? '' : `, ${given.detail}`}` : [`${paint.yellow('no')}: ${given.reason}`, given.install ?? ''].filter(Boolean).join('\n')
  const qemu = host.qemu ? `${host.qemu.version}, ${host.qemu.target}, ${host.qemu.path}` : `${paint.red('missing')}: ${host.qemuMissing?.message ?? ''}\n${host.qemuMissing?.install ?? ''}`
  return block(
    [
      ['Computer', `${host.hostname}, ${host.system}, ${host.architecture}`],
      ['Processors', `${host.cpu.count} x ${host.cpu.model}, ${Math.round(host.cpuLoad * 100)} % busy`],
      ['Memory', `${formatSize(host.memory.availableBytes)} of ${formatSize(host.memory.totalBytes)} available`],
      ['Library', `${host.library.path}, ${formatSize(host.library.freeBytes)} of ${formatSize(host.library.totalBytes)} free`],
      ['QEMU', qemu],
      ['Accelerator', host.accelerator.toUpperCase()],
      ...Object.entries(host.accelerators).map(([name, given]) => [`  ${name.toUpperCase()}`, availability(given)] as const),
      ['UEFI', availability(host.uefi)],
      ['TPM', availability(host.tpm)],
      ['Bridges', availability(host.bridge)],
      ['Built-in guest', availability(host.builtinGuest)]
    ],
    paint.dim
  )
}
