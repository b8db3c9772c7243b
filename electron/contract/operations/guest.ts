import { z } from 'zod'
import { GuestInfo } from '../models/machine'
import { operation } from '../operation'
import { machineRef } from './machine'

const one = z.object({ machine: machineRef })

export const guestOperations = {
  'guest.ping': operation({ help: 'ask the guest agent whether it is there', input: one, result: z.object({ roundTripMs: z.number() }), reads: true, positional: ['machine'] }),
  'guest.info': operation({ help: 'show what the guest agent tells: system, addresses, file systems', input: one, result: GuestInfo, reads: true, positional: ['machine'] }),
  'guest.exec': operation({
    help: 'run a program in the guest; its output and exit code are the answer',
    input: one.extend({
      command: z.array(z.string()).min(1).meta({ description: 'program and arguments; no shell is involved', cli: '<command...>' }),
      input: z.string().optional().meta({ description: 'text for its standard input' }),
      timeoutSeconds: z.number().positive().max(3600).default(60).meta({ description: 'how long it may run' })
    }),
    result: z.object({ exitCode: z.number().nullable(), signal: z.number().nullable(), stdout: z.string(), stderr: z.string(), truncated: z.boolean() }),
    positional: ['machine', 'command']
  }),
  'console.log': operation({
    help: 'show what the serial console printed since the start',
    input: one.extend({ tailBytes: z.number().int().positive().max(16 * 2 ** 20).default(65536).meta({ description: 'at most this many bytes from the end' }) }),
    result: z.object({ text: z.string(), totalBytes: z.number() }),
    reads: true,
    positional: ['machine']
  }),
  'monitor.run': operation({
    help: 'run a line in the QEMU monitor (HMP)',
    input: one.extend({ line: z.string().min(1).max(4096).meta({ description: "such as 'info block'", cli: '<line>' }) }),
    result: z.object({ output: z.string() }),
    positional: ['machine', 'line'],
    shorthand: 'monitor'
  }),
  'qmp.run': operation({
    help: 'run a QMP command and show its answer',
    input: one.extend({
      command: z.string().min(1).meta({ description: 'such as query-block, or all of it as JSON: {"execute": "query-block"}', cli: '<command>' }),
      arguments: z.record(z.string(), z.unknown()).optional().meta({ description: 'JSON object', cli: '<json>' })
    }),
    result: z.object({ return: z.unknown() }),
    positional: ['machine', 'command'],
    shorthand: 'qmp'
  })
}
