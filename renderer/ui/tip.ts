/**
 * What an element says when it is pointed at or focused. Data attributes only: one layer (`TooltipLayer`) shows them all, so a
 * list of hundreds costs nothing, and a control that cannot be used can still say why.
 */
export interface Tip {
  'data-tip'?: string
  'data-tip-keys'?: string
}

/** @param keys a shortcut, shown beside the text */
export function tip(text: string | null | undefined, keys?: string | null): Tip {
  if (!text) return {}
  return { 'data-tip': text, ...(keys ? { 'data-tip-keys': keys } : {}) }
}
