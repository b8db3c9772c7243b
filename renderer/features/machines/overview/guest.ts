import { useEffect, useState } from 'react'
import type { GuestInfo, Machine } from '#contract'
import { call } from '../../../app'

/** Addresses change seldom; a guest that just came up gets its own soon. */
const EVERY_MS = 10_000
const SOON_MS = 2000

/** What the guest agent tells, while the machine runs and this is mounted; null when nothing is known. */
export function useGuestInfo({ id, state, agent }: Machine): GuestInfo | null {
  const [known, setKnown] = useState<{ id: string; info: GuestInfo } | null>(null)
  const asks = state.kind === 'running' && agent === true
  useEffect(() => {
    if (!asks) return
    let over = false
    let timer: ReturnType<typeof setTimeout> | null = null
    const ask = async (): Promise<void> => {
      const result = document.visibilityState === 'hidden' ? null : await call('guest.info', { machine: id })
      if (over) return
      if (result?.ok) setKnown({ id, info: result.value })
      const found = result?.ok && addressesOf(result.value).length > 0
      timer = setTimeout(() => void ask(), found ? EVERY_MS : SOON_MS)
    }
    void ask()
    return () => {
      over = true
      if (timer) clearTimeout(timer)
    }
  }, [id, asks])
  return asks && known?.id === id ? known.info : null
}

/** The addresses by which a guest is reached: without loopback and link-local ones, without the length of their network's prefix. */
export function addressesOf(info: GuestInfo): { name: string; address: string }[] {
  return info.interfaces.flatMap(({ name, addresses }) =>
    name === 'lo'
      ? []
      : addresses
          .filter((address) => !/^(127\.|::1|fe80:)/i.test(address))
          .map((address) => ({ name, address: address.replace(/\/\d+$/, '') }))
  )
}
