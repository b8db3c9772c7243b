import type { Availability, Host } from '#contract'
import { Field } from '../../../ui/field'
import { formatCount, formatSize } from '../../../ui/format'
import { NumberInput } from '../../../ui/inputs'
import { Select, type Option } from '../../../ui/select'
import { SizeInput } from '../../../ui/size-input'
import { Switch } from '../../../ui/toggles'
import type { Hardware } from './hardware'
import type { Problems } from './problems'
import styles from './editors.module.css'

export interface EditorProps {
  value: Hardware
  onChange: (change: Partial<Hardware>) => void
  problems: Problems
  host: Host | null
}

const reason = (availability: Availability | undefined): string | null =>
  availability && !availability.available ? availability.reason : null

/** Processors and memory, beside what the host has. */
export function ProcessorFields({ value, onChange, problems, host }: EditorProps) {
  return (
    <>
      <Field
        label="Processors"
        layout="row"
        error={problems.cpus}
        hint={host ? `The host has ${formatCount(host.cpu.count, 'processor')}.` : undefined}
      >
        <NumberInput value={value.cpus} onChange={(cpus) => onChange({ cpus })} min={1} max={255} />
      </Field>
      <Field
        label="Memory"
        layout="row"
        error={problems.memory}
        hint={
          host
            ? `The host has ${formatSize(host.memory.totalBytes)}, of which ${formatSize(host.memory.availableBytes)} are free now.`
            : undefined
        }
      >
        <SizeInput label="Memory" value={value.memoryBytes} onChange={(memoryBytes) => onChange({ memoryBytes })} />
      </Field>
    </>
  )
}

/** What most machines leave as it is. */
export function DeviceFields({ value, onChange, host, kernelBoot }: Omit<EditorProps, 'problems'> & { kernelBoot: boolean }) {
  return (
    <>
      <Field label="Accelerator" layout="row">
        <Select value={value.accelerator} onChange={(accelerator) => onChange({ accelerator })} options={acceleratorOptions(host)} />
      </Field>
      <Field
        label="Firmware"
        layout="row"
        hint={kernelBoot ? 'This machine boots its kernel directly: firmware has little to do.' : undefined}
      >
        <Select value={value.firmware} onChange={(firmware) => onChange({ firmware })} options={firmwareOptions(host)} />
      </Field>
      <div className={styles.switches}>
        <Switch
          label="TPM 2.0"
          note="A security chip, emulated by swtpm."
          checked={value.tpm}
          blocked={value.tpm ? null : reason(host?.tpm)}
          onChange={(tpm) => onChange({ tpm })}
        />
        <Switch
          label="Display"
          note="A screen with keyboard and mouse, beside the serial console."
          checked={value.display}
          onChange={(display) => onChange({ display })}
        />
        <Switch
          label="Shared memory"
          note="Memory that other processes can map: needed to use disks shared by other machines."
          checked={value.sharedMemory}
          onChange={(sharedMemory) => onChange({ sharedMemory })}
        />
      </div>
    </>
  )
}

function acceleratorOptions(host: Host | null): Option<Hardware['accelerator']>[] {
  const detail = (availability: Availability | undefined): string | undefined => (availability?.available ? availability.detail : undefined)
  return [
    { value: 'auto', label: 'Automatic', note: host ? `${host.accelerator.toUpperCase()} on this computer` : undefined },
    { value: 'kvm', label: 'KVM', note: detail(host?.accelerators.kvm), blocked: reason(host?.accelerators.kvm) },
    {
      value: 'tcg',
      label: 'TCG',
      note: detail(host?.accelerators.tcg) ?? 'Emulation: works everywhere, slower.',
      blocked: reason(host?.accelerators.tcg)
    }
  ]
}

const firmwareOptions = (host: Host | null): Option<Hardware['firmware']>[] => [
  { value: 'bios', label: 'BIOS', note: 'SeaBIOS' },
  { value: 'uefi', label: 'UEFI', note: 'OVMF', blocked: reason(host?.uefi) }
]
