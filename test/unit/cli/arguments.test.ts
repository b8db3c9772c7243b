import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { operations, type Operation } from '#contract'
import { parseArguments } from '../../../electron/cli/arguments'
import { EXAMPLES } from '../../../electron/cli/examples'
import { COMMON_FLAGS, TASK_FLAGS } from '../../../electron/cli/own-commands'
import { allCommands, resolveCommand } from '../../../electron/cli/resolve'
import { UsageError } from '../../../electron/cli/usage'

/** Reads a command as it comes from the shell. */
function read(...words: string[]) {
  const resolved = resolveCommand(words)
  if (resolved.kind !== 'command') throw new Error('help')
  return { command: resolved.command.operation ?? resolved.command.words[0], ...parseArguments(resolved.command, resolved.rest) }
}
const refused = (...words: string[]): { message: string; next?: string | undefined } => {
  try {
    read(...words)
  } catch (error) {
    if (error instanceof UsageError) return error.error
    throw error
  }
  throw new Error('it was taken')
}

describe('what is typed becomes the operation’s input', () => {
  test('positions, numbers, sizes, lists and choices', () => {
    expect(read('machine', 'create', 'lab1', '--source', 'builtin', '--memory', '256M', '--cpus', '2', '--disk=1G', '--network', 'user', '--forward', 'tcp:2222:22', '--forward', 'udp:53:53')).toMatchObject({
      command: 'machine.create',
      input: { name: 'lab1', source: 'builtin', memory: '256M', cpus: 2, disk: '1G', network: ['user'], forward: ['tcp:2222:22', 'udp:53:53'] }
    })
    expect(read('machine', 'start', 'lab1', '--wait', 'agent').input).toEqual({ machine: 'lab1', wait: 'agent' })
  })

  test('a name in the middle that may be left out is left out when the words are too few for it', () => {
    expect(read('disk', 'resize', 'lab1', '8G').input).toEqual({ machine: 'lab1', size: '8G' })
    expect(read('disk', 'resize', 'lab1', 'disk1', '8G').input).toEqual({ machine: 'lab1', disk: 'disk1', size: '8G' })
    expect(read('disk', 'show', 'lab1', 'disk1').input).toEqual({ machine: 'lab1', disk: 'disk1' })
    expect(refused('disk', 'resize', 'lab1').message).toBe('strata disk resize needs <size>.')
  })

  test('flags may stand before, between and after the names', () => {
    const input = { machine: 'a', name: 'b' }
    expect(read('machine', 'rename', '--json', 'a', 'b').input).toEqual(input)
    expect(read('machine', 'rename', 'a', '--verbose', 'b').options).toMatchObject({ verbose: true, json: false })
    expect(read('machine', 'rename', 'a', 'b', '--json').options.json).toBe(true)
    expect(read('machine', '--json', '--verbose', 'list')).toMatchObject({ command: 'machine.list', options: { json: true, verbose: true } })
  })

  test('a yes-or-no in all its forms', () => {
    expect(read('machine', 'stop', 'a', '--force').input.force).toBe(true)
    expect(read('machine', 'edit', 'a', '--no-display').input.display).toBe(false)
    expect(read('machine', 'edit', 'a', '--display=false', '--tpm=yes').input).toMatchObject({ display: false, tpm: true })
    expect(refused('machine', 'edit', 'a', '--display=maybe').message).toContain('“maybe”')
    expect(refused('machine', 'edit', 'a', '--display', '--no-display').message).toContain('twice')
  })

  test('a list without commas in its items may be typed with commas', () => {
    expect(read('machine', 'edit', 'a', '--tag', 'os,week 3', '--tag', 'x').input.tag).toEqual(['os', 'week 3', 'x'])
    const key = 'ssh-ed25519 AAAA me,myself'
    expect(read('machine', 'create', 'a', '--ssh-key', key).input.sshKey).toEqual([key])
  })

  test('a list can be emptied', () => {
    expect(read('machine', 'edit', 'a', '--no-forward', '--no-tag', '--network', 'none').input).toEqual({ machine: 'a', forward: [], tag: [], network: [] })
    expect(read('machine', 'edit', 'a', '--tag', 'none').input.tag).toEqual(['none'])
  })

  test('what follows -- belongs to the last list, dashes and all', () => {
    const input = { machine: 'lab1', command: ['uname', '-a', '--json', '--'] }
    expect(read('guest', 'exec', 'lab1', '--', 'uname', '-a', '--json', '--')).toMatchObject({ input, options: { json: false } })
    expect(read('guest', 'exec', 'lab1', 'uname', '-a', '--json', '--').input).toEqual(input)
    expect(read('guest', 'exec', '--timeout-seconds', '5', 'lab1', '--', 'ls').input).toEqual({ machine: 'lab1', command: ['ls'], timeoutSeconds: 5 })
  })

  test('a name that begins with a dash can be given after --', () => {
    expect(read('machine', 'show', '--', '-x').input).toEqual({ machine: '-x' })
  })

  test('JSON for what has no simpler form', () => {
    expect(read('qmp', 'a', 'query-blockstats', '--arguments', '{"query-nodes": true}').input.arguments).toEqual({ 'query-nodes': true })
    expect(refused('qmp', 'a', 'query-block', '--arguments', '{no').message).toContain('takes JSON')
  })

  test('paths are meant where they are typed', () => {
    expect(read('image', 'import', './a.iso').input.path).toBe(join(process.cwd(), 'a.iso'))
    expect(read('machine', 'screenshot', 'a', '--file', 'shot.png').input.file).toBe(join(process.cwd(), 'shot.png'))
    expect(read('machine', 'create', 'a', '--source', './a').input.source).toBe('./a')
  })

  test('names of any script, spaces, and an equals sign in a value', () => {
    expect(read('machine', 'create', '試験 1', '--notes=a=b').input).toEqual({ name: '試験 1', notes: 'a=b' })
  })
})

