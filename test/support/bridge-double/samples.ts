import { Settings, type Host, type Image, type Machine, type MachineDefinition, type MachineState } from '#contract'
import { newDisk } from '#core/disk/stack'

const GIB = 2 ** 30
const MIB = 2 ** 20

export const sampleHost = (change: Partial<Host> = {}): Host => ({
  hostname: 'workbench',
  system: 'Debian GNU/Linux 12',
  architecture: 'x86_64',
  cpu: { model: 'Intel Core i7-9750H', count: 8 },
  memory: { totalBytes: 15.5 * GIB, availableBytes: 9.2 * GIB },
  cpuLoad: 0.23,
  library: { path: '/home/ada/Strata', freeBytes: 182 * GIB, totalBytes: 460 * GIB },
  qemu: {
    path: '/usr/bin/qemu-system-x86_64',
    version: '7.2.22',
    target: 'x86_64',
    machineTypes: [{ name: 'q35', description: 'Standard PC (Q35 + ICH9, 2009)', isDefault: false, maxCpus: 288 }]
  },
  qemuMissing: null,
  accelerator: 'tcg',
  accelerators: {
    kvm: { available: false, reason: 'the processor shows no vmx/svm' },
    tcg: { available: true, detail: 'multi-threaded' }
  },
  uefi: { available: true, detail: 'OVMF' },
  tpm: { available: false, reason: 'swtpm is not installed.', install: 'sudo apt-get install swtpm' },
  isolatedNetworks: { available: true, detail: 'a switch of Strata’s own, without root' },
  bridge: { available: false, reason: 'No bridge is allowed in /etc/qemu/bridge.conf.' },
  builtinGuest: { available: true, detail: 'Debian kernel 6.1' },
  ...change
})

export const sampleSettings = (change: Partial<Settings> = {}): Settings => ({ ...Settings.parse({}), ...change })

export function newImage(id: string, name: string, kind: Image['kind'], change: Partial<Image> = {}): Image {
  const iso = kind === 'iso'
  return {
    schemaVersion: 1,
    id,
    name,
    kind,
    path: `/home/ada/Strata/images/${name}.${iso ? 'iso' : 'qcow2'}`,
    referenced: false,
    format: iso ? 'raw' : 'qcow2',
    virtualSizeBytes: kind === 'guest' ? GIB : iso ? 660 * MIB : 8 * GIB,
    fileSizeBytes: kind === 'guest' ? 64 * MIB : iso ? 660 * MIB : 720 * MIB,
    addedAtMs: Date.now() - 3 * 86_400_000,
    note: '',
    ...change
  }
}

export const builtinImage = (): Image =>
  newImage('image-builtin', 'Built-in guest', 'guest', {
    boot: { kernel: '/g/vmlinuz', initrd: '/g/initrd', commandLine: 'console=ttyS0' }
  })

export function newDefinition(id: string, name: string, image: Image | null, change: Partial<MachineDefinition> = {}): MachineDefinition {
  return {
    schemaVersion: 1,
    id: uuidOf(id),
    name,
    createdAtMs: Date.now(),
    notes: '',
    tags: [],
    cpus: 2,
    memoryBytes: 256 * MIB,
    accelerator: 'auto',
    firmware: 'bios',
    tpm: false,
    display: true,
    sharedMemory: false,
    kernel: image?.boot ?? null,
    disks: [
      newDisk('disk0', image?.virtualSizeBytes ?? 20 * GIB, image?.format ? { path: image.path, format: image.format, imageId: image.id } : null, 0)
    ],
    cdroms: [],
    nics: [{ mac: '52:54:00:12:34:56', network: { kind: 'user' }, forwards: [] }],
    cloudInit: null,
    ...change
  }
}

/** A machine in any state, for tests and pictures. */
export function newMachine(name: string, state: MachineState, change: Partial<MachineDefinition> = {}): Machine {
  const definition = newDefinition(name, name, builtinImage(), { createdAtMs: Date.now() - 5 * 86_400_000, ...change })
  const live = 'pid' in state
  return { definition, id: definition.id, name, state, pending: [], accelerator: 'tcg', agent: live ? true : null, diskBytes: 38 * MIB }
}

