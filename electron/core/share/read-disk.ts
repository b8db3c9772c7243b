import type { Disk } from '#contract'
import { diskNodes, type NodeOptions } from '../disk/nodes'
import { readPart } from '../disk/qemu-img'
import { activeLayer } from '../disk/stack'
import { ensurePrivateFolder, readBytes, removeFile } from '../host/files'
import type { Library } from '../library/library'
import type { ManagedMachine } from '../machine/machine'
import { isLive } from '../machine/state'
import type { QmpSession } from '../qmp/session'
import type { ReadDisk } from './contents'
import { nbdNode, whileExported } from './nbd'

/** A process that has the disk open, and where its NBD server is to listen. */
export interface OpenedBy {
  qmp: QmpSession
  nbdSocket: string
}

/**
 * Reads a disk as its guest sees it, for as long as an act takes. Of an image that a process has open only that process knows all: it is asked,
 * over NBD. @throws program-failed, qmp
 */
export async function withDiskReader<T>(library: Library, machine: ManagedMachine, disk: Disk, daemon: OpenedBy | null, act: (read: ReadDisk) => Promise<T>): Promise<T> {
  await ensurePrivateFolder(library.runtime.root)
  const from = (source: NodeOptions): ReadDisk => reader(library, machine, disk, source)
  const openedBy = isLive(machine.state) ? { qmp: machine.live('asked').qmp, nbdSocket: machine.live('asked').runtime.nbd } : daemon
  if (!openedBy) return act(from(diskNodes(disk, machine.paths.disk)))
  const { qmp, nbdSocket } = openedBy
  return whileExported(qmp, nbdSocket, activeLayer(disk).nodeName, (name) => act(from(nbdNode(nbdSocket, name))))
}

let looks = 0
const reader =
  (library: Library, machine: ManagedMachine, disk: Disk, source: NodeOptions): ReadDisk =>
  async (at, bytes) => {
    const into = library.runtime.look(`${machine.definition.id.slice(0, 8)}-${disk.id}-${++looks}`)
    try {
      await readPart(machine.paths.disk(activeLayer(disk).file), source, { at, bytes: Math.min(bytes, disk.sizeBytes - at), into })
      return await readBytes(into)
    } finally {
      await removeFile(into)
    }
  }
