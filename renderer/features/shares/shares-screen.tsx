import { useEffect, useState } from 'react'
import { BookCopy, FolderOpen, Gauge, PencilLine, Plus, RefreshCw, Settings2, Share2, SlidersHorizontal, Undo2, Unplug } from 'lucide-react'
import type { Machine, Share, ShareClient } from '#contract'
import { Button, ConfirmDialog, EmptyState, formatSize, IconButton, StateBadge, tip, type StateLook } from '#ui'
import { attempt, attemptTask, copyText, goToMachine, openOverlay, runCommand, toast, useMachine, useShares, blockedBy } from '../../app'
import { CompareDialog } from './compare-dialog'
import { HandOverDialog } from './hand-over-dialog'
import { DetachDialog, EndDialog } from './let-go-dialogs'
import { LimitDialog } from './limit-dialog'
import { SettingsDialog } from './settings-dialog'
import { sayLatency, sayRate, type ShareRate } from './rates'
import { useShareLoad } from './use-load'
import { isDoubtful, labelOf, lookOfClient, lookOfMember, lookOfOwner, lookOfServer, MODES, sayLimits, sayMember, sayPublished, sayReason, sayRefreshed, sayServer, saySettings, sayTransport, sayVersion, whyNotAsked, whyNotPublish, whyNotRefresh } from './words'
import styles from './shares.module.css'

/** Every shared disk: who serves it, and who has it. */
export function SharesScreen() {
  const { byId, loaded } = useShares()
  const shares = Object.values(byId).sort((a, b) => a.createdAtMs - b.createdAtMs)
  const [comparing, setComparing] = useState(false)
  // Looked at anew; what changes comes as an event.
  useEffect(() => void attempt('share.list', {}), [])
  return (
    <section className={styles.screen} aria-label="Shares">
      <header className={styles.head}>
        <h1>Shares</h1>
        <span className={styles.actions}>
          <Button icon={Gauge} onClick={() => setComparing(true)}>
            Compare transports…
          </Button>
          <Button icon={Plus} blocked={blockedBy('share.create')} onClick={() => runCommand('share.create')}>
            Share a disk…
          </Button>
        </span>
      </header>
      {loaded && shares.length === 0 && <NoShares />}
      {shares.map((share) => (
        <ShareCard key={share.id} share={share} />
      ))}
      {comparing && <CompareDialog onClose={() => setComparing(false)} />}
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
    A machine’s disk can be used by other machines while it goes on using it: one prepares, the others look on, or write in turn. Nothing is copied.
  </EmptyState>
)

function ShareCard({ share }: { share: Share }) {
  const [ending, setEnding] = useState(false)
  const [setting, setSetting] = useState(false)
  const owner = useMachine(share.machineId)
  const rates = useShareLoad(share.id, share.server.kind === 'machine' || share.server.kind === 'daemon')
  if (share.server.kind === 'broken') return <BrokenCard share={share} message={share.server.message} />
  return (
    <article className={styles.card} aria-label={labelOf(share)}>
      <header className={styles.title}>
        <h2>{labelOf(share)}</h2>
        <p className={styles.quiet}>
          {formatSize(share.sizeBytes)}, {MODES[share.mode]}
          {share.published && `, version ${share.published.version} published`}
        </p>
        <span className={styles.actions}>
          {share.mode !== 'cluster' && <ForReaders share={share} />}
          <Button size="small" onClick={() => openOverlay({ kind: 'share', machine: share.machineId, disk: share.disk })}>
            Share with more…
          </Button>
          <Button size="small" onClick={() => setEnding(true)}>
            End the share…
          </Button>
        </span>
      </header>
      <div className={styles.server}>
        <StateBadge look={lookOfServer(share)} />
        <p>
          {sayServer(share)}
          <span className={styles.quiet}>{saySettings(share)}</span>
        </p>
        {share.server.kind === 'hung' && share.server.because !== 'storage' && <EndHung share={share} machine={share.server.machine} />}
        <IconButton icon={Settings2} size="small" label={`How ${labelOf(share)} is shared…`} onClick={() => setSetting(true)} />
      </div>
      {share.clients.length === 0 ? (
        <p className={styles.nobody}>No machine has it yet.</p>
      ) : (
        <ul className={styles.clients}>
          <PlaceRow share={share} place={ownerPlace(share, owner)} rate={rates?.get(share.machineId)} />
          {share.clients.map((client) => (
            <PlaceRow key={client.machineId} share={share} place={clientPlace(share, client)} rate={rates?.get(client.machineId)} />
          ))}
        </ul>
      )}
      {setting && <SettingsDialog share={share} onClose={() => setSetting(false)} />}
      {ending && <EndDialog share={share} onClose={() => setEnding(false)} />}
    </article>
  )
}

/** What hangs is ended when somebody says so: it may go on by itself, and then nothing is lost. One that waits for its storage does not end before that answers. */
function EndHung({ share, machine }: { share: Share; machine: string | null }) {
  const [asking, setAsking] = useState(false)
  if (machine !== null) {
    return (
      <Button size="small" onClick={() => openOverlay({ kind: 'force-off', machines: [share.machineId] })}>
        Force {machine} off…
      </Button>
    )
  }
  const restart = (): void => {
    setAsking(false)
    void attemptTask('share.restart', { share: share.id })
  }
  return (
    <>
      <Button size="small" onClick={() => setAsking(true)}>
        Restart it…
      </Button>
      {asking && (
        <ConfirmDialog title="Restart the storage daemon?" verb="Restart it" danger onClose={() => setAsking(false)} onConfirm={restart}>
          <p>
            The one that serves {labelOf(share)} is ended at once, and another takes its place. {share.writeThrough || share.mode === 'ro' ? 'Nothing that was answered is lost.' : 'What guests had written and not synced may be lost.'} What they ask for
            at this moment waits, and is asked of the new one.
          </p>
          <p>If it goes on by itself, nothing is lost at all.</p>
        </ConfirmDialog>
      )}
    </>
  )
}

/** Nothing but its file's name is known of it. */
const BrokenCard = ({ share, message }: { share: Share; message: string }) => (
  <article className={styles.card} aria-label={labelOf(share)}>
    <header className={styles.title}>
      <h2>{labelOf(share)}</h2>
    </header>
    <div className={styles.server}>
      <StateBadge look={lookOfServer(share)} />
      <p>{message} Put the file right, or delete it, and open the library again.</p>
    </div>
  </article>
)

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
        <Button size="small" icon={Undo2} hint="Readers get the disk itself again, as it changes." onClick={() => void publish(true)} blocked={busy ? 'It is being done.' : null}>
          Readers follow again
        </Button>
      ) : (
        <Button size="small" icon={RefreshCw} hint="The writer writes out what it holds back, and readers mount the disk anew: they see what is on it now." blocked={whyNotRefresh(share)} onClick={() => void refresh(share)}>
          Refresh readers
        </Button>
      )}
      <Button size="small" icon={BookCopy} busy={busy} hint="Readers get the disk as it is now, and that does not change, however much is written." blocked={whyNotPublish(share)} onClick={() => void publish(false)}>
        {share.published ? 'Publish the next version' : 'Publish a version'}
      </Button>
    </>
  )
}

