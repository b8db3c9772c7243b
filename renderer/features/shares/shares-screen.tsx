import { useEffect, useState } from 'react'
import { BookCopy, PencilLine, Plus, RefreshCw, Share2, Unplug } from 'lucide-react'
import type { Share, ShareClient } from '#contract'
import { Button, ConfirmDialog, EmptyState, formatCount, formatSize, IconButton, StateBadge } from '#ui'
import { attempt, attemptTask, goToMachine, openOverlay, runCommand, toast, useShares, blockedBy } from '../../app'
import { HandOverDialog } from './hand-over-dialog'
import { labelOf, lookOfClient, lookOfServer, MODES, sayPublished, sayRefreshed, sayServer, sayVersion, whyNotPublish, whyNotRefresh } from './words'
import styles from './shares.module.css'

/** Every shared disk: who serves it, and who has it. */
export function SharesScreen() {
  const { byId, loaded } = useShares()
  const shares = Object.values(byId).sort((a, b) => a.createdAtMs - b.createdAtMs)
  // Looked at anew; what changes comes as an event.
  useEffect(() => void attempt('share.list', {}), [])
  return (
    <section className={styles.screen} aria-label="Shares">
      <header className={styles.head}>
        <h1>Shares</h1>
        <Button icon={Plus} blocked={blockedBy('share.create')} onClick={() => runCommand('share.create')}>
          Share a disk…
        </Button>
      </header>
      {loaded && shares.length === 0 && <NoShares />}
      {shares.map((share) => (
        <ShareCard key={share.id} share={share} />
      ))}
    </section>
  )
}

const NoShares = () => (
  <EmptyState
    icon={Share2}
    title="No disk is shared"
    actions={
      <Button blocked={blockedBy('share.create')} onClick={() => runCommand('share.create')}>
        Share a disk…
      </Button>
    }
  >
    A machine’s disk can be read by other machines while it goes on using it: one prepares, the others look on. Nothing is copied.
  </EmptyState>
)

function ShareCard({ share }: { share: Share }) {
  const [ending, setEnding] = useState(false)
  return (
    <article className={styles.card} aria-label={labelOf(share)}>
      <header className={styles.title}>
        <h2>{labelOf(share)}</h2>
        <p className={styles.quiet}>
          {formatSize(share.sizeBytes)}, {MODES[share.mode]}
          {share.published && `, version ${share.published.version} published`}
        </p>
        {share.mode !== 'cluster' && <ForReaders share={share} />}
        <Button size="small" onClick={() => openOverlay({ kind: 'share', machine: share.machineId, disk: share.disk })}>
          Share with more…
        </Button>
        <Button size="small" onClick={() => setEnding(true)}>
          End the share…
        </Button>
      </header>
      <div className={styles.server}>
        <StateBadge look={lookOfServer(share)} />
        <p>{sayServer(share)}</p>
      </div>
      {share.clients.length === 0 ? (
        <p className={styles.nobody}>No machine has it yet.</p>
      ) : (
        <ul className={styles.clients}>
          {share.mode === 'rw' && <OwnerRow share={share} />}
          {share.clients.map((client) => (
            <ClientRow key={client.machineId} share={share} client={client} />
          ))}
        </ul>
      )}
      {ending && <EndDialog share={share} onClose={() => setEnding(false)} />}
    </article>
  )
}

