import type { ManagedMachine } from '../machine/machine'
import { EACH, inGuest } from './guest-disk'

/** A guest that is not told to go on goes on by itself after so long: also when Strata was ended meanwhile. */
const AT_MOST_SECONDS = 20

/**
 * Has a guest hold still all that it has mounted of a disk, for as long as an act takes: what it has written lies in its place then, and no journal
 * is to be replayed. The root is not held: the agent runs from there.
 * @param address of the disk's device on the PCI bus
 * @returns whether all was held, and until the end of the act
 */
export async function whileFrozen(machine: ManagedMachine, address: string, act: () => Promise<void>): Promise<boolean> {
  const lines = (await inGuest(machine, FREEZE, [address, String(AT_MOST_SECONDS)])).split('\n')
  const watchers = lines.flatMap((line) => (line.startsWith('held ') ? [line.slice('held '.length)] : []))
  const thaw = (): Promise<string> => inGuest(machine, THAW, [address, watchers.join(' ')])
  try {
    await act()
  } catch (error) {
    await thaw()
    throw error
  }
  const heldOn = (await thaw()) === ''
  return heldOn && !lines.some((line) => line.startsWith('loose '))
}

/** Each that is held has a process that lets it go, in case nobody else does. */
const FREEZE = `
seconds=$2
each() {
  if [ "$2" != / ] && fsfreeze --freeze "$2" 2>/dev/null; then
    (sleep "$seconds"; fsfreeze --unfreeze "$2") > /dev/null 2>&1 < /dev/null &
    echo "held $!"
  else
    echo "loose $2"
  fi
}
${EACH}
sync
blockdev --flushbufs "/dev/$name" 2>/dev/null
true`

/** Tells what was let go before. */
const THAW = `
watchers=$2
[ -n "$watchers" ] && kill $watchers 2>/dev/null
[ -n "$watchers" ] || exit 0
each() { [ "$2" = / ] || fsfreeze --unfreeze "$2" 2>/dev/null || echo "was let go: $2"; }
${EACH}
true`
