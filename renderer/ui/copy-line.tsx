import { useEffect, useState } from 'react'
import { Check, Copy } from 'lucide-react'
import { IconButton } from './button'
import styles from './copy-line.module.css'

export interface CopyLineProps {
  text: string
  onCopy: (text: string) => void
  /** Breaks over several lines instead of being cut at the end. */
  wrap?: boolean
}

/** A command or an address to take somewhere else, with a button that copies it and says that it did. */
export function CopyLine({ text, onCopy, wrap }: CopyLineProps) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1500)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = (): void => {
    onCopy(text)
    setCopied(true)
  }
  return (
    <span className={styles.line} data-wrap={wrap || undefined}>
      <code data-selectable>{wrap ? words(text) : text}</code>
      <IconButton icon={copied ? Check : Copy} size="small" label={copied ? 'Copied' : 'Copy'} onClick={copy} />
    </span>
  )
}

/** A command breaks before a flag, not inside one. */
const words = (text: string) => text.split(/ (?=--)/).map((part, index) => <span key={index}>{index > 0 ? ` ${part}` : part}</span>)
