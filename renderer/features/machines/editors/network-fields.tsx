import { Plus, Trash2 } from 'lucide-react'
import { Button, IconButton } from '../../../ui/button'
import { Field, FieldGroup } from '../../../ui/field'
import { NumberInput, TextInput } from '../../../ui/inputs'
import { Select } from '../../../ui/select'
import { freeHostPort, hasUserNetwork, type ForwardRow, type NetworkRow } from './hardware'
import type { EditorProps } from './hardware-fields'
import styles from './editors.module.css'

const MOST_NETWORKS = 8
const MOST_FORWARDS = 64
const SSH_PORT = 22
const HTTP_PORT = 80

const changed = <T,>(rows: readonly T[], at: number, change: Partial<T>): T[] =>
  rows.map((row, index) => (index === at ? { ...row, ...change } : row))
const without = <T,>(rows: readonly T[], at: number): T[] => rows.filter((_row, index) => index !== at)

/** Network interfaces, and the ports of the host that lead to the guest. */
export function NetworkFields({ value, onChange, problems, host }: EditorProps) {
  const { networks, forwards } = value
  const reasons: Reasons = {
    user: null,
    isolated: host && !host.isolatedNetworks.available ? host.isolatedNetworks.reason : null,
    bridge: host && !host.bridge.available ? host.bridge.reason : null
  }
  return (
    <>
      <FieldGroup label="Network interfaces">
        <ul className={styles.rows}>
          {networks.map((network, index) => (
            <li key={index}>
              <NetworkEditor
                network={network}
                index={index}
                reasons={reasons}
                error={problems[`network.${index}`]}
                onChange={(change) => onChange({ networks: changed(networks, index, change) })}
              />
              <IconButton
                icon={Trash2}
                label={`Remove interface ${index + 1}`}
                onClick={() => onChange({ networks: without(networks, index) })}
              />
            </li>
          ))}
        </ul>
        {networks.length === 0 && <p className={styles.none}>None: the machine reaches no network.</p>}
        <div>
          <Button
            size="small"
            icon={Plus}
            blocked={networks.length >= MOST_NETWORKS ? `At most ${MOST_NETWORKS} interfaces.` : null}
            onClick={() =>
              onChange({ networks: [...networks, networks.length === 0 ? { kind: 'user', name: '' } : { kind: 'isolated', name: 'lab' }] })
            }
          >
            Add interface
          </Button>
        </div>
      </FieldGroup>
      <Forwards
        forwards={forwards}
        possible={hasUserNetwork(value)}
        problems={problems}
        onChange={(next) => onChange({ forwards: next })}
      />
    </>
  )
}

/** Why a kind of network cannot be had on this computer. */
type Reasons = Record<NetworkRow['kind'], string | null>

interface NetworkEditorProps {
  network: NetworkRow
  index: number
  reasons: Reasons
  error: string | undefined
  onChange: (change: Partial<NetworkRow>) => void
}

function NetworkEditor({ network, index, reasons, error, onChange }: NetworkEditorProps) {
  const label = `Interface ${index + 1}`
  return (
    <div className={styles.network}>
      <Select
        label={label}
        value={network.kind}
        onChange={(kind) => onChange({ kind, name: kind === 'isolated' ? 'lab' : kind === 'bridge' ? 'br0' : '' })}
        options={[
          { value: 'user', label: 'User', note: 'Reaches out through the host; ports can be forwarded to it.' },
          {
            value: 'isolated',
            label: 'Isolated',
            note: 'Machines that name the same network reach each other, and nobody else.',
            blocked: reasons.isolated
          },
          {
            value: 'bridge',
            label: 'Bridge',
            note: 'A bridge of the host: the machine is a part of that network.',
            blocked: reasons.bridge
          }
        ]}
      />
      {network.kind === 'user' ? (
        <p className={styles.explain}>reaches out through the host</p>
      ) : (
        <Field label={network.kind === 'bridge' ? 'Bridge' : 'Network name'} error={error} className={styles.bare}>
          <TextInput mono value={network.name} onChange={(name) => onChange({ name })} />
        </Field>
      )}
    </div>
  )
}

interface ForwardsProps {
  forwards: readonly ForwardRow[]
  possible: boolean
  problems: EditorProps['problems']
  onChange: (forwards: ForwardRow[]) => void
}

function Forwards({ forwards, possible, problems, onChange }: ForwardsProps) {
  const blocked = possible
    ? forwards.length >= MOST_FORWARDS
      ? `At most ${MOST_FORWARDS} forwards.`
      : null
    : 'Port forwards need a user network.'
  const add = (guestPort: number): void =>
    onChange([...forwards, { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: freeHostPort(forwards), guestPort }])
  const hasSsh = forwards.some((row) => row.guestPort === SSH_PORT && row.protocol === 'tcp')
  return (
    <FieldGroup
      label="Port forwards"
      hint={possible ? 'A port of this computer that leads to a port of the guest.' : 'They need a user network.'}
    >
      {forwards.length > 0 && possible && (
        <ul className={styles.rows}>
          {forwards.map((row, index) => (
            <li key={index}>
              <ForwardEditor
                row={row}
                index={index}
                error={problems[`forward.${index}`]}
                onChange={(change) => onChange(changed(forwards, index, change))}
              />
              <IconButton icon={Trash2} label={`Remove forward ${index + 1}`} onClick={() => onChange(without(forwards, index))} />
            </li>
          ))}
        </ul>
      )}
      <div className={styles.buttons}>
        <Button size="small" icon={Plus} blocked={blocked ?? (hasSsh ? 'SSH is forwarded already.' : null)} onClick={() => add(SSH_PORT)}>
          Forward SSH
        </Button>
        <Button size="small" icon={Plus} blocked={blocked} onClick={() => add(HTTP_PORT)}>
          Forward another port
        </Button>
      </div>
    </FieldGroup>
  )
}

function ForwardEditor({
  row,
  index,
  error,
  onChange
}: {
  row: ForwardRow
  index: number
  error: string | undefined
  onChange: (change: Partial<ForwardRow>) => void
}) {
  const label = `forward ${index + 1}`
  return (
    <Field label={label} error={error} className={styles.bare}>
      <span className={styles.forward}>
        <Select
          label={`Protocol of ${label}`}
          value={row.protocol}
          onChange={(protocol) => onChange({ protocol })}
          options={[
            { value: 'tcp', label: 'TCP' },
            { value: 'udp', label: 'UDP' }
          ]}
        />
        <Select
          label={`Who may use ${label}`}
          value={row.hostAddress === '127.0.0.1' ? 'local' : 'all'}
          onChange={(who) => onChange({ hostAddress: who === 'local' ? '127.0.0.1' : '0.0.0.0' })}
          options={[
            { value: 'local', label: 'this computer', note: '127.0.0.1' },
            { value: 'all', label: 'all networks', note: '0.0.0.0: others on your networks reach the guest too.' }
          ]}
        />
        <NumberInput
          label={`Host port of ${label}`}
          value={row.hostPort}
          min={1}
          max={65535}
          stepper={false}
          onChange={(hostPort) => onChange({ hostPort })}
          className={styles.port}
        />
        <span aria-hidden>→</span>
        <NumberInput
          label={`Guest port of ${label}`}
          value={row.guestPort}
          min={1}
          max={65535}
          stepper={false}
          onChange={(guestPort) => onChange({ guestPort })}
          className={styles.port}
        />
      </span>
    </Field>
  )
}
