import { z } from 'zod'

export { formatForward, formatNetwork } from './format'

/**
 * Values that people type: sizes, port forwards, networks. Each schema takes the typed form or the structured one, and
 * gives the structured one, so that the same words work in the window, on the command line and over HTTP.
 */

const UNIT = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 } as const

/** `256M`, `1.5G`, `64KiB` or a number of bytes; gives bytes, or null if it is none of these. */
export function parseSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:iB|B)?$/i.exec(text.trim())
  if (!match) return null
  const bytes = Number(match[1]) * UNIT[(match[2] ?? '').toUpperCase() as keyof typeof UNIT]
  return Number.isSafeInteger(Math.round(bytes)) ? Math.round(bytes) : null
}

/** A size in bytes: a number, or text with a binary unit such as `256M` or `1.5G`. */
export const Size = z
  .union([z.number().int().nonnegative(), z.string()])
  .transform((given, context) => {
    const bytes = typeof given === 'number' ? given : parseSize(given)
    if (bytes !== null) return bytes
    context.addIssue({ code: 'custom', message: `"${given}" is not a size: write a number and a unit, for example 256M or 1.5G` })
    return z.NEVER
  })
  .meta({ description: 'bytes, or text with a binary unit: 256M, 1.5G', cli: '<size>' })

/** A qcow2 with clusters of 64 KiB divided into subclusters holds no more (qemu/block/qcow2.h: QCOW_MAX_L1_SIZE). */
export const LARGEST_DISK_BYTES = 2 ** 50

/** The size of a disk, in bytes. */
export const DiskSize = Size.refine((bytes) => bytes <= LARGEST_DISK_BYTES, `a disk has at most ${LARGEST_DISK_BYTES / UNIT.T}T`).meta({
  description: 'bytes, or text with a binary unit: 256M, 1.5G',
  cli: '<size>'
})

const asText = (given: unknown): string => (typeof given === 'string' ? given : JSON.stringify(given))

const Port = z.number().int().min(1).max(65535)
const ForwardFields = z.object({
  protocol: z.enum(['tcp', 'udp']),
  hostAddress: z.ipv4().default('127.0.0.1'),
  hostPort: Port,
  guestPort: Port
})
/** A port of the host that leads to a port of the guest (user networks). */
export type Forward = z.output<typeof ForwardFields>

/** `tcp:2222:22`, or with the host's address `tcp:0.0.0.0:2222:22`. */
export function parseForward(text: string): Forward | null {
  const parts = text.split(':')
  const [protocol, ...rest] = parts
  const [hostAddress, hostPort, guestPort] = rest.length === 3 ? rest : ['127.0.0.1', ...rest]
  const parsed = ForwardFields.safeParse({ protocol, hostAddress, hostPort: Number(hostPort), guestPort: Number(guestPort) })
  return parts.length >= 3 && parts.length <= 4 && parsed.success ? parsed.data : null
}
export const Forward = z
  .union([ForwardFields, z.string()])
  .transform((given, context) => {
    const forward = typeof given === 'string' ? parseForward(given) : given
    if (forward) return forward
    context.addIssue({ code: 'custom', message: `"${asText(given)}" is not a port forward: write protocol:host port:guest port, for example tcp:2222:22` })
    return z.NEVER
  })
  .meta({ description: 'protocol:[address:]host port:guest port, for example tcp:2222:22', cli: '<forward>' })

/**
 * A file of this computer, by its whole path: whoever carries out an operation may stand in another folder than whoever asks. The command
 * line makes a whole path of what is typed, from the folder it is typed in.
 */
export const FilePath = z
  .string()
  .min(1, 'a path is needed')
  .regex(/^\//, 'a whole path is needed, beginning with /: which folder this one starts from is not known')
  .meta({ description: 'a whole path', cli: '<file>' })

/** The rule for names as a sentence: the signs are named, as a sentence of signs reads as if it were cut off. */
export const NAME_RULE = 'A name has letters, digits, spaces, dots, underscores and hyphens, starts with a letter or digit, and does not end with a space or dot.'

/** A name for machines, images and tags: letters and digits of any script, then also space . _ -, at most 64. */
export const Name = z
  .string()
  .transform((name) => name.normalize('NFC'))
  .pipe(
    z
      .string()
      .min(1, 'a name is needed')
      .max(64, 'a name has at most 64 characters')
      .regex(/^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} ._-]*[\p{L}\p{M}\p{N}_-])?$/u, 'a name starts with a letter or digit, goes on with letters, digits, spaces, dots, underscores and hyphens, and does not end with a space or dot')
  )
  .meta({ description: 'a name: letters, digits, spaces, dots, underscores, hyphens', cli: '<name>' })

/** `user`, `isolated:NAME` (VMs that name the same network reach each other and nobody else) or `bridge:NAME`. */
const NetworkFields = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('user') }),
  z.object({ kind: z.literal('isolated'), name: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/) }),
  z.object({ kind: z.literal('bridge'), name: z.string().regex(/^[A-Za-z0-9_.-]{1,15}$/) })
])
export type Network = z.output<typeof NetworkFields>
export function parseNetwork(text: string): Network | null {
  const [kind, name, ...more] = text.split(':')
  const parsed = NetworkFields.safeParse(name === undefined ? { kind } : { kind, name })
  return more.length === 0 && parsed.success ? parsed.data : null
}
export const Network = z
  .union([NetworkFields, z.string()])
  .transform((given, context) => {
    const network = typeof given === 'string' ? parseNetwork(given) : given
    if (network) return network
    context.addIssue({ code: 'custom', message: `"${asText(given)}" is not a network: write user, isolated:NAME or bridge:NAME` })
    return z.NEVER
  })
  .meta({ description: 'user, isolated:NAME or bridge:NAME', cli: '<network>' })
