import type { Forward, Machine, Network } from '#contract'
import { copyText, goToMachine } from '../../../app'
import { Button } from '../../../ui/button'
import { CopyLine } from '../../../ui/copy-line'
import { addressesOf, useGuestInfo } from './guest'
import { Section } from './section'
import styles from './overview.module.css'

const SSH_PORT = 22

/** How the guest is reached: its addresses, and the host's ports that lead to it. */
export function NetworkSection({ machine }: { machine: Machine }) {
  const info = useGuestInfo(machine)
  const nics = machine.definition?.nics ?? []
  const forwards = nics.flatMap((nic) => nic.forwards)
  const addresses = info ? addressesOf(info) : []
  const runs = machine.state.kind === 'running'
  return (
    <Section
      title="Network"
      action={
        <Button size="small" variant="quiet" onClick={() => goToMachine(machine.id, 'settings')}>
          Edit
        </Button>
      }
    >
      <dl className={styles.facts}>
        <dt>Interfaces</dt>
        <dd>{nics.length === 0 ? 'none' : nics.map((nic) => describeNetwork(nic.network)).join(', ')}</dd>
        {nics.length > 0 && (
          <>
            <dt>Addresses</dt>
            <dd data-selectable>
              {addresses.length > 0
                ? addresses.map(({ name, address }) => (
                    <span key={`${name} ${address}`} className={styles.address}>
                      <code>{address}</code> <small>{name}</small>
                    </span>
                  ))
                : reasonForNoAddress(machine, runs)}
            </dd>
          </>
        )}
        {info?.hostname && (
          <>
            <dt>Host name</dt>
            <dd data-selectable>{info.hostname}</dd>
          </>
        )}
        {forwards.map((forward, index) => (
          <ForwardFact key={index} machine={machine} forward={forward} />
        ))}
      </dl>
    </Section>
  )
}

function ForwardFact({ machine, forward }: { machine: Machine; forward: Forward }) {
  return (
    <>
      <dt>
        {forward.protocol.toUpperCase()} {forward.guestPort}
      </dt>
      <dd>
        <CopyLine text={reachLine(machine, forward)} onCopy={copyText} />
      </dd>
    </>
  )
}

export function describeNetwork(network: Network): string {
  if (network.kind === 'user') return 'user'
  return `${network.kind} “${network.name}”`
}

/** What one types on the host to reach the guest through a forward: an ssh line for its SSH port, else the address. */
export function reachLine(machine: Pick<Machine, 'definition'>, { protocol, hostAddress, hostPort, guestPort }: Forward): string {
  const host = hostAddress === '0.0.0.0' ? '127.0.0.1' : hostAddress
  if (protocol !== 'tcp' || guestPort !== SSH_PORT) return `${host}:${hostPort}`
  const { definition } = machine
  // The built-in guest is the one that boots a kernel directly; it knows only root.
  const user = definition?.cloudInit?.user ?? (definition?.kernel ? 'root' : null)
  return `ssh -p ${hostPort} ${user ? `${user}@` : ''}${host}`
}

function reasonForNoAddress(machine: Machine, runs: boolean): string {
  if (!runs) return 'known while it runs'
  return machine.agent ? 'none yet' : 'unknown: the guest agent does not answer'
}
