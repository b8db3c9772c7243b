import type { Machine } from '#contract'

/** Stands in until the feature is written. */
export function MonitorTab({ machine }: { machine: Machine }) {
  return <p>{machine.name}</p>
}
