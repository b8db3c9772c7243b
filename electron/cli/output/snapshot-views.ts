import type { Lab, Renewal, Snapshot, SnapshotPlan } from '#contract'
import { ago, formatSize, none } from './text'

/** A snapshot as a line of a table. */
export const snapshotRow = (snapshot: Snapshot): string[] => [
  snapshot.id,
  snapshot.name,
  snapshot.machine,
  `${ago(snapshot.takenAtMs)} ago`,
  snapshot.was,
  formatSize(snapshot.ownBytes),
  formatSize(snapshot.sharedBytes),
  none(snapshot.here)
]

/** That a snapshot was taken, and what that cost the guest. */
export function takenLine(snapshot: Snapshot): string {
  const stall = snapshot.was === 'running' && snapshot.stallMs !== null ? ` The guest stood still for ${Math.round(snapshot.stallMs)} ms.` : ''
  return `Took ${snapshot.name}.${stall} Go back to it: strata snapshot restore ${snapshot.id}\n`
}

/** What taking a snapshot now would cost the guest. */
export function planLine(plan: SnapshotPlan): string {
  if (plan.problem !== null) return `None can be taken now: ${plan.problem}.\n`
  if (plan.method === 'off') return 'Its disks would be held; it is off.\n'
  return `The guest would stand still for about ${plan.expectedStallMs} ms${plan.reason === null ? '' : `: ${plan.reason}`}.\n`
}

/** Which identities of a copy are new, and which are not. */
export const renewalLines = ({ machine, renewed, left }: Renewal): string =>
  `Renewed in ${machine}: ${renewed.join(', ')}.\n${left.length > 0 ? `Not renewed in ${machine}: ${left.join(', ')}.\n` : ''}`

const runningIn = (lab: Lab): number => lab.machines.filter(({ state }) => state === 'running').length

/** A class lab as a line of a table. */
export const labRow = (lab: Lab): string[] => [lab.name, String(lab.machines.length), String(runningIn(lab)), lab.snapshot ? `${lab.snapshot.machine}: ${lab.snapshot.name}` : 'its snapshot is gone', `${ago(lab.createdAtMs)} ago`]

/** A class lab in a sentence. */
export const labLine = (lab: Lab): string => `${lab.name} has ${lab.machines.length} machines, ${runningIn(lab)} of them running: ${lab.machines.map(({ name }) => name).join(', ')}.\n`
