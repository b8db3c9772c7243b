import { ArrowDownToLine, Copy, FileSearch, GitCommitVertical, Layers2, Redo2, RefreshCw, Trash, Undo2 } from 'lucide-react'
import type { DiskView, ImageFile, Machine } from '#contract'
import type { MenuItem, MenuItems } from '#ui'
import { copyText, openOverlay, type DiskAction, type DiskOverlay } from '../../../app'
import { whyNotDisk } from '../allowed'

/** What can be done with one file of a disk, with the reason where it cannot. */
export function menuOfFile(machine: Machine, { disk }: DiskView, file: ImageFile): MenuItems {
  const item = (action: DiskAction, label: string, icon?: MenuItem['icon'], more: Partial<DiskOverlay> = {}): MenuItem => ({
    id: `${action} ${more.nodeName ?? ''}`,
    label,
    icon,
    blocked: whyNotDisk(action, machine, disk),
    onSelect: () => openOverlay({ kind: 'disk', action, machine: machine.id, disk: disk.id, ...more })
  })
  const copyPath: MenuItem = { id: 'copy-path', label: 'Copy the path', icon: Copy, onSelect: () => void copyText(file.path) }
  const { of } = file
  if (file.health.kind === 'missing') return [item('find', 'Find it…', FileSearch), null, copyPath]
  if (of.kind === 'layer' && file.health.kind === 'changed') return [item('find', 'Take it as it is…', FileSearch), null, copyPath]
  if (of.kind === 'image') return [item('rebase', 'Stand on another image…'), item('flatten', 'Flatten: stand on nothing…'), null, copyPath]
  const { layer } = of
  if (of.place === 'undone') {
    return [item('redo', 'Redo up to here…', Redo2, layer.commit ? { sequence: layer.commit.sequence } : {}), null, copyPath]
  }
  const undo = layer.commit ? [item('undo', 'Go back to before this commit…', Undo2, { sequence: layer.commit.sequence })] : []
  const merge = layer === disk.layers[0] ? [] : [item('merge', 'Merge all above into this…', ArrowDownToLine, { nodeName: layer.nodeName })]
  const active =
    layer === disk.layers[0]
      ? [
          item('commit', 'Commit…', GitCommitVertical),
          item('renew', 'Renew…', RefreshCw),
          item('overlay', 'Put an overlay on it…', Layers2),
          item('discard', 'Discard what was written…', Trash)
        ]
      : []
  return [...active, ...undo, ...merge, null, copyPath]
}
