import { Dialog } from '#ui'
import { shell } from './bridge'
import { useHost } from './world/host'
import styles from './app.module.css'

export function About({ onClose }: { onClose: () => void }) {
  const host = useHost((state) => state.host)
  const { version, electron } = shell().facts
  return (
    <Dialog title={`Strata ${version}`} description="VM labs on your own machine." onClose={onClose} width={420}>
      <dl className={styles.about} data-selectable>
        <dt>QEMU</dt>
        <dd>{host?.qemu ? `${host.qemu.version} (${host.qemu.path})` : 'not installed'}</dd>
        <dt>Electron</dt>
        <dd>{electron}</dd>
        <dt>System</dt>
        <dd>{host?.system ?? ''}</dd>
        <dt>Licence</dt>
        <dd>MIT</dd>
      </dl>
    </Dialog>
  )
}
