import { CONSOLE_PASSWORD } from '#contract/login'
import { copyText } from '../../../app'
import { CopyLine } from '../../../ui/copy-line'
import { Field, FieldGroup } from '../../../ui/field'
import { formatCount, formatSize } from '../../../ui/format'
import { TextArea, TextInput } from '../../../ui/inputs'
import { Banner, Details } from '../../../ui/notice'
import { SizeInput } from '../../../ui/size-input'
import { StrataGlyph, type Layer } from '../../../ui/strata-glyph'
import { Checkbox, RadioCards } from '../../../ui/toggles'
import { DeviceFields, ProcessorFields } from '../editors/hardware-fields'
import { NetworkFields } from '../editors/network-fields'
import { createLine } from './command-line'
import { change, holdsSystem, inputOf, useNewMachine, type NewMachine } from './draft'
import styles from './wizard.module.css'

export function HardwareStep() {
  const { machine, host, problems } = useNewMachine()
  const editor = { value: machine, onChange: change, problems, host }
  return (
    <>
      <ProcessorFields {...editor} />
      <Details label="Firmware, TPM, display and more">
        <div className={styles.more}>
          <DeviceFields {...editor} kernelBoot={machine.source === 'builtin'} />
        </div>
      </Details>
    </>
  )
}

export function DiskStep() {
  const { machine, image, host, problems } = useNewMachine()
  const system = holdsSystem(machine, image)
  const none = !system && machine.diskBytes === 0
  return (
    <>
      {!system && <Checkbox label="With a disk" checked={!none} onChange={(on) => change({ diskBytes: on ? 20 * 2 ** 30 : 0 })} />}
      {!none && (
        <Field
          label="Size"
          layout="row"
          error={problems.disk}
          hint={`It grows as the guest writes.${host ? ` The library’s disk has ${formatSize(host.library.freeBytes)} free.` : ''}`}
        >
          <SizeInput label="Size of the disk" value={machine.diskBytes} onChange={(diskBytes) => change({ diskBytes })} />
        </Field>
      )}
      {system && (
        <FieldGroup label="How it stands on its image">
          <RadioCards
            label="How it stands on its image"
            value={machine.copy ? 'copy' : 'overlay'}
            onChange={(kind) => change({ copy: kind === 'copy' })}
            cards={[
              {
                value: 'overlay',
                label: 'Overlay',
                note: 'Made at once, takes space only for what the guest writes. Many machines can stand on one image.',
                icon: <Picture layers={OVERLAY} />
              },
              {
                value: 'copy',
                label: 'Copy',
                note: 'The whole image is copied: takes longer and more space, and stands on nothing.',
                icon: <Picture layers={COPY} />
              }
            ]}
          />
        </FieldGroup>
      )}
    </>
  )
}

const OVERLAY: Layer[] = [
  { label: 'the image, stays as it is', sizeBytes: 2 ** 30, kind: 'ground' },
  { label: 'the machine’s own overlay', sizeBytes: 2 ** 20, kind: 'active' }
]
const COPY: Layer[] = [{ label: 'the machine’s own copy', sizeBytes: 2 ** 30, kind: 'active' }]
const Picture = ({ layers }: { layers: Layer[] }) => <StrataGlyph layers={layers} width={44} height={34} />

export function NetworkStep() {
  const { machine, host, problems } = useNewMachine()
  return <NetworkFields value={machine} onChange={change} problems={problems} host={host} />
}

export function CloudStep() {
  const { machine, problems } = useNewMachine()
  const noKey = machine.sshKeys.trim() === ''
  return (
    <>
      <p className={styles.intro}>
        Cloud images are set up by cloud-init at their first start: host name, and a user who logs in with a key. Without a key, that user
        has a password on the console only.
      </p>
      <Field label="Host name" layout="row" error={problems.hostname} hint="Empty: the machine’s name.">
        <TextInput value={machine.hostname} onChange={(hostname) => change({ hostname })} placeholder={machine.name} />
      </Field>
      <Field label="User" layout="row" error={problems.user}>
        <TextInput mono value={machine.user} onChange={(user) => change({ user })} />
      </Field>
      <Field
        label="Public SSH keys"
        layout="row"
        error={problems['sshKey.0']}
        hint="One a line, such as the content of ~/.ssh/id_ed25519.pub."
      >
        <TextArea
          mono
          rows={4}
          value={machine.sshKeys}
          onChange={(sshKeys) => change({ sshKeys })}
          placeholder="ssh-ed25519 AAAA… you@host"
        />
      </Field>
      {noKey && (
        <Banner tone="info">
          No key is given: “{machine.user}” logs in on the console and the display with the password <code>{CONSOLE_PASSWORD}</code>, and not
          over SSH.
        </Banner>
      )}
    </>
  )
}

export function SummaryStep() {
  const { machine, image } = useNewMachine()
  return (
    <>
      <dl className={styles.summary}>
        {summaryOf(machine, image?.name ?? null, holdsSystem(machine, image)).map(([term, text]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <FieldGroup label="The same on the command line">
        <CopyLine wrap text={createLine(inputOf(machine, image))} onCopy={copyText} />
      </FieldGroup>
    </>
  )
}

function summaryOf(machine: NewMachine, image: string | null, system: boolean): [string, string][] {
  const source = machine.source === 'builtin' ? 'the built-in guest' : (image ?? 'nothing')
  const extras = [
    machine.firmware === 'uefi' && 'UEFI',
    machine.tpm && 'TPM 2.0',
    !machine.display && 'no display',
    machine.sharedMemory && 'shared memory',
    machine.accelerator !== 'auto' && machine.accelerator.toUpperCase()
  ].filter(Boolean)
  const disk =
    machine.diskBytes === 0
      ? 'none'
      : `${formatSize(machine.diskBytes ?? 0)}${system ? (machine.copy ? ', a copy of its image' : ', an overlay on its image') : ', empty'}`
  const networks = machine.networks.map(({ kind, name }) => (kind === 'user' ? 'user' : `${kind} “${name}”`)).join(', ') || 'none'
  const forwards = machine.forwards.map(({ protocol, hostPort, guestPort }) => `${protocol} ${hostPort} → ${guestPort}`).join(', ')
  const rows: [string, string][] = [
    ['Name', machine.name],
    ['Made from', source],
    ['Processors', formatCount(machine.cpus ?? 0, 'processor')],
    ['Memory', formatSize(machine.memoryBytes ?? 0)],
    ['Disk', disk],
    ['Network', networks]
  ]
  if (forwards) rows.push(['Port forwards', forwards])
  if (extras.length > 0) rows.push(['Also', extras.join(', ')])
  return rows
}