describe('what is typed wrongly is named, with what was probably meant', () => {
  test.each([
    [['machine', 'create', 'a', '--memroy', '1G'], '--memroy', '--memory'],
    [['machine', 'create'], '<name>', 'Usage: strata machine create <name> [flags]'],
    [['machine', 'show', 'a', 'b'], '“b”', 'Usage: strata machine show <machine>'],
    [['machine', 'start', 'a', '--wait', 'agnet'], '“agnet”', 'agent'],
    [['machine', 'create', 'a', '--cpus', 'two'], 'a number, not “two”', ''],
    [['machine', 'create', 'a', '--cpus', ''], 'a number, not “”', ''],
    [['machine', 'create', 'a', '--memory'], '--memory needs a value', ''],
    [['machine', 'create', 'a', '--memory', '--cpus', '2'], '--memory needs a value', ''],
    [['machine', 'create', 'a', '--cpus', '1', '--cpus', '2'], 'twice', ''],
    [['machine', 'rename', 'a', '--name', 'b'], '<name> by its position', 'Usage: strata machine rename <machine> <name>'],
    [['machine', 'show', 'a', '-x'], '-x', '--help'],
    [['machine', 'list', '--detach'], '--detach', ''],
    [['guest', 'exec', 'lab1'], '<command...>', 'Usage: strata guest exec <machine> [flags] -- <command...>'],
    [['completion', 'fish'], 'bash, not “fish”', ''],
    [['mashine', 'list'], '“mashine”', 'strata machine'],
    [['machine', 'lst'], '“lst”', 'strata machine list'],
    [['machine', 'frobnicate'], '“frobnicate”', 'create, list, show'],
    [['start', 'lab1'], '“start”', 'strata machine start'],
    [['frobnicate'], '“frobnicate”', 'strata --help']
  ])('%j', (words, named, hint) => {
    const { message, next } = refused(...words)
    expect(message).toContain(named)
    expect(message).not.toContain('\n')
    expect(next ?? '').toContain(hint)
  })
})

test('a noun with a shorthand takes its verbs first', () => {
  expect(read('monitor', 'lab1', 'info block')).toMatchObject({ command: 'monitor.run', input: { machine: 'lab1', line: 'info block' } })
  expect(read('monitor', 'run', 'lab1', 'info block').command).toBe('monitor.run')
  expect(read('console', 'log', 'lab1').command).toBe('console.log')
  expect(read('console', 'lab1')).toMatchObject({ command: 'console', input: { machine: 'lab1' } })
  expect(read('console', '--', 'log')).toMatchObject({ command: 'console', input: { machine: 'log' } })
})

describe('derived from the contract', () => {
  test('every operation is a command, and every field of its input can be given', () => {
    for (const [name, operation] of Object.entries(operations) as [string, Operation][]) {
      const command = allCommands.find((one) => one.operation === name)
      const given = [...(command?.positional ?? []), ...(command?.flags ?? [])].map((field) => field.name)
      expect(given.sort(), name).toEqual(Object.keys(operation.input.shape).sort())
      expect(command?.positional.slice(0, -1).some((field) => field.list), `${name}: only the last position can be a list`).toBe(false)
    }
  })

  test('no field hides a flag that every command has, and no two commands are typed alike', () => {
    const common = [...COMMON_FLAGS, ...TASK_FLAGS].map((field) => field.flag)
    for (const { flags, positional } of allCommands) {
      const names = [...flags, ...positional].map((field) => field.flag)
      expect(names.filter((name) => common.includes(name))).toEqual([])
      expect(new Set(names).size).toBe(names.length)
    }
    const typed = allCommands.flatMap((command) => [command.words.join(' '), command.shorthand ?? []].flat())
    expect(new Set(typed).size).toBe(typed.length)
  })

  test('everything in help has a description, and every example can be typed', () => {
    for (const { words, flags, positional, help } of allCommands) {
      expect(help, words.join(' ')).not.toBe('')
      for (const field of [...flags, ...positional]) expect(field.description, `${words.join(' ')} ${field.name}`).not.toBe('')
    }
    for (const example of Object.values(EXAMPLES).flat()) {
      const command = /strata [^|<>]*/.exec(example.replace(/<\(strata (.*)\)/, 'strata $1'))?.[0] ?? ''
      const words = [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
      expect(() => read(...words.slice(1)), example).not.toThrow()
    }
  })
})
