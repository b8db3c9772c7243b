import { call } from '../../app'
import { parseHelp, type Vocabulary } from './hmp-help'

export const NO_WORDS: Vocabulary = { commands: [], info: [] }

/** One entry a QEMU version: its help does not change while it is installed. */
const known = new Map<string, Promise<Vocabulary>>()

/** What the monitor of a running machine understands, from its own help; and its version. */
export async function learnVocabulary(machine: string): Promise<{ version: string; vocabulary: Vocabulary }> {
  const version = (await run(machine, 'info version')).trim()
  const vocabulary = known.get(version) ?? readHelp(machine)
  known.set(version, vocabulary)
  // What could not be read is asked for again the next time.
  vocabulary.catch(() => known.delete(version))
  return { version, vocabulary: await vocabulary }
}

async function readHelp(machine: string): Promise<Vocabulary> {
  const [commands, info] = await Promise.all([run(machine, 'help'), run(machine, 'help info')])
  return { commands: parseHelp(commands), info: parseHelp(info, 'info') }
}

async function run(machine: string, line: string): Promise<string> {
  const answered = await call('monitor.run', { machine, line })
  if (!answered.ok) throw new Error(answered.error.message)
  return answered.value.output
}
