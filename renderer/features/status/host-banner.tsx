import { CopyLine } from '../../ui/copy-line'
import { Banner } from '../../ui/notice'
import { copyText, useHost } from '../../app'

/** Without QEMU nothing can be started: says so, and goes away by itself once it is there. */
export function HostBanner() {
  const missing = useHost((state) => state.host?.qemuMissing ?? null)
  if (!missing) return null
  return (
    <Banner tone="warning" flush>
      <p>{missing.message} Machines can be looked at, but not started. Strata notices by itself when it is there.</p>
      <CopyLine text={missing.install} onCopy={copyText} />
    </Banner>
  )
}