/** How readers get to see what was written: a version that does not change, or the disk itself, looked at anew. */
function ForReaders({ share }: { share: Share }) {
  const [busy, setBusy] = useState(false)
  const publish = async (live: boolean): Promise<void> => {
    setBusy(true)
    const result = await attemptTask('share.publish', { share: share.id, live })
    setBusy(false)
    if (!result.ok) return
    const allHave = result.value.readers.every(({ state }) => state === 'fresh' || state === 'unmounted')
    toast(sayPublished(result.value), { tone: allHave && result.value.settled ? 'good' : 'info' })
  }
  return (
    <>
      {share.published ? (
        <Button size="small" onClick={() => void publish(true)} blocked={busy ? 'It is being done.' : null}>
          Readers follow again
        </Button>
      ) : (
        <Button size="small" icon={RefreshCw} blocked={whyNotRefresh(share)} onClick={() => void refresh(share)}>
          Refresh readers
        </Button>
      )}
      <Button size="small" icon={BookCopy} busy={busy} blocked={whyNotPublish(share)} onClick={() => void publish(false)}>
        {share.published ? 'Publish the next version' : 'Publish a version'}
      </Button>
    </>
  )
}

const HandOverButton = ({ name, onClick }: { name: string; onClick: () => void }) => (
  <Button icon={PencilLine} size="small" onClick={onClick}>
    Let {name} write…
  </Button>
)

/** Its own machine, where that may be one that only reads. */
function OwnerRow({ share }: { share: Share }) {
  const [handing, setHanding] = useState(false)
  return (
    <li className={styles.client}>
      <button type="button" className={styles.name} onClick={() => goToMachine(share.machineId)}>
        {share.machine}
      </button>
      <span />
      <p className={styles.quiet}>
        <Access writes={share.ownerWrites} />
        the disk is its own
      </p>
      {!share.ownerWrites && <HandOverButton name={share.machine} onClick={() => setHanding(true)} />}
      {handing && <HandOverDialog share={share} to={{ id: share.machineId, name: share.machine }} onClose={() => setHanding(false)} />}
    </li>
  )
}

const Access = ({ writes }: { writes: boolean }) => <span className={writes ? styles.writes : styles.reads}>{writes ? 'Writes' : 'Reads'}</span>

function ClientRow({ share, client }: { share: Share; client: ShareClient }) {
  const [handing, setHanding] = useState(false)
  return (
    <li className={styles.client}>
      <button type="button" className={styles.name} onClick={() => goToMachine(client.machineId)}>
        {client.machine}
      </button>
      <StateBadge look={lookOfClient(client)} />
      <p className={styles.quiet}>
        {share.mode === 'rw' && <Access writes={client.writes} />}
        {client.reason ?? (client.state === 'off' ? 'It gets the disk when it starts.' : `${sayVersion(client)}over ${client.transport}`)}
      </p>
      <span className={styles.actions}>
        {share.mode === 'rw' && !client.writes && <HandOverButton name={client.machine} onClick={() => setHanding(true)} />}
        <IconButton
          icon={Unplug}
          size="small"
          label={`Take it from ${client.machine}`}
          onClick={() => void attemptTask('share.detach', { share: share.id, machine: client.machineId })}
        />
      </span>
      {handing && <HandOverDialog share={share} to={{ id: client.machineId, name: client.machine }} onClose={() => setHanding(false)} />}
    </li>
  )
}

async function refresh(share: Share): Promise<void> {
  const result = await attempt('share.refresh', { share: share.id })
  if (!result.ok) return
  const allSee = result.value.readers.every(({ state }) => state === 'fresh' || state === 'unmounted')
  toast(sayRefreshed(result.value), { tone: allSee ? 'good' : 'info' })
}

function EndDialog({ share, onClose }: { share: Share; onClose: () => void }) {
  const running = share.clients.filter(({ state }) => state !== 'off').length
  const end = (): void => {
    onClose()
    void attemptTask('share.remove', { share: share.id })
  }
  return (
    <ConfirmDialog title={`End the share of ${labelOf(share)}?`} verb="End the share" onClose={onClose} onConfirm={end}>
      <p>
        {running === 0
          ? 'No machine uses it now.'
          : `${formatCount(running, 'guest')} that ${running === 1 ? 'runs is' : 'run are'} asked to let go of it: unmount it there first. What is on the disk stays as it is.`}
      </p>
    </ConfirmDialog>
  )
}