/** Identifiers must be UUIDs; the same text gives the same one. */
export function uuidOf(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const code of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(code)) * 0x100000001b3n)
  const hex =
    hash.toString(16).padStart(16, '0') +
    BigInt.asUintN(64, hash * 31n)
      .toString(16)
      .padStart(16, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

const MINUTE = 60_000
const ago = (minutes: number): number => Date.now() - minutes * MINUTE

/** Three machines as after an hour of work. */
export const threeMachines = (): Machine[] => [
  newMachine(
    'lab1',
    { kind: 'running', pid: 4711, sinceMs: ago(42) },
    {
      tags: ['course', 'os-2'],
      notes: 'Reference machine for the second exercise.',
      nics: [
        {
          mac: '52:54:00:12:34:56',
          network: { kind: 'user' },
          forwards: [
            { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 2222, guestPort: 22 },
            { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 8080, guestPort: 80 }
          ]
        }
      ]
    }
  ),
  newMachine('lab2', { kind: 'paused', pid: 4712, sinceMs: ago(7), reason: '' }, { tags: ['course'] }),
  newMachine('scratch', { kind: 'stopped', exit: { atMs: ago(190), reason: 'The guest powered off.', exitCode: 0, signal: null, log: [] } })
]

/** Every state, and names as people give them. */
export function manyMachines(count: number): Machine[] {
  const exit = {
    atMs: ago(12),
    reason: 'QEMU was killed by SIGKILL.',
    exitCode: null,
    signal: 'SIGKILL',
    log: ["qemu-system-x86_64: warning: host doesn't support requested feature", 'qemu-system-x86_64: terminating on signal 9']
  }
  const stopped: MachineState = { kind: 'stopped', exit: { ...exit, reason: 'The guest powered off.', exitCode: 0, signal: null, log: [] } }
  const special = [
    newMachine(
      'Übungsbetriebssystem für Fortgeschrittene – Sommer 2026'.slice(0, 60).replace('–', '-'),
      { kind: 'running', pid: 5001, sinceMs: ago(3) },
      { tags: ['Kurs Ä', 'sehr langer Name einer Gruppe'] }
    ),
    newMachine('计算机系统实验-第三组-东京', { kind: 'running', pid: 5002, sinceMs: ago(300) }, { tags: ['东京'] }),
    newMachine('مختبر الأنظمة', stopped, { tags: ['مختبر'] }),
    newMachine('crashed-one', { kind: 'crashed', exit }),
    newMachine('stubborn', {
      kind: 'stopping',
      pid: 5003,
      sinceMs: ago(2),
      deadlineMs: Date.now() + 42_000,
      askedBy: 'acpi',
      overdue: false
    }),
    newMachine('stubborn-late', { kind: 'stopping', pid: 5004, sinceMs: ago(5), deadlineMs: ago(1), askedBy: 'acpi', overdue: true }),
    newMachine('booting', { kind: 'starting', sinceMs: Date.now() }),
    newMachine('io-trouble', { kind: 'paused', pid: 5005, sinceMs: ago(1), reason: 'A disk of the machine is full or cannot be written.' }),
    newMachine('lost-monitor', { kind: 'unreachable', pid: 5006, message: 'Its QMP socket is gone: somebody cleaned /run/user/1000.' }),
    {
      ...newMachine('newer-format', stopped),
      definition: null,
      state: { kind: 'broken' as const, message: 'machine.json was written by a newer version of Strata (schema 3).' }
    }
  ]
  const plain = Array.from({ length: Math.max(0, count - special.length) }, (_none, index) =>
    newMachine(`student-${index + 1}`, index % 3 === 0 ? { kind: 'running', pid: 6000 + index, sinceMs: ago(index) } : stopped, {
      tags: [`group ${1 + (index % 8)}`]
    })
  )
  return [...special, ...plain].slice(0, count)
}
