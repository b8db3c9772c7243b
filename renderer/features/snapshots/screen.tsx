import { useEffect, useState, type ReactNode } from 'react'
import type { Snapshot } from '#contract'
import { call } from '../../app'

/** Pictures do not change: each is asked for once. */
const known = new Map<string, Promise<string | null>>()
async function ask(id: string): Promise<string | null> {
  const answer = await call('snapshot.screen', { snapshot: id })
  if (!answer.ok) known.delete(id) // asked again when it is shown the next time
  return answer.ok ? answer.value.pngBase64 : null
}
function pictureOf(id: string): Promise<string | null> {
  const found = known.get(id) ?? ask(id)
  known.set(id, found)
  return found
}

/** The guest's screen as it was; where there is none, what is said instead. */
export function Screen({ snapshot, className, children }: { snapshot: Snapshot; className: string | undefined; children: ReactNode }) {
  const [shown, setShown] = useState<{ id: string; png: string | null } | null>(null)
  useEffect(() => {
    if (!snapshot.screen) return
    let over = false
    void pictureOf(snapshot.id).then((png) => over || setShown({ id: snapshot.id, png }))
    return () => void (over = true)
  }, [snapshot.id, snapshot.screen])
  const png = shown?.id === snapshot.id ? shown.png : null
  return <div className={className}>{png ? <img src={`data:image/png;base64,${png}`} alt={`The screen at “${snapshot.name}”`} draggable={false} /> : children}</div>
}
