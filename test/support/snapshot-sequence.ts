import { writeFileSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { join } from 'node:path'
import { CELL, echoKernel } from './kernel'
import { until, type Lab } from './lab'
import { readPattern, writePattern } from './pattern'

const KiB = 1024
const BYTES = 64 * KiB
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
/** More of them would only be slow. */
const MOST_MACHINES = 2
const MOST_SNAPSHOTS = 5

/** What must be in a machine, or was in it when its snapshot was taken. `ram` is null while it is off. */
interface Content {
  ram: string | null
  disk: string
}
interface Kept extends Content {
  id: string
  machine: string
}

/** A number from 0 up to below 1, the same in each run with the same seed. Source: mulberry32, by Tommy Ettinger. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * A random sequence of what can be done with snapshots, on machines that run a kernel of twenty bytes. After each step every machine has to hold
 * what it must, in memory and on disk; at the end every snapshot too.
 */
export class SnapshotSequence {
  readonly log: string[] = []
  private readonly machines = new Map<string, Content>()
  private readonly kept: Kept[] = []
  private readonly random: () => number
  private serial = 0

  constructor(
    private readonly lab: Lab,
    seed: number
  ) {
    this.random = randomOf(seed)
  }

  async run(steps: number): Promise<void> {
    const kernel = join(this.lab.home, 'kernel')
    writeFileSync(kernel, echoKernel())
    await this.lab.done('machine.create', { name: 'm0', source: 'none', kernel, disk: '8M', memory: '64M', cpus: 1, network: [] })
    this.machines.set('m0', { ram: null, disk: '\0' })
    await this.write('m0')
    await this.take('m0')
    for (let step = 0; step < steps; step++) {
      await this.step()
      for (const name of this.machines.keys()) await this.check(name)
    }
    for (const kept of [...this.kept]) {
      await this.restore(kept)
      await this.check(kept.machine)
    }
  }

  private one<T>(of: readonly T[]): T {
    return of[Math.floor(this.random() * of.length)]!
  }

  private async step(): Promise<void> {
    const name = this.one([...this.machines.keys()])
    const kept = this.kept.length > 0 ? this.one(this.kept) : null
    const choices: (() => Promise<void>)[] = [
      () => this.write(name),
      () => this.write(name),
      () => this.take(name),
      () => this.collect(),
      ...(kept ? [() => this.restore(kept), () => this.fork(kept), () => this.forget(kept), () => this.archive(kept)] : [])
    ]
    await this.one(choices)()
  }

  private async write(name: string): Promise<void> {
    const [ram, disk] = [this.one([...LETTERS]), this.one([...LETTERS])]
    this.log.push(`write ${ram} ${disk} into ${name}`)
    const content = this.machines.get(name)!
    if (content.ram === null && this.random() < 0.3) {
      writePattern(await this.lab.call('disk.show', { machine: name, disk: 'disk0' }), disk, 0, BYTES)
      content.disk = disk
      return
    }
    if (content.ram === null) await this.lab.done('machine.start', { machine: name })
    await this.type(name, ram)
    await this.io(name, `write -P ${disk.charCodeAt(0)} 0 ${BYTES}`)
    Object.assign(content, { ram, disk })
  }

  private async take(name: string): Promise<void> {
    if (this.kept.length >= MOST_SNAPSHOTS) return this.forget(this.one(this.kept))
    this.log.push(`take ${name}`)
    const { id } = await this.lab.done('snapshot.take', { machine: name, name: `s${++this.serial}` })
    this.kept.push({ id, machine: name, ...this.machines.get(name)! })
  }

  private async restore(kept: Kept): Promise<void> {
    const ready = this.random() < 0.5 && (await this.lab.call('snapshot.prepare', { snapshot: kept.id })).ready
    this.log.push(`restore ${kept.id} of ${kept.machine}${ready ? ', for which a QEMU stands by' : ''}`)
    await this.lab.done('snapshot.restore', { snapshot: kept.id, keep: false })
    this.machines.set(kept.machine, { ram: kept.ram, disk: kept.disk })
  }

  private async fork(kept: Kept): Promise<void> {
    if (this.machines.size >= MOST_MACHINES) return this.discard()
    const name = `m${++this.serial}`
    this.log.push(`fork ${kept.id} as ${name}`)
    await this.lab.done('snapshot.restore', { snapshot: kept.id, as: name })
    this.machines.set(name, { ram: kept.ram, disk: kept.disk })
  }

  /** A machine goes for good, and its own snapshots with it: they could be restored as new machines only. */
  private async discard(): Promise<void> {
    const name = [...this.machines.keys()].find((one) => one !== 'm0')!
    this.log.push(`discard ${name}`)
    for (const kept of this.kept.filter((one) => one.machine === name)) await this.forget(kept)
    if (this.machines.get(name)!.ram !== null) await this.lab.done('machine.stop', { machine: name, force: true })
    await this.lab.call('machine.remove', { machine: name })
    await this.lab.call('machine.empty-trash', {})
    this.machines.delete(name)
  }

  private async forget(kept: Kept): Promise<void> {
    this.log.push(`remove ${kept.id}`)
    await this.lab.call('snapshot.remove', { snapshot: kept.id })
    this.kept.splice(this.kept.indexOf(kept), 1)
  }

  private async archive(kept: Kept): Promise<void> {
    if (kept.ram === null) return this.collect()
    this.log.push(`archive ${kept.id}`)
    await this.lab.done('snapshot.archive', { snapshot: kept.id, evict: true })
  }

  private async collect(): Promise<void> {
    this.log.push('gc')
    await this.lab.done('store.gc', {})
  }

  private async check(name: string): Promise<void> {
    const { ram, disk } = this.machines.get(name)!
    if (ram !== null) await this.io(name, 'flush')
    readPattern(await this.lab.call('disk.show', { machine: name, disk: 'disk0' }), disk, 0, BYTES, ram !== null)
    if (ram === null) return
    const { output } = await this.lab.call('monitor.run', { machine: name, line: `xp /1xb 0x${CELL.toString(16)}` })
    if (!output.includes(`0x${ram.charCodeAt(0).toString(16)}`)) throw new Error(`the memory of ${name} is to hold ${ram}: ${output}`)
  }

  /** Types a letter, and waits until it is in memory. */
  private async type(machine: string, letter: string): Promise<void> {
    const opened = await this.lab.core.openStream('console', { machine })
    if (!opened.ok) throw new Error(opened.error.message)
    const stream: Duplex = opened.value
    stream.resume()
    try {
      const wanted = `0x${letter.charCodeAt(0).toString(16)}`
      await until(this.lab, async () => {
        stream.write(letter) // the kernel may not be there yet
        return (await this.lab.call('monitor.run', { machine, line: `xp /1xb 0x${CELL.toString(16)}` })).output.includes(wanted)
      }, 60_000)
    } finally {
      stream.destroy()
    }
  }

  /** Done by QEMU, through the device's own way to the disk. */
  private async io(machine: string, command: string): Promise<void> {
    const { output } = await this.lab.call('monitor.run', { machine, line: `qemu-io -d /machine/peripheral/disk0-device/virtio-backend "${command}"` })
    if (output !== '') throw new Error(`${command} in ${machine}: ${output}`) // what it has read or written goes to QEMU's own output
  }
}
