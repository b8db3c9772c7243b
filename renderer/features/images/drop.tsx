import { useState, type DragEvent, type ReactNode } from 'react'
import { FileDown } from 'lucide-react'
import { openOverlay, shell, toast } from '../../app'
import styles from './images.module.css'

/** Takes a file that is dropped on what stands in it, as Import does. */
export function DropImport({ children }: { children: ReactNode }) {
  const [over, setOver] = useState(false)
  const holdsFile = (event: DragEvent): boolean => event.dataTransfer.types.includes('Files')
  const onDragOver = (event: DragEvent): void => {
    if (!holdsFile(event)) return
    event.preventDefault()
    event.dataTransfer.dropEffect = 'copy'
    setOver(true)
  }
  const onDragLeave = (event: DragEvent): void => {
    if (!(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget))) setOver(false)
  }
  const onDrop = (event: DragEvent): void => {
    if (!holdsFile(event)) return
    event.preventDefault()
    setOver(false)
    const [file, ...more] = event.dataTransfer.files
    const path = file ? shell().pathOf(file) : ''
    if (more.length > 0) toast('One image at a time: drop a single file.')
    else if (path === '') toast('What was dropped is no file of this computer.', { tone: 'error' })
    else openOverlay({ kind: 'import-image', path })
  }
  return (
    <div
      className={styles.drop}
      data-over={over || undefined}
      onDragEnter={onDragOver}
      onDragOver={onDragOver}
      onDragLeave={onDragLeave}
      onDrop={onDrop}
    >
      {children}
      {over && (
        <div className={styles.target} aria-hidden>
          <FileDown size={28} strokeWidth={1.25} />
          Drop it to import it
        </div>
      )}
    </div>
  )
}
