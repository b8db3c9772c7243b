import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { failureIn, openLab } from '../support/lab'
import { smallFileSystem } from '../support/scratch'
import { examine, nameOf, prepare, SNAPSHOT_FAULTS, strike, type SnapshotFault } from '../support/snapshot-faults'

/** Some of the steps of each; all of them: npm run soak -- snapshot-faults. */
const STEPS: Record<string, number[]> = {
  'snapshot.take true app': [12, 16, 19, 22],
  'snapshot.take true both': [16],
  'snapshot.take false app': [2],
  'snapshot.restore true app': [2, 5],
  'snapshot.restore true app standby': [5, 10]
}

const stride = Number(process.env.STRATA_FAULT_STRIDE ?? 0)

async function killedAt(fault: SnapshotFault, step: number): Promise<boolean> {
  const lab = await openLab()
  await prepare(lab, fault)
  const killed = strike(lab, fault, step)
  await lab.reopen()
  await examine(lab, fault)
  return killed
}

describe('a library whose owner is killed lists nothing half made, and lets the guest go on:', () => {
  it.each(SNAPSHOT_FAULTS.map((fault) => [nameOf(fault), fault] as const))('%s', async (_name, fault) => {
    const steps = STEPS[`${fault.operation} ${fault.live} ${fault.whom}${fault.standby ? ' standby' : ''}`] ?? []
    if (stride > 0) for (let step = 1; await killedAt(fault, step); ) step += stride
    else for (const step of steps) expect(await killedAt(fault, step)).toBe(true)
  }, stride > 0 ? 3_600_000 : 120_000)
})

describe.skipIf(process.getuid?.() !== 0)('a host whose disk is full', () => {
  it('refuses the snapshot, and the guest goes on', async () => {
    const home = smallFileSystem(48 * 2 ** 20)
    if (home === null) return
    const lab = await openLab({ home })
    await lab.done('machine.create', { name: 'lab1', source: 'none', disk: '16M', memory: '64M', cpus: 1, network: [], display: false })
    await lab.done('machine.start', { machine: 'lab1' })
    const ballast = join(home, 'ballast')
    const [blocks, size] = execFileSync('stat', ['-f', '-c', '%a %S', home], { encoding: 'utf8' }).split(' ').map(Number)
    writeFileSync(ballast, Buffer.alloc(blocks! * size! - 640 * 1024))
    expect(failureIn(await lab.ended('snapshot.take', { machine: 'lab1' }))).toMatchObject({ code: 'no-space' })
    expect(readdirSync(join(home, 'library/snapshots'))).toEqual([])
    expect(readdirSync(join(home, 'library/unfinished'))).toEqual([])
    expect((await lab.machine('lab1')).state.kind).toBe('running')
    rmSync(ballast)
    const taken = await lab.done('snapshot.take', { machine: 'lab1', name: 'one' })
    expect((await lab.done('snapshot.restore', { snapshot: taken.id, keep: false })).machine.state.kind).toBe('running')
  })
})
