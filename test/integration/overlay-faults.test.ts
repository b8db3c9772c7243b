import { describe, expect, it, onTestFailed } from 'vitest'
import { openLab } from '../support/lab'
import { examine, FAULTS, nameOf, prepare, strike, type Fault } from '../support/overlay-faults'

/**
 * Kills at steps of an operation: whatever is left, the library opens, every byte is there, and the history tells the truth. Every 40th
 * step here, from another one on in each case; `npm run soak -- overlay-faults` takes them all.
 */
const EVERY = Number(process.env.STRATA_FAULT_STRIDE ?? 40)
const FIRST = process.env.STRATA_FAULT_FIRST
/** The hardest fault of each operation here: of a machine that runs, QEMU killed too. */
const hardest = ({ operation, input, whom }: Fault): boolean =>
  whom === 'both' || !FAULTS.some((other) => other.operation === operation && JSON.stringify(other.input) === JSON.stringify(input) && other.whom === 'both')
const CASES = process.env.STRATA_FAULT_STRIDE ? FAULTS : FAULTS.filter(hardest)

async function killedAt(fault: Fault, step: number): Promise<boolean> {
  const lab = await openLab()
  await prepare(lab)
  if (fault.live) await lab.done('machine.start', { machine: 'lab1' })
  await lab.core.close()
  const killed = strike(lab, fault, step)
  await lab.reopen()
  await examine(lab, fault)
  return killed
}

describe('cut off at any step, nothing is lost and the history is true:', () => {
  it.each(CASES.map((fault, index) => [nameOf(fault), fault, 1 + (index % 3)] as const))('%s', async (_name, fault, first) => {
    let struck = 0
    let step = FIRST === undefined ? first : Number(FIRST)
    onTestFailed(() => console.error(`${nameOf(fault)}: failed at step ${step}`)) // also where it ran out of time
    for (let from = Date.now(); await killedAt(fault, step); step += EVERY, from = Date.now()) {
      struck++
      if (FIRST !== undefined) console.error(`${nameOf(fault)}: step ${step}, ${Date.now() - from} ms`)
    }
    expect(struck).toBeGreaterThan(0)
  }, Math.max(1, 12 / EVERY) * 120_000)
})
