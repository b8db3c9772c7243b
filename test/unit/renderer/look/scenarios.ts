import type { DoubleOptions } from '../../../support/bridge-double'
import { diskMachines, libraryOf200 } from '../../../support/bridge-double/disk-samples'
import { builtinImage, manyMachines, newImage, threeMachines } from '../../../support/bridge-double/samples'

const images = () => [
  builtinImage(),
  newImage('image-1', 'debian-12-generic', 'cloud'),
  newImage('image-2', 'alpine-standard-3.20', 'iso'),
  newImage('image-3', 'Windows Server 2022 – Prüfstand', 'disk', { referenced: true, path: '/srv/images/win2022.vmdk', format: 'vmdk' })
]

/** Worlds to look at. */
export const scenarios = {
  empty: (): DoubleOptions => ({ machines: [] }),
  three: (): DoubleOptions => ({ machines: threeMachines(), images: images(), settings: { welcomed: true } }),
  many: (): DoubleOptions => ({ machines: manyMachines(200), images: images(), settings: { welcomed: true } }),
  states: (): DoubleOptions => ({ machines: manyMachines(12), images: images(), settings: { welcomed: true } }),
  disks: (): DoubleOptions => ({ machines: diskMachines(), images: images(), settings: { welcomed: true } }),
  'disks-200': (): DoubleOptions => ({ ...libraryOf200(), settings: { welcomed: true } }),
  'no-qemu': (): DoubleOptions => ({
    machines: threeMachines().slice(2),
    host: {
      qemu: null,
      qemuMissing: { message: 'QEMU is not installed.', install: 'sudo apt-get install qemu-system-x86 qemu-utils' },
      builtinGuest: { available: false, reason: 'QEMU is not installed.' }
    }
  })
} satisfies Record<string, () => DoubleOptions>
export type ScenarioName = keyof typeof scenarios
