import { describe, expect, it } from 'vitest'
import { complete, parseHelp, usageAfter } from '../../../../renderer/features/monitor/hmp-help'

/** As QEMU 7.2 prints it. */
const HELP = `announce_self [interfaces] [id] -- Trigger GARP/RARP announcements
block_job_cancel [-f] device -- stop an active background block operation (use -f
\t\t\t if you want to abort the operation immediately
\t\t\t instead of keep running until data is in sync)
block_resize device size -- resize a block image
change device [-f] filename [format [read-only-mode]] -- change a removable medium, optional format, use -f to force the operation
cont|c  -- resume emulation
drive_add [-n] [[<domain>:]<bus>:]<slot>
[file=file][,if=type][,bus=n]
[,snapshot=on|off][,cache=on|off]
[,readonly=on|off][,copy-on-read=on|off] -- add drive to PCI storage controller
help|? [cmd] -- show the help
info [subcommand] -- show various information about the system state
print|p /fmt expr -- print expression value (use $reg for CPU register access)
x_colo_lost_heartbeat  -- Tell COLO that heartbeat is lost,
\t\t\ta failover or takeover is needed.
`
const INFO = `info balloon  -- show balloon information
info block [-n] [-v] [device] -- show info of one block device or all block devices (-n: show named nodes; -v: show details)
info block-jobs  -- show progress of ongoing block device operations
info blockstats  -- show block device statistics
info hotpluggable-cpus  -- Show information about hotpluggable CPUs
`
const vocabulary = { commands: parseHelp(HELP), info: parseHelp(INFO, 'info') }
const known = (name: string) => vocabulary.commands.find(({ names }) => names.includes(name))

describe('what the monitor says about itself', () => {
  it('is read command by command, with short forms, arguments and explanations over several lines', () => {
    expect(vocabulary.commands.map(({ names }) => names[0])).toEqual([
      ...['announce_self', 'block_job_cancel', 'block_resize', 'change', 'cont', 'drive_add', 'help', 'info', 'print', 'x_colo_lost_heartbeat']
    ])
    expect(known('c')).toEqual({ names: ['cont', 'c'], usage: '', summary: 'resume emulation' })
    expect(known('?')?.usage).toBe('[cmd]')
    expect(known('block_job_cancel')?.summary).toBe('stop an active background block operation (use -f if you want to abort the operation immediately instead of keep running until data is in sync)')
    expect(known('drive_add')?.usage).toBe('[-n] [[<domain>:]<bus>:]<slot> [file=file][,if=type][,bus=n] [,snapshot=on|off][,cache=on|off] [,readonly=on|off][,copy-on-read=on|off]')
    expect(vocabulary.info.map(({ names }) => names[0])).toEqual(['balloon', 'block', 'block-jobs', 'blockstats', 'hotpluggable-cpus'])
  })
  it('is nothing where there is nothing', () => {
    expect(parseHelp('')).toEqual([])
    expect(parseHelp("unknown command: 'help'\n", 'info')).toEqual([])
  })
})

describe('completion', () => {
  it('ends a word that can be only one', () => {
    expect(complete('ann', vocabulary)).toEqual({ insert: 'announce_self ', candidates: [] })
    expect(complete('  info bal', vocabulary)?.insert).toBe('balloon ')
    expect(complete('help dri', vocabulary)?.insert).toBe('drive_add ')
  })
  it('goes as far as all agree, and says what they are', () => {
    const { insert, candidates } = complete('info blo', vocabulary)!
    expect(insert).toBe('block')
    expect(candidates.map(({ names }) => names[0])).toEqual(['block', 'block-jobs', 'blockstats'])
    expect(complete('block_', vocabulary)?.insert).toBe('block_')
  })
  it('knows nothing about other arguments', () => {
    expect(complete('change ', vocabulary)).toBeNull()
    expect(complete('info block disk', vocabulary)).toBeNull()
    expect(complete('zzz', vocabulary)).toBeNull()
  })
  it('shows the arguments once the command is there', () => {
    expect(usageAfter('change ', vocabulary)).toBe('device [-f] filename [format [read-only-mode]]')
    expect(usageAfter('info block ', vocabulary)).toBe('[-n] [-v] [device]')
    expect(usageAfter('p ', vocabulary)).toBe('/fmt expr')
    expect(usageAfter('change', vocabulary)).toBe('')
    expect(usageAfter('change x', vocabulary)).toBe('')
  })
})
