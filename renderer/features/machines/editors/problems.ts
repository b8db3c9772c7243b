import type { Host } from '#contract'
import { operations } from '#contract'
import { formatCount, formatSize } from '../../../ui/format'
import { hardwareInput, hasUserNetwork, type Hardware } from './hardware'

/** What is wrong, by field as the contract names it: `cpus`, `forward.0`. */
export type Problems = Readonly<Record<string, string>>

const LEAST_MEMORY_BYTES = 64 * 2 ** 20
const MOST_OVERCOMMIT = 8

/** Runs the contract's own schema and tells its findings by field. */
export function schemaProblems(name: 'machine.create' | 'machine.edit', input: unknown): Problems {
  const parsed = operations[name].input.safeParse(input)
  if (parsed.success) return {}
  const found: Record<string, string> = {}
  for (const issue of parsed.error.issues) {
    const field = issue.path.join('.')
    found[field] ??= (issue.code === 'invalid_format' ? PATTERNS[field] : undefined) ?? messageOf(issue)
  }
  return found
}

/** What the contract says as a pattern, in words. */
const PATTERNS: Record<string, string> = { user: 'Lower-case letters, digits, _ and -, beginning with a letter or _; at most 32.' }

/** The schema library's terse words for numbers as a sentence; a message that the contract wrote itself stays. */
function messageOf(issue: { code?: string | undefined; message: string; minimum?: unknown; maximum?: unknown; origin?: string }): string {
  const isNumber = issue.origin === 'number' || issue.origin === 'int'
  if (issue.code === 'too_small' && isNumber) return `At least ${String(issue.minimum)}.`
  if (issue.code === 'too_big' && isNumber) return `At most ${String(issue.maximum)}.`
  if (issue.code === 'too_big') return `At most ${String(issue.maximum)} characters.`
  const text = issue.message.charAt(0).toUpperCase() + issue.message.slice(1)
  return /[.!?]$/.test(text) ? text : text + '.'
}

/** What wizard and settings check alike: numbers that are none, what the host has, and contradictions; the core checks it again. */
export function hardwareProblems(hardware: Hardware, host: Host | null): Problems {
  const found: Record<string, string> = {}
  const { cpus, memoryBytes, networks, forwards } = hardware
  if (cpus === null || cpus < 1) found.cpus = 'A whole number of at least 1.'
  else if (host && cpus > host.cpu.count * MOST_OVERCOMMIT)
    found.cpus = `The host has ${formatCount(host.cpu.count, 'processor')}; at most ${MOST_OVERCOMMIT} times as many are possible.`
  if (memoryBytes === null) found.memory = 'A number, such as 256 or 1.5.'
  else if (memoryBytes < LEAST_MEMORY_BYTES) found.memory = 'At least 64 MiB: a guest does not start with less.'
  else if (host && memoryBytes > host.memory.totalBytes) found.memory = `The host has ${formatSize(host.memory.totalBytes)} in all.`
  networks.forEach(({ kind, name }, index) => {
    if (kind === 'isolated' && !/^[A-Za-z0-9_-]{1,32}$/.test(name))
      found[`network.${index}`] = 'A name of letters, digits, _ and -, at most 32.'
    if (kind === 'bridge' && !/^[A-Za-z0-9_.-]{1,15}$/.test(name))
      found[`network.${index}`] = 'The name of a bridge on the host, such as br0.'
  })
  if (hasUserNetwork(hardware)) {
    const seen = new Set<string>()
    forwards.forEach(({ protocol, hostAddress, hostPort, guestPort }, index) => {
      const key = `${protocol} ${hostAddress} ${hostPort}`
      if (!isPort(hostPort) || !isPort(guestPort)) found[`forward.${index}`] = 'Ports are numbers from 1 to 65535.'
      else if (seen.has(key)) found[`forward.${index}`] = `The host port ${hostPort} is forwarded twice.`
      seen.add(key)
    })
  }
  return found
}

const isPort = (port: number | null): boolean => port !== null && port >= 1 && port <= 65535

export const editProblems = (hardware: Hardware, host: Host | null): Problems => ({
  ...schemaProblems('machine.edit', { machine: 'x', ...hardwareInput(hardware) }),
  ...hardwareProblems(hardware, host)
})
