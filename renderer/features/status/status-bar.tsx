import { useEffect } from 'react'
import { Cpu, FolderOpen, MemoryStick, Zap } from 'lucide-react'
import type { Host } from '#contract'
import { formatPercent, formatSize } from '../../ui/format'
import { Meter } from '../../ui/progress'
import { tip } from '../../ui/tip'
import { call, useHost } from '../../app'
import { TaskTray } from '../tasks'
import styles from './status.module.css'

/** Load and memory are looked at this often, and only while the window can be seen. */
const LOOK_MS = 5000

/** The computer at a glance: load, memory, accelerator with its reason, the library and its space; tasks at the right. */
export function StatusBar() {
  const host = useHost((state) => state.host)
  useHostReadings()
  return (
    <footer data-part="status" className={styles.bar} aria-label="State of the computer">
      {host && <HostFacts host={host} />}
      <span className={styles.space} />
      <TaskTray />
    </footer>
  )
}

function HostFacts({ host }: { host: Host }) {
  const used = 1 - host.memory.availableBytes / host.memory.totalBytes
  return (
    <>
      <span className={styles.fact} {...tip(`${host.cpu.count} processors: ${host.cpu.model}`)}>
        <Cpu size={13} aria-hidden />
        <Meter share={host.cpuLoad} label="Processor load" />
        <span className={styles.number}>{formatPercent(host.cpuLoad)}</span>
      </span>
      <span
        className={styles.fact}
        {...tip(`Memory: ${formatSize(host.memory.availableBytes)} of ${formatSize(host.memory.totalBytes)} free`)}
      >
        <MemoryStick size={13} aria-hidden />
        <Meter share={used} label="Memory in use" />
        <span className={styles.number}>{formatPercent(used)}</span>
      </span>
      <span className={styles.fact} {...tip(acceleratorReason(host))} tabIndex={0}>
        <Zap size={13} aria-hidden />
        {host.accelerator.toUpperCase()}
      </span>
      <span className={styles.fact} {...tip(`Library: ${host.library.path}`)} tabIndex={0}>
        <FolderOpen size={13} aria-hidden />
        <span className={styles.path}>{host.library.path}</span>
        <span className={styles.quiet}>{formatSize(host.library.freeBytes)} free</span>
      </span>
    </>
  )
}

function acceleratorReason({ accelerator, accelerators }: Host): string {
  const { kvm } = accelerators
  if (accelerator === 'kvm') return 'KVM: guests run on the processor itself.'
  return `TCG: guests are emulated, which is slower. ${kvm.available ? '' : `KVM: ${kvm.reason}.`}`
}

/** Keeps the readings fresh. What is answered is what the store holds next. */
function useHostReadings(): void {
  useEffect(() => {
    const look = async (): Promise<void> => {
      if (document.hidden) return
      const answer = await call('host.show', {})
      if (answer.ok) useHost.setState({ host: answer.value })
    }
    const timer = setInterval(() => void look(), LOOK_MS)
    return () => clearInterval(timer)
  }, [])
}
