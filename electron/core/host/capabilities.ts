import { constants } from 'node:fs'
import { open, readFile, readdir, stat } from 'node:fs/promises'
import { availableParallelism, hostname, machine, release } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { Failure, type Availability, type Host } from '#contract'
import { diskSpace, exists, readJson } from './files'
import { CpuLoad } from './load'
import { installCommand } from './process'
import { findProgram, type PathEnvironment } from './program'
import { inspectQemu, QEMU } from './qemu-binary'

export { QEMU }

/** Where the system tells of itself. Tests give places of their own. */
export const SYSTEM = {
  kvm: '/dev/kvm',
  cpuinfo: '/proc/cpuinfo',
  meminfo: '/proc/meminfo',
  osRelease: '/etc/os-release',
  bridgeRules: '/etc/qemu/bridge.conf',
  bridgeHelpers: ['/usr/lib/qemu/qemu-bridge-helper', '/usr/libexec/qemu-bridge-helper'],
  networkDevices: '/sys/class/net',
  architecture: machine(),
  /** OVMF, as Debian and Ubuntu, Fedora, and Arch name it. */
  firmware: [
    { code: '/usr/share/OVMF/OVMF_CODE_4M.fd', variables: '/usr/share/OVMF/OVMF_VARS_4M.fd' },
    { code: '/usr/share/edk2/ovmf/OVMF_CODE.fd', variables: '/usr/share/edk2/ovmf/OVMF_VARS.fd' },
    { code: '/usr/share/edk2/x64/OVMF_CODE.4m.fd', variables: '/usr/share/edk2/x64/OVMF_VARS.4m.fd' }
  ]
}
export type System = typeof SYSTEM

/** UEFI for guests: code that is shared, and the variables a machine starts with, of which it gets a copy. */
export interface Firmware {
  code: string
  variables: string
}

export interface InspectOptions {
  environment: PathEnvironment
  libraryPath: string
  /** Where answers of QEMU are kept, see `inspectQemu`. */
  cacheFile: string
  /** The folder that the recipe of the built-in guest made, or will make. */
  builtinGuest: string
  system?: Partial<System>
}

const load = new CpuLoad()

/** What this computer can do, with the reason where it cannot. Cheap once QEMU's answers are known: a dozen small reads. */
export async function inspectHost(options: InspectOptions): Promise<Host> {
  const system = { ...SYSTEM, ...options.system }
  const cpu = parseCpuInfo(await readFile(system.cpuinfo, 'utf8'))
  const [{ qemu, qemuMissing }, kvm, memory, space, cpuLoad, name, uefi, bridge, builtinGuest] = await Promise.all([
    inspectQemuOf(options),
    kvmAvailability(cpu, system),
    readMemory(system.meminfo),
    diskSpace(options.libraryPath),
    load.read(),
    readSystemName(system.osRelease),
    uefiAvailability(system),
    bridgeAvailability(system),
    builtinGuestAvailability(options.builtinGuest)
  ])
  return {
    hostname: hostname(),
    system: name,
    architecture: system.architecture,
    cpu: { model: cpu.model, count: availableParallelism() },
    memory,
    cpuLoad,
    library: { path: options.libraryPath, ...space },
    qemu,
    qemuMissing,
    accelerator: kvm.available ? 'kvm' : 'tcg',
    accelerators: { kvm, tcg: tcgAvailability(qemuMissing) },
    uefi,
    tpm: programAvailability('swtpm', 'swtpm', options.environment),
    bridge,
    isolatedNetworks: programAvailability('vde_switch', 'vde2', options.environment),
    builtinGuest
  }
}

async function inspectQemuOf({ environment, cacheFile }: InspectOptions): Promise<Pick<Host, 'qemu' | 'qemuMissing'>> {
  const path = findProgram(QEMU, environment)
  if (path === null) return { qemu: null, qemuMissing: { message: 'QEMU is not installed.', install: installCommand('qemu-system-x86', 'qemu-utils') } }
  try {
    return { qemu: await inspectQemu(path, cacheFile), qemuMissing: null }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const [words = error.error.message] = error.error.causes
    return { qemu: null, qemuMissing: { message: `QEMU is installed (${path}) but does not run: ${words}`, install: installCommand('--reinstall', 'qemu-system-x86') } }
  }
}

/** @returns the firmware for UEFI guests, or null when none is installed */
export async function findFirmware(system: Pick<System, 'firmware'> = SYSTEM): Promise<Firmware | null> {
  for (const firmware of system.firmware) {
    if ((await exists(firmware.code)) && (await exists(firmware.variables))) return firmware
  }
  return null
}

export interface Cpu {
  model: string
  /** The processor's own virtualization: Intel's vmx, AMD's svm. */
  virtualization: 'vmx' | 'svm' | null
}

