import { execFileSync, spawnSync } from 'node:child_process'
import type { DiskView } from '#contract'
import { asFilename, diskNodes } from '#core/disk/nodes'

/** The disk as one image, as the machine's QEMU would open it. */
function filename({ disk, files }: DiskView): string {
  const folder = files[0]!.path.slice(0, files[0]!.path.lastIndexOf('/'))
  return asFilename(diskNodes(disk, (file) => `${folder}/${file}`))
}
const byte = (letter: string): string => `0x${letter.charCodeAt(0).toString(16)}`

/** Fills a range of a disk that nobody has open with one letter. */
export function writePattern(view: DiskView, letter: string, at: number, bytes: number): void {
  execFileSync('qemu-io', ['-c', `write -q -P ${byte(letter)} ${at} ${bytes}`, filename(view)], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Throws unless a range of a disk holds this letter and nothing else. @param shared QEMU has it open; it has been told to flush */
export function readPattern(view: DiskView, letter: string, at: number, bytes: number, shared = false): void {
  const { stdout, stderr, status } = spawnSync('qemu-io', ['-r', ...(shared ? ['-U'] : []), '-c', `read -P ${byte(letter)} ${at} ${bytes}`, filename(view)], { encoding: 'utf8' })
  if (status !== 0 || stdout.includes('verification failed')) throw new Error(`expected “${letter}” at ${at}: ${stdout}${stderr}`)
}
