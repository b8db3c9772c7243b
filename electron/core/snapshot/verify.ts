import { createHash } from 'node:crypto'
import { failure, Failure, type ParsedInputOf, type ResultOf, type SnapshotRecord } from '#contract'
import type { Context } from '../context'
import { isAsRecorded } from '../disk/fingerprint'
import { exists, hashFile, readBytes } from '../host/files'
import { throwIfCancelled, type Work } from '../task/work'

type Problem = ResultOf<'snapshot.verify'>['problems'][number]

/** `snapshot.verify`: looks at all that a restore would need, and names what is not as it was. */
export async function verifySnapshot(input: ParsedInputOf<'snapshot.verify'>, context: Context, work: Work): Promise<ResultOf<'snapshot.verify'>> {
  const record = context.snapshots.get(input.snapshot)
  const problems = await findProblems(record, context, work.signal)
  if (record.archive) {
    work.phase('reading what is in the store')
    problems.push(...(await archiveProblems(record, context, work)))
  }
  return { snapshot: record.id, name: record.name, problems }
}

/** What is wrong with a snapshot's own files. What is only in the store is not looked at. */
export async function findProblems(record: SnapshotRecord, context: Context, signal: AbortSignal): Promise<Problem[]> {
  const paths = context.snapshots.paths(record.id)
  const problems: Problem[] = []
  const look = async (file: string, act: () => Promise<string | null>): Promise<void> => {
    throwIfCancelled(signal)
    const problem = await act().catch((error: unknown) => {
      if (error instanceof Failure) return error.error.message
      throw error
    })
    if (problem !== null) problems.push({ file, problem })
  }
  const { memory } = record
  if (memory) {
    if (!record.archive || (await exists(paths.ram))) await look('ram', () => context.snapshots.verifyMemory(record).then(() => null))
    await look('devices', async () => (createHash('sha256').update(await readBytes(paths.devices)).digest('hex') === memory.devicesSha256 ? null : 'The state of the devices is damaged.'))
  }
  for (const disk of record.definition.disks) {
    if (disk.image) await look(disk.image.path, () => context.images.verifyById(disk.image!.imageId).then(() => null))
    for (const { file, frozen } of disk.layers) {
      await look(`disks/${file}`, async () => (!frozen || (await isAsRecorded(paths.disk(file), frozen)) ? null : 'The layer was changed by somebody else.'))
    }
  }
  return problems
}

/** Every chunk of its memory is read; where the memory file is here too, it has to be the same. */
async function archiveProblems(record: SnapshotRecord, context: Context, work: Work): Promise<Problem[]> {
  const { ram } = context.snapshots.paths(record.id)
  const hash = createHash('sha256')
  const failed = await storedProblem(record, context, work.signal, (piece, ratio) => {
    hash.update(piece)
    work.progress(ratio)
  })
  if (failed) return [{ file: `archive “${record.archive!.name}”`, problem: failed.error.message }]
  if (!(await exists(ram)) || (await hashFile(ram, work.signal)) === hash.digest('hex')) return []
  return [{ file: 'ram', problem: 'The memory is not as it was when it was archived.' }]
}

const PIECE_BYTES = 16 * 2 ** 20

/** Reads all that the store holds of a snapshot's memory. @returns why it cannot be loaded as a whole; null when it can */
export async function storedProblem(
  { archive, memory }: SnapshotRecord,
  { store }: Context,
  signal: AbortSignal,
  onPiece: (piece: Buffer, ratio: number) => void = () => {}
): Promise<Failure | null> {
  const sizeBytes = memory!.ram.sizeBytes
  try {
    for (let offset = 0; offset < sizeBytes; offset += PIECE_BYTES) {
      onPiece(await store.read(archive!.name, 'ram', offset, Math.min(PIECE_BYTES, sizeBytes - offset), { signal }), offset / sizeBytes)
    }
    return null
  } catch (error) {
    if (error instanceof Failure && ['bad-file', 'not-found', 'newer-version', 'file'].includes(error.error.code)) return error
    throw error
  }
}

/** Refuses what is not as it was taken. @throws bad-file with all that is wrong */
export async function requireSound(record: SnapshotRecord, context: Context, signal: AbortSignal): Promise<void> {
  const problems = await findProblems(record, context, signal)
  if (problems.length === 0) return
  throw failure('bad-file', `The snapshot “${record.name}” is not as it was taken: ${problems[0]!.problem}`, {
    path: context.snapshots.paths(record.id).root,
    next: 'Use another one.',
    cause: problems.map(({ file, problem }) => `${file}: ${problem}`)
  })
}