/** Of /proc/cpuinfo. */
export function parseCpuInfo(text: string): Cpu {
  const value = (key: string): string => new RegExp(`^${key}\\s*:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? ''
  const flags = value('flags').split(' ')
  return { model: value('model name') || 'unknown', virtualization: flags.includes('vmx') ? 'vmx' : flags.includes('svm') ? 'svm' : null }
}

/**
 * KVM works when the processor can virtualize and /dev/kvm opens for reading and writing. The device alone says nothing: it
 * may be there, open and answer, while guests hang on it.
 */
export async function kvmAvailability(cpu: Cpu, system: Pick<System, 'kvm' | 'architecture'>): Promise<Availability> {
  const unavailable = (reason: string, install?: string): Availability => ({ available: false, reason, ...(install ? { install } : {}) })
  if (system.architecture !== 'x86_64') return unavailable(`the host is ${system.architecture}, and guests are x86_64`)
  if (cpu.virtualization === null) return unavailable('the processor shows no vmx/svm')
  try {
    await (await open(system.kvm, constants.O_RDWR)).close()
    return { available: true, detail: `${system.kvm} and ${cpu.virtualization}` }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return unavailable(`no ${system.kvm}`, `sudo modprobe ${cpu.virtualization === 'vmx' ? 'kvm_intel' : 'kvm_amd'}`)
    if (code === 'EACCES' || code === 'EPERM') {
      return unavailable(`no permission on ${system.kvm}: add yourself to the kvm group and log in again`, 'sudo usermod --append --groups kvm $USER')
    }
    return unavailable(`${system.kvm} cannot be opened (${code})`)
  }
}

function tcgAvailability(missing: Host['qemuMissing']): Availability {
  return missing ? { available: false, reason: missing.message, install: missing.install } : { available: true, detail: 'emulated by QEMU, slower than KVM' }
}

async function uefiAvailability(system: System): Promise<Availability> {
  const firmware = await findFirmware(system)
  return firmware ? { available: true, detail: firmware.code } : { available: false, reason: 'the UEFI firmware (OVMF) is not installed', install: installCommand('ovmf') }
}

function programAvailability(program: string, debianPackage: string, environment: PathEnvironment): Availability {
  const path = findProgram(program, environment)
  return path === null ? { available: false, reason: `${program} is not installed`, install: installCommand(debianPackage) } : { available: true, detail: path }
}

/** QEMU joins a bridge through a setuid helper, which asks its rules whether it may. Source: qemu-bridge-helper's bridge.conf. */
export async function bridgeAvailability(system: Pick<System, 'bridgeHelpers' | 'bridgeRules' | 'networkDevices'>): Promise<Availability> {
  const helper = await firstExisting(system.bridgeHelpers)
  if (helper === null) return { available: false, reason: 'qemu-bridge-helper is not installed', install: installCommand('qemu-system-common') }
  if (process.getuid?.() !== 0 && ((await stat(helper)).mode & 0o4000) === 0) {
    return { available: false, reason: 'qemu-bridge-helper may not set up interfaces: it is not setuid root', install: `sudo chmod u+s ${helper}` }
  }
  const bridges = await hostBridges(system.networkDevices)
  const allow = `echo "allow ${bridges[0] ?? 'br0'}" | sudo tee --append ${system.bridgeRules}`
  let rules: string
  try {
    rules = await readFile(system.bridgeRules, 'utf8')
  } catch (error) {
    // Debian keeps the rules from other users' eyes; the helper reads them as root.
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return { available: true, detail: `as far as ${system.bridgeRules} allows` }
    return { available: false, reason: `no bridge is allowed: there is no ${system.bridgeRules}`, install: allow }
  }
  const allowed = [...rules.matchAll(/^\s*allow\s+(\S+)/gm)].map((match) => match[1])
  if (allowed.length === 0) return { available: false, reason: `no bridge is allowed in ${system.bridgeRules}`, install: allow }
  return { available: true, detail: `allowed: ${allowed.join(', ')}; the host has ${bridges.length > 0 ? bridges.join(', ') : 'no bridge now'}` }
}

/** A network device is a bridge when it has a folder `bridge`. */
async function hostBridges(networkDevices: string): Promise<string[]> {
  const devices = await readdir(networkDevices).catch(() => []) // sysfs is not mounted in some containers
  const isBridge = await Promise.all(devices.map((device) => exists(join(networkDevices, device, 'bridge')).catch(() => false)))
  return devices.filter((_, index) => isBridge[index])
}

async function builtinGuestAvailability(folder: string): Promise<Availability> {
  const manifest = join(folder, 'guest.json')
  try {
    if (!(await exists(manifest))) return { available: false, reason: 'it has not been made yet', install: 'npm run setup' }
    const { kernelRelease } = await readJson(manifest, z.object({ kernelRelease: z.string() }))
    return { available: true, detail: `Linux ${kernelRelease}` }
  } catch (error) {
    if (error instanceof Failure) return { available: false, reason: error.error.message, install: 'npm run setup' }
    throw error
  }
}

async function firstExisting(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) if (await exists(path)) return path
  return null
}

async function readMemory(meminfo: string): Promise<Host['memory']> {
  const text = await readFile(meminfo, 'utf8')
  const bytes = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024
  return { totalBytes: bytes('MemTotal'), availableBytes: bytes('MemAvailable') }
}

/** `Debian GNU/Linux 12 (bookworm), Linux 6.1.0-37-amd64`. */
async function readSystemName(osRelease: string): Promise<string> {
  const text = await readFile(osRelease, 'utf8').catch(() => '') // a system need not have one
  const name = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text)?.[1]
  return [...(name ? [name] : []), `Linux ${release()}`].join(', ')
}
