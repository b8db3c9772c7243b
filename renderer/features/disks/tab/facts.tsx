import type { ReactNode } from 'react'
import type { Image, ImageFile } from '#contract'
import { CopyLine, cx, formatSize, RelativeTime } from '#ui'
import { copyText } from '../../../app'
import { fileName, lookOfHealth, usersOf } from '../words'
import styles from './disks-tab.module.css'

/** Everything that is known of one file of a disk. */
export function Facts({ file, images }: { file: ImageFile; images: Readonly<Record<string, Image>> }) {
  const health = lookOfHealth(file.health)
  const { of } = file
  const rows: [string, ReactNode][] = [
    [
      'Health',
      <span key="health" className={cx(styles.health, health.bad && styles.bad)}>
        <health.icon size={14} strokeWidth={1.75} aria-hidden /> {health.word}
      </span>
    ],
    ['On the host', formatSize(file.fileSizeBytes)],
    ['Guest sees', formatSize(file.virtualSizeBytes)],
    ['Format', file.format],
    ['Stands on', file.backing ? fileName(file.backing) : 'nothing'],
    ['Used by', usersOf(file).join('; ') || 'nobody']
  ]
  if (of.kind === 'layer') rows.push(['Made', <RelativeTime key="made" atMs={of.layer.createdAtMs} />])
  else if (images[of.imageId]) rows.push(['Added', <RelativeTime key="added" atMs={images[of.imageId]!.addedAtMs} />])
  return (
    <>
      {'message' in file.health && (
        <p className={styles.bad} data-selectable>
          {file.health.message}
        </p>
      )}
      <dl className={styles.facts}>
        {rows.map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <CopyLine text={file.path} onCopy={copyText} />
    </>
  )
}
