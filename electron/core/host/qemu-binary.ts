import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { failure, QemuBinary } from '#contract'
import { exists, readJson, writeJsonAtomic } from './files'
import { run } from './process'

/** QEMU's system emulators that Strata uses, the first choice first. */
const PROGRAMS = ['qemu-system-x86_64'] as const
const TIMEOUT_MS = 30_000

export interface PathEnvironment {
  PATH?: string | undefined
}

/** Where a program is that can be run, looked up as execvp(3) does; null when there is none. */
export function findProgram(name: string, environment: PathEnvironment): string | null {
  for (const folder of (environment.PATH ?? '').split(delimiter)) {
    if (!isAbsolute(folder)) continue // what a relative folder means depends on where one stands
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      if (statSync(path).isFile()) return path
    } catch {
      continue // not in this folder
    }
  }
  return null
}

/** Path of the QEMU to use, or null when none is installed. */
export function findQemu(environment: PathEnvironment): string | null {
  for (const program of PROGRAMS) {
    const path = findProgram(program, environment)
    if (path !== null) return path
  }
  return null
}

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
const keyOf = (identity: Identity | null): string => (identity ? `${identity.path}|${identity.modifiedAtMs}|${identity.sizeBytes}` : '')

const known = new Map<string, Promise<QemuBinary>>()
/** Those that were asked and did not answer, by key. */
const failing = new Set<string>()

/**
 * Version and machine types of a QEMU. It is run once for each installed version: the answer is kept in memory and in
 * `cacheFile`, as the app's start waits for it.
 * @param refresh ask QEMU again all the same
 * @throws program-failed, time-out, protocol: the file is there, and does not work
 */
export function inspectQemu(path: string, cacheFile: string, refresh = false): Promise<QemuBinary> {
  const identity = identify(path)
  if (!identity) return Promise.reject(failure('not-found', `“${path}” does not exist.`, { what: 'file', name: path }))
  const key = keyOf(identity)
  const before = refresh ? undefined : known.get(key)
  if (before) return before
  const asked = readOrAsk(identity, cacheFile, refresh)
  known.set(key, asked)
  asked.then(
    () => failing.delete(key),
    () => {
      failing.add(key)
      known.delete(key) // it may be in the middle of its installation: ask again next time
    }
  )
  return asked
}

async function readOrAsk(identity: Identity, cacheFile: string, refresh: boolean): Promise<QemuBinary> {
  const entries = await readCache(cacheFile)
  const cached = refresh ? undefined : entries.find((entry) => same(entry, identity))
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

/**
 * Tells when QEMU appears, is upgraded or goes, within `intervalMs` and a bit. One that was just installed and does not
 * run yet (its libraries come after it) is told again and again, so that whoever listens asks it once more.
 * @returns the function that ends it
 */
export function watchForQemu(onChange: () => void, environment: PathEnvironment, intervalMs = 1000): () => void {
  const look = (): string => {
    const path = findQemu(environment)
    return keyOf(path === null ? null : identify(path))
  }
  let before = look()
  const timer = setInterval(() => {
    const now = look()
    if (now !== before || (failing.has(now) && installedLately(now))) onChange()
    before = now
  }, intervalMs)
  timer.unref()
  return () => clearInterval(timer)
}

const INSTALLATION_MS = 120_000
function installedLately(key: string): boolean {
  try {
    return Date.now() - statSync(key.split('|')[0] ?? '').ctimeMs < INSTALLATION_MS
  } catch {
    return false // gone again
  }
}
