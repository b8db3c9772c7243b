import type { CloudInit, Machine } from '#contract'
// By its own path: the contract's index would bring the schema library into the window's first chunk.
import { CONSOLE_PASSWORD } from '#contract/login'
import { goToMachine, useHost } from '../../../app'
import { Button } from '../../../ui/button'
import { formatCount, formatSize } from '../../../ui/format'
import { RelativeTime } from '../../../ui/time'
import { tip } from '../../../ui/tip'
import { Section } from './section'
import styles from './overview.module.css'

/** What the machine is made of. */
export function FactsSection({ machine }: { machine: Machine }) {
  const reason = useHost((state) => {
    const kvm = state.host?.accelerators.kvm
    return machine.accelerator === 'tcg' && kvm && !kvm.available ? kvm.reason : null
  })
  const { definition } = machine
  if (!definition) return null
  const extras = [definition.tpm && 'TPM 2.0', definition.display && 'display', definition.sharedMemory && 'shared memory']
    .filter(Boolean)
    .join(', ')
  return (
    <Section
      title="Machine"
      action={
        <Button size="small" variant="quiet" onClick={() => goToMachine(machine.id, 'settings')}>
          Edit
        </Button>
      }
    >
      <dl className={styles.facts}>
        <dt>Processors</dt>
        <dd>
          {formatCount(definition.cpus, 'processor')}{' '}
          <small {...tip(reason)} className={reason ? styles.why : undefined}>
            {machine.accelerator.toUpperCase()}
          </small>
        </dd>
        <dt>Memory</dt>
        <dd>{formatSize(definition.memoryBytes)}</dd>
        <dt>Boots with</dt>
        <dd>{definition.kernel ? 'its kernel, directly' : definition.firmware === 'uefi' ? 'UEFI' : 'BIOS'}</dd>
        {definition.cloudInit && (
          <>
            <dt>Log in as</dt>
            <dd>{loginOf(definition.cloudInit)}</dd>
          </>
        )}
        {extras && (
          <>
            <dt>Also has</dt>
            <dd>{extras}</dd>
          </>
        )}
        <dt>Created</dt>
        <dd>
          <RelativeTime atMs={definition.createdAtMs} />
        </dd>
        {'pid' in machine.state && (
          <>
            <dt>QEMU</dt>
            <dd>process {machine.state.pid}</dd>
          </>
        )}
      </dl>
    </Section>
  )
}

/** What cloud-init sets up at the first start. */
function loginOf({ user, sshKeys }: CloudInit) {
  if (sshKeys.length > 0) return `${user}, over SSH with ${sshKeys.length === 1 ? 'its key' : `one of its ${sshKeys.length} keys`}; no password`
  return (
    <span>
      {user}, on the console with the password <code data-selectable>{CONSOLE_PASSWORD}</code>; not over SSH
    </span>
  )
}
