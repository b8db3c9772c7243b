import { z } from 'zod'
import type { ShellCallName, ShellCalls } from '#contract/channels'

const title = z.string().min(1).max(200)

/** What the window may pass to each shell call: checked before anything is done, like an operation's input in the core. */
export const shellInputs = {
  chooseFile: z.tuple([z.strictObject({ title, extensions: z.array(z.string().regex(/^[a-z0-9]{1,10}$/i)).max(30).optional() })]),
  chooseSaveFile: z.tuple([
    // A name, not a path: the user chooses the folder.
    z.strictObject({ title, suggestedName: z.string().min(1).max(200).refine((name) => !/[/\0]/.test(name), 'a file name, not a path') })
  ]),
  readClipboard: z.tuple([]),
  writeClipboard: z.tuple([z.string().max(64 * 2 ** 20)]),
  setFullScreen: z.tuple([z.boolean()]),
  saveShot: z.tuple([z.string().regex(/^[a-z0-9][a-z0-9-]{0,60}$/)]),
  tourEnded: z.tuple([z.string().max(10_000).nullable()])
} as const satisfies { [N in ShellCallName]: z.ZodType<Parameters<ShellCalls[N]>> }
