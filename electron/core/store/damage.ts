import { z } from 'zod'
import { exists, readJson, removeFile, writeJsonAtomic } from '../host/files'

const DamageRecord = z.object({ schemaVersion: z.literal(1), packs: z.record(z.string(), z.union([z.literal('all'), z.array(z.number())])) })

/** What the last verification found: numbers of damaged chunks by pack. New archives do not rely on them. */
export type Damage = ReadonlyMap<string, readonly number[] | 'all'>

/** @throws bad-file, newer-version, file */
export async function readDamage(path: string): Promise<Damage> {
  if (!(await exists(path))) return new Map()
  return new Map(Object.entries((await readJson(path, DamageRecord)).packs))
}

export async function writeDamage(path: string, damage: Damage): Promise<void> {
  if (damage.size === 0) return removeFile(path)
  await writeJsonAtomic(path, { schemaVersion: 1, packs: Object.fromEntries(damage) })
}
