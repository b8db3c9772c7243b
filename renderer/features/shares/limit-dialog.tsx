import { useState } from 'react'
import type { AppError, Share, ShareClient } from '#contract'
import { Button, Dialog, ErrorNotice, Field, TextInput } from '#ui'
import { call, copyText } from '../../app'
import { labelOf } from './words'
import styles from './shares.module.css'

/** What a machine may ask of a shared disk; it holds at once. */
export function LimitDialog({ share, client, onClose }: { share: Share; client: ShareClient; onClose: () => void }) {
  const [requests, setRequests] = useState(client.limits.requestsPerSecond?.toString() ?? '')
  const [bytes, setBytes] = useState(inUnits(client.limits.bytesPerSecond))
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<AppError | null>(null)
  const noNumber = /^\d*$/.test(requests) ? null : 'A whole number, or nothing.'
  const noSize = /^(\d+(\.\d+)?\s*[kmgt]?(i?b)?)?$/i.test(bytes.trim()) ? null : 'A size such as 10M, or nothing.'
  const start = async (): Promise<void> => {
    setBusy(true)
    setError(null)
    const result = await call('share.limit', { share: share.id, machine: client.machineId, requests: Number(requests), bytes: bytes.trim() === '' ? 0 : bytes.trim() })
    setBusy(false)
    if (!result.ok) return setError(result.error)
    onClose()
  }
  return (
    <Dialog
      title={`Limit what ${client.machine} asks of ${labelOf(share)}`}
      description="Of what it reads and writes together. It holds at once, and as long as the machine has the disk; what is over it waits its turn."
      onClose={onClose}
      width={440}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" busy={busy} blocked={noNumber ?? noSize} onClick={() => void start()}>
            Set
          </Button>
        </>
      }
    >
      {error && <ErrorNotice error={error} onCopy={copyText} />}
      <Field label="Requests a second" layout="row" error={noNumber}>
        <TextInput value={requests} onChange={setRequests} placeholder="no limit" />
      </Field>
      <Field label="Bytes a second" layout="row" error={noSize}>
        <TextInput value={bytes} onChange={setBytes} placeholder="no limit" />
      </Field>
      <p className={styles.help}>For example 500, and 10M. Empty: no limit.</p>
    </Dialog>
  )
}

/** As one would type it: `10M`. */
function inUnits(bytes: number | null): string {
  if (bytes === null) return ''
  const units = ['', 'K', 'M', 'G', 'T']
  let power = 0
  while (power < units.length - 1 && bytes % 2 ** (10 * (power + 1)) === 0) power++
  return `${bytes / 2 ** (10 * power)}${units[power]}`
}