interface Place {
  id: string
  name: string
  look: StateLook
  writes: boolean
  /** What is to be known of it. */
  note: string
  /** A request of its guest may have been lost: what to do. */
  doubt: string | null
  /** Why its guest cannot be asked to mount it; null when it can. */
  whyNotMounted: string | null
  /** It runs, and has the disk. */
  holds: boolean
  /** Null: it is the owner. */
  client: ShareClient | null
}

/** A machine at the disk: its own, or one that has it from there. */
function PlaceRow({ share, place, rate }: { share: Share; place: Place; rate: ShareRate | undefined }) {
  const [handing, setHanding] = useState(false)
  const [limiting, setLimiting] = useState(false)
  const [detaching, setDetaching] = useState(false)
  const { id, name, client } = place
  // Of one that does not have it nothing can be in use.
  const detach = (): void => (place.holds ? setDetaching(true) : void attemptTask('share.detach', { share: share.id, machine: id }))
  return (
    <li className={styles.client}>
      <button type="button" className={styles.name} onClick={() => goToMachine(id)}>
        {name}
      </button>
      <StateBadge look={place.look} />
      <p className={styles.quiet}>
        <Access writes={place.writes} />
        {place.note}
      </p>
      <p className={styles.rate} data-counted={place.holds || undefined} {...tip(rate ? `${Math.round(rate.requestsPerSecond)} requests a second, as ${client?.transport === 'vhost-user-blk' ? 'its guest' : 'QEMU'} counts them` : null)}>
        {rate && sayRate(rate)}
        {rate?.meanMs != null && <small>{sayLatency(rate.meanMs)}</small>}
      </p>
      <span className={styles.actions}>
        {share.mode === 'rw' && !place.writes && (
          <Button icon={PencilLine} size="small" aria-label={`Let ${name} write…`} blocked={whyNotAsked(share)} onClick={() => setHanding(true)}>
            Let it write…
          </Button>
        )}
        <Button icon={FolderOpen} size="small" className={styles.open} aria-label={`Open in the guest of ${name}`} hint="Mounts it in the guest, and says where it is." blocked={place.whyNotMounted} onClick={() => void openInGuest(share, id)}>
          Open
        </Button>
        {client ? (
          <>
            <IconButton icon={SlidersHorizontal} size="small" label={`Limit what ${name} asks`} onClick={() => setLimiting(true)} />
            <IconButton icon={Unplug} size="small" label={`Take it from ${name}`} onClick={detach} />
          </>
        ) : (
          <>
            <span className={styles.noButton} />
            <span className={styles.noButton} />
          </>
        )}
      </span>
      {place.doubt && (
        <p className={styles.doubt}>
          {place.doubt}{' '}
          <button type="button" className={styles.link} aria-label={`Reset ${name}…`} onClick={() => openOverlay({ kind: 'reset', machines: [id] })}>
            Reset it…
          </button>
        </p>
      )}
      {limiting && client && <LimitDialog share={share} client={client} onClose={() => setLimiting(false)} />}
      {detaching && client && <DetachDialog share={share} client={client} onClose={() => setDetaching(false)} />}
      {handing && <HandOverDialog share={share} to={{ id, name }} onClose={() => setHanding(false)} />}
    </li>
  )
}

