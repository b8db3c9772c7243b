/**
 * QEMU's trace events as its log back end writes them, one a line. Sources: block/trace-events and trace-events of QEMU 7.2; the forms are
 * the same since 6.1.
 */
export type TraceLine =
  | { kind: 'open'; node: string; path: string; format: string }
  | { kind: 'read' | 'write'; node: string; offset: number; bytes: number }
  /** qcow2 begins a write; the coroutine ties it to what is allocated for it. */
  | { kind: 'write-begun'; coroutine: string; offset: number; bytes: number }
  | { kind: 'allocated'; coroutine: string; clusters: number }

/** Names that `trace-event-set-state` takes: all that is watched while somebody looks. */
export const WATCHED = ['bdrv_co_p*v_part', 'qcow2_writev_start_req', 'qcow2_cluster_link_l2'] as const
/** On from the start of QEMU: without it nobody could say later which file a node is. It is written when a file is opened, and never else. */
export const ALWAYS_ON = 'bdrv_open_common'
/** One of those that are watched; what holds for it holds for all. */
export const WATCHED_EXAMPLE = 'bdrv_co_preadv_part'

const IO = /^bdrv_co_p(read|write)v_part bs (0x[0-9a-f]+) offset (-?\d+) bytes (-?\d+) /
const BEGUN = /^qcow2_writev_start_req co (0x[0-9a-f]+) offset (0x[0-9a-f]+) bytes (\d+)/
const LINKED = /^qcow2_cluster_link_l2 co (0x[0-9a-f]+) nb_clusters (\d+)/
const OPEN = /^bdrv_open_common bs (0x[0-9a-f]+) filename "(.*)" flags 0x[0-9a-f]+ format_name "([^"]*)"/

const asUtf8 = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8')

/** Null: some other line. @param line each character a byte: only file names are more than ASCII */
export function parseTraceLine(line: string): TraceLine | null {
  const io = IO.exec(line)
  if (io) return { kind: io[1] === 'read' ? 'read' : 'write', node: io[2]!, offset: Number(io[3]), bytes: Number(io[4]) }
  const begun = BEGUN.exec(line)
  if (begun) return { kind: 'write-begun', coroutine: begun[1]!, offset: Number(begun[2]), bytes: Number(begun[3]) }
  const linked = LINKED.exec(line)
  if (linked) return { kind: 'allocated', coroutine: linked[1]!, clusters: Number(linked[2]) }
  const open = OPEN.exec(line)
  return open && { kind: 'open', node: open[1]!, path: asUtf8(open[2]!), format: open[3]! }
}
