import { setTimeout as delay } from 'node:timers/promises'
import { failure, type ShareServer } from '#contract'
import { throwIfCancelled } from '../task/work'
import { isServing } from './plan'

/** An owner that is being started, or that ends, serves or has ended by then. */
const SERVED_TIMEOUT_MS = 60_000
const LOOK_MS = 50

/** What is asked of a share here. */
interface Served {
  readonly server: ShareServer
  readonly owner: { readonly name: string } | null
  readonly label: string
  level(): Promise<void>
}

/** What can be done when it hangs. @param machine whose QEMU it is; null: a storage daemon */
const nextOfHung = (label: string, machine: string | null): string =>
  machine === null ? `Have another take its place: strata share restart ${label}` : `Force “${machine}” off: a storage daemon serves the disk then.`

/** Waits until somebody serves a share. @throws wrong-state (nobody can), cancelled */
export async function requireServed(share: Served, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + SERVED_TIMEOUT_MS
  await share.level()
  while (share.server.kind === 'moving' && performance.now() < deadlineMs) {
    throwIfCancelled(signal)
    await delay(LOOK_MS)
    await share.level()
  }
  const { server, owner, label } = share
  if (isServing(server)) return
  if (server.kind === 'hung') throw failure('wrong-state', `Whoever serves ${label} does not answer.`, { name: label, state: server.kind, next: nextOfHung(label, server.machine) })
  const why = server.kind === 'failed' ? server.message : `“${owner?.name ?? label}” is on its way up or down.`
  throw failure('wrong-state', `${label} is not served now: ${why}`, { name: label, state: server.kind, next: 'Try again when its owner is running or off.' })
}

/** @throws wrong-state (no storage daemon serves; or it is well, or waits for its storage, and is to be ended only if that is said) */
export function requireRestartable(server: ShareServer, label: string, force: boolean): void {
  const refused = (message: string, next: string): Error => failure('wrong-state', message, { name: label, state: server.kind, next })
  if (server.kind === 'daemon') {
    if (!force) throw refused(`The storage daemon of ${label} answers.`, 'End it all the same, as if it had been killed: --force')
  } else if (server.kind !== 'hung') {
    throw refused(`No storage daemon serves ${label}.`, 'There is nothing to restart.')
  } else if (server.machine !== null) {
    throw refused(`The QEMU of “${server.machine}” serves ${label}, beside its guest.`, nextOfHung(label, server.machine))
  } else if (server.because === 'storage' && !force) {
    throw refused(`The storage that ${label} is on does not answer, and no process that waits for it ends before.`, 'Put that right: it goes on then, and has lost nothing. To have it end as soon as it can: --force')
  }
}
