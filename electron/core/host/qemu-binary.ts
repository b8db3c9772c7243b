import { statSync } from 'node:fs'
import { z } from 'zod'
import { failure, QemuBinary } from '#contract'
import { exists, readJson, writeJsonAtomic } from './files'
import { run } from './process'

/** The system emulator that machines run on. */
export const QEMU = 'qemu-system-x86_64'
const TIMEOUT_MS = 30_000

/** What tells one installed QEMU from the next: an upgrade gives its file another time or size. */
const Identity = z.object({ path: z.string(), modifiedAtMs: z.number(), sizeBytes: z.number() })
type Identity = z.output<typeof Identity>
const Cache = z.object({ schemaVersion: z.literal(1), entries: z.array(Identity.extend({ binary: QemuBinary })) })

function identify(path: string): Identity | null {
  try {
    const { mtimeMs, size } = statSync(path)
    return { path, modifiedAtMs: mtimeMs, sizeBytes: size }
  } catch {
    return null // removed meanwhile
  }
}
const same = (a: Identity, b: Identity): boolean => a.path === b.path && a.modifiedAtMs === b.modifiedAtMs && a.sizeBytes === b.sizeBytes

const known: { identity: Identity; binary: Promise<QemuBinary> }[] = []

/**
 * Version and machine types of a QEMU. It is run once for each installed version: the answer is kept in memory and in
 * `cacheFile`, as the app's start waits for it.
 * @throws program-failed, time-out, protocol: the file is there, and does not work
 */
export function inspectQemu(path: string, cacheFile: string): Promise<QemuBinary> {
  const identity = identify(path)
  if (!identity) return Promise.reject(failure('not-found', `“${path}” does not exist.`, { what: 'file', name: path }))
  const before = known.find((entry) => same(entry.identity, identity))
  if (before) return before.binary
  const entry = { identity, binary: readOrAsk(identity, cacheFile) }
  known.push(entry)
  // One that does not answer may be in the middle of its installation: it is asked again next time.
  entry.binary.catch(() => known.splice(known.indexOf(entry), 1))
  return entry.binary
}

async function readOrAsk(identity: Identity, cacheFile: string): Promise<QemuBinary> {
  const entries = await readCache(cacheFile)
  const cached = entries.find((entry) => same(entry, identity))
  if (cached) return cached.binary
  const binary = await askQemu(identity.path)
  const others = entries.filter((entry) => entry.path !== identity.path)
  try {
    await writeJsonAtomic(cacheFile, { schemaVersion: 1, entries: [...others, { ...identity, binary }] })
  } catch {
    // A full disk or a read-only library costs the next start a moment, nothing else.
  }
  return binary
}

async function readCache(cacheFile: string): Promise<z.output<typeof Cache>['entries']> {
  try {
    return (await exists(cacheFile)) ? (await readJson(cacheFile, Cache)).entries : []
  } catch {
    return [] // damaged or of another version: it is made anew from QEMU's own answers
  }
}

/** Of `-machine help`, which alone has descriptions. */
interface MachineHelp {
  name: string
  description: string
  isDefault: boolean
}
const Greeting = z.object({ QMP: z.object({ version: z.object({ qemu: z.object({ major: z.number(), minor: z.number(), micro: z.number() }) }) }) })
const Machines = z.object({ return: z.array(z.object({ name: z.string(), alias: z.string().optional(), 'cpu-max': z.number() })) })

async function askQemu(path: string): Promise<QemuBinary> {
  const [help, qmp] = await Promise.all([
    run(path, ['-machine', 'help'], { timeoutMs: TIMEOUT_MS }),
    // A QEMU without a machine answers questions about itself in some 20 ms. Source: QMP query-machines, since 1.2.
    run(path, ['-machine', 'none', '-nodefaults', '-no-user-config', '-display', 'none', '-qmp', 'stdio'], {
      input: ['qmp_capabilities', 'query-machines', 'quit'].map((command) => JSON.stringify({ execute: command }) + '\n').join(''),
      timeoutMs: TIMEOUT_MS
    })
  ])
  try {
    const lines = qmp.stdout.split('\n').filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as unknown)
    const { major, minor, micro } = Greeting.parse(lines[0]).QMP.version.qemu
    const answer = lines.map((line) => Machines.safeParse(line)).find((parsed) => parsed.success)
    const maxCpus = new Map(answer?.data.return.flatMap((m) => [[m.name, m['cpu-max']] as const, [m.alias ?? m.name, m['cpu-max']] as const]))
    return {
      path,
      version: `${major}.${minor}.${micro}`,
      target: path.slice(path.lastIndexOf('-') + 1),
      machineTypes: parseMachineHelp(help.stdout)
        .filter(({ name }) => name !== 'none')
        .map((machine) => ({ ...machine, maxCpus: maxCpus.get(machine.name) ?? 1 }))
    }
  } catch (cause) {
    throw failure('protocol', `“${path}” does not answer as QEMU does.`, { peer: path, cause })
  }
}

/** `q35   Standard PC (Q35 + ICH9, 2009) (alias of pc-q35-7.2)`, after a line of heading. */
export function parseMachineHelp(text: string): MachineHelp[] {
  return text.split('\n').flatMap((line) => {
    const match = /^(\S+)\s+(\S.*)$/.exec(line)
    if (!match || line.endsWith(':')) return []
    const [, name = '', rest = ''] = match
    return [{ name, description: rest.replace(/ \(default\)/, '').trim(), isDefault: / \(default\)/.test(rest) }]
  })
}
