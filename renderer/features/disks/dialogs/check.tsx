import { useState } from 'react'
import { CircleAlert, CircleCheck } from 'lucide-react'
import type { ResultOf } from '#contract'
import { Banner, Checkbox, formatCount } from '#ui'
import { useImages } from '../../../app'
import { fileName, titleOfFile } from '../words'
import type { DiskDialogProps } from './dialogs'
import { Sentence, TaskDialog, useTaskRun } from './frame'
import styles from './dialogs.module.css'

type Checked = ResultOf<'disk.check'>['files']

/** Looks for damage, says what it found, and offers to repair it. */
export function CheckDialog({ machine, view }: DiskDialogProps) {
  const [files, setFiles] = useState<Checked | null>(null)
  const [repaired, setRepaired] = useState<ResultOf<'disk.repair'> | null>(null)
  const [leaksOnly, setLeaksOnly] = useState(false)
  const work = useTaskRun()
  const on = { machine: machine.id, disk: view.disk.id }
  const images = useImages((state) => state.byId)
  const titleAt = (path: string): string => {
    const known = [...view.files, ...view.undone].find((file) => file.path === path)
    return known ? `${titleOfFile(known, images)} (${fileName(path)})` : fileName(path)
  }
  const damaged = (files ?? []).filter(isBad)
  const check = async (): Promise<void> => {
    const done = await work.run('disk.check', on)
    if (done) setFiles(done.files)
  }
  const repair = async (): Promise<void> => {
    const done = await work.run('disk.repair', { ...on, leaksOnly })
    if (!done) return
    setRepaired(done)
    await check()
  }
  const repairs = damaged.length > 0
  return (
    <TaskDialog
      title={`Check ${view.disk.id} of ${machine.name}`}
      description="qemu-img looks through the tables of every layer: clusters that are lost, or claimed twice."
      verb={repairs ? 'Repair' : files ? 'Check again' : 'Check'}
      danger={repairs && !leaksOnly}
      done={files !== null && !repairs}
      work={work}
      subject={machine.name}
      onRun={() => void (repairs ? repair() : check())}
      width={520}
    >
      {files === null && <Sentence>Nothing is changed by a check.</Sentence>}
      {repaired && (
        <Banner tone="good">
          {formatCount(repaired.repaired.length, 'file')} repaired.{' '}
          {repaired.copies.length > 0 && `Copies from before: ${repaired.copies.map(fileName).join(', ')}.`}
        </Banner>
      )}
      {files && (
        <ul className={styles.results} aria-label="What was found">
          {files.map((file) => (
            <Found key={file.path} file={file} title={titleAt(file.path)} />
          ))}
        </ul>
      )}
      {repairs && (
        <>
          <Sentence>A copy of each damaged file is kept. What was in damaged places may be lost all the same.</Sentence>
          <Checkbox checked={leaksOnly} onChange={setLeaksOnly} label="Only free lost clusters" note="That touches no data." />
        </>
      )}
    </TaskDialog>
  )
}

const isBad = (file: Checked[number]): boolean => file.problems !== null || file.leakedClusters > 0

function Found({ file, title }: { file: Checked[number]; title: string }) {
  const Icon = isBad(file) ? CircleAlert : CircleCheck
  const words = [file.leakedClusters > 0 && `${formatCount(file.leakedClusters, 'cluster')} lost: space that nothing uses`, file.problems]
  return (
    <li data-bad={isBad(file) || undefined}>
      <Icon size={14} aria-hidden />
      <div>
        {title}
        <br />
        <small data-selectable>{words.filter(Boolean).join('. ') || 'sound'}</small>
      </div>
    </li>
  )
}