const Access = ({ writes }: { writes: boolean }) => <span className={writes ? styles.writes : styles.reads}>{writes ? 'Writes' : 'Reads'}</span>

function ownerPlace(share: Share, machine: Machine | undefined): Place {
  const member = share.cluster?.members.find(({ machineId }) => machineId === share.machineId)
  const runs = machine !== undefined && 'pid' in machine.state
  return {
    id: share.machineId,
    name: share.machine,
    look: lookOfOwner(runs, member),
    writes: share.ownerWrites,
    note: member ? sayMember(member, share.cluster?.folder ?? '') : 'The disk is its own.',
    doubt: null,
    whyNotMounted: runs ? null : `${share.machine} is off.`,
    holds: runs,
    client: null
  }
}

function clientPlace(share: Share, client: ShareClient): Place {
  const member = share.cluster?.members.find(({ machineId }) => machineId === client.machineId)
  const joined = client.state === 'connected' && member !== undefined
  const doubtful = isDoubtful(client)
  return {
    id: client.machineId,
    name: client.machine,
    look: joined ? lookOfMember(member, doubtful) : lookOfClient(client),
    writes: client.writes,
    note: (doubtful ? null : sayReason(share, client)) ?? (client.state === 'off' ? 'It gets the disk when it starts.' : joined ? `${sayMember(member, share.cluster?.folder ?? '')}${sayLimits(client)}` : `${sayVersion(client)}${sayTransport(client)}${sayLimits(client)}`),
    doubt: doubtful ? client.reason : null,
    whyNotMounted: client.state === 'connected' ? null : `${client.machine} ${client.state === 'off' ? 'is off' : 'does not have it now'}.`,
    holds: client.state !== 'off' && client.state !== 'unplugged',
    client
  }
}

/** Mounts it through the agent, where it is not yet, and says where it is. */
async function openInGuest(share: Share, machine: string): Promise<void> {
  const result = await attemptTask('share.mount', { share: share.id, machine })
  if (!result.ok) return
  const { machine: name, folder, writes } = result.value
  toast(`In ${name} it is on ${folder}, to ${writes ? 'write' : 'read'}.`, {
    tone: 'good',
    actions: [
      { label: 'Console', run: () => goToMachine(machine, 'console') },
      { label: 'Copy the path', run: () => void copyText(folder) }
    ]
  })
}

async function refresh(share: Share): Promise<void> {
  const result = await attempt('share.refresh', { share: share.id })
  if (!result.ok) return
  const allSee = result.value.readers.every(({ state }) => state === 'fresh' || state === 'unmounted')
  toast(sayRefreshed(result.value), { tone: allSee ? 'good' : 'info' })
}
