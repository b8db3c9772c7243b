import { describe, expect, test } from 'vitest'
import { commandHelp, nounHelp, overview } from '../../../electron/cli/help'
import { describe as describeResult } from '../../../electron/cli/output/describe'
import { makePaint } from '../../../electron/cli/output/paint'
import { formatDuration, formatSize, padTo, shellQuote, table, widthOf, wrap } from '../../../electron/cli/output/text'
import { showResult } from '../../../electron/cli/output/views'
import { progressLine } from '../../../electron/cli/progress'
import { allCommands } from '../../../electron/cli/resolve'
import { nearest } from '../../../electron/cli/suggest'
import { formatError } from '../../../electron/cli/terminal'
import { machine } from '../../support/core-double'

const plain = makePaint(false)
const colour = makePaint(true)

test('sizes and times as people read them', () => {
  expect([0, 1023, 1024, 1536, 2 ** 20 - 1, 256 * 2 ** 20, 1.5 * 2 ** 30, 5 * 2 ** 50].map(formatSize)).toEqual(['0 B', '1023 B', '1 KiB', '1.5 KiB', '1 MiB', '256 MiB', '1.5 GiB', '5120 TiB'])
  expect([0, 59_400, 60_000, 3_600_000, 172_800_000, -5].map(formatDuration)).toEqual(['0 s', '59 s', '1 min', '1 h', '2 days', '0 s'])
})

test('columns line up whatever is in them', () => {
  expect([widthOf('abc'), widthOf('試験'), widthOf('e\u0301'), widthOf('\x1b[32mok\x1b[39m')]).toEqual([3, 4, 1, 2])
  expect(padTo('試', 4) + '|').toBe('試  |')
  expect(table(['NAME', 'STATE'], [['試験', colour.green('running')], ['lab1', 'off']], (text) => text)).toBe('NAME  STATE\n試験  \x1b[32mrunning\x1b[39m\nlab1  off\n')
  expect(wrap('one two three', 7, 2)).toEqual(['one two', '  three'])
})

test('the machine list shows what one looks for', () => {
  const [head, row] = showResult('machine.list', [machine('lab1')], plain, {}).split('\n')
  expect(head).toBe('NAME  STATE    CPUS  MEMORY   DISK     NETWORK           TAGS')
  expect(row).toBe('lab1  running  2     256 MiB  1.5 MiB  user tcp:2222:22  course, os')
})

test('machines are listed by name, numbers as numbers, a broken one among them', () => {
  const broken = { ...machine('lab3', { kind: 'broken', message: 'damaged' }), definition: null }
  const names = showResult('machine.list', [machine('lab10'), broken, machine('lab2')], plain, {}).split('\n').slice(1).map((line) => line.split(' ')[0])
  expect(names).toEqual(['lab2', 'lab3', 'lab10', ''])
})

test('images that cannot be used are listed with the reason and what can be done', () => {
  const image = { schemaVersion: 1, id: 'a-1', name: 'a b', kind: 'unknown', path: '/l/a-1', referenced: false, format: null, virtualSizeBytes: 0, fileSizeBytes: 1024, addedAtMs: 0, note: '', problem: '“image.json” is damaged.' }
  const [, row, problem] = showResult('image.list', [image], plain, {}).split('\n')
  expect(row).toBe('a b   unknown  -       -     1 KiB    in the library')
  expect(problem).toBe('a b cannot be used: “image.json” is damaged. Put that right, or remove it: strata image remove \'a b\'')
  const gone = { ...image, kind: 'disk', format: 'qcow2', problem: '“/l/a” does not exist.', missing: true }
  expect(showResult('image.list', [gone], plain, {})).toContain('Say where it is now: strata image find \'a b\' FILE')
})

test('a machine’s state is told with what matters about it', () => {
  const show = (state: Parameters<typeof machine>[1]): string | undefined => showResult('machine.show', machine('lab1', state), plain, {}).split('\n')[1]
  expect(show(undefined)).toBe('State        running for 1 min, process 4711')
  const exit = { atMs: Date.now() - 5000, reason: 'QEMU was killed by SIGKILL.', exitCode: null, signal: 'SIGKILL', log: [] }
  expect(show({ kind: 'crashed', exit })).toContain('crashed 5 s ago: QEMU was killed by SIGKILL.')
  expect(show({ kind: 'paused', pid: 1, sinceMs: Date.now(), reason: 'by the user' })).toContain('by the user')
})

test('a result without a view of its own is readable all the same', () => {
  expect(describeResult({ freeBytes: 2048, enabled: true, tags: ['a', 'b'], none: null, tcp: { port: 1 } }, plain)).toBe('Free     2 KiB\nEnabled  yes\nTags     a, b\nNone     -\nTcp      Port  1\n')
  expect(describeResult([{ a: 1, sizeBytes: 1024 }, { a: 2 }], plain)).toBe('A  SIZE\n1  1 KiB\n2  -\n')
  expect([describeResult([], plain), describeResult(['x', 'y'], plain), describeResult('text', plain)]).toEqual(['', 'x\ny\n', 'text\n'])
})

test('an error is its sentence and the next step; causes when asked for', () => {
  const error = { code: 'program-failed', program: 'qemu-img', exitCode: 1, message: 'It failed.', next: 'Do this.', causes: ['qemu-img: no', 'two\nlines'] } as const
  expect(formatError({ ...error, causes: [...error.causes] }, false, plain)).toBe('strata: It failed.\nDo this.\n--verbose tells what caused it.\n')
  expect(formatError({ ...error, causes: [...error.causes] }, true, plain)).toBe('strata: It failed.\nDo this.\n  qemu-img: no\n  two\n  lines\n')
})

test('progress is one line', () => {
  expect(progressLine({ ratio: 0.25, phase: 'copying the image' }, 'Import a.iso')).toBe('Import a.iso  [#####---------------]  25 %  copying the image')
  expect(progressLine({ ratio: null, phase: '' }, 'Start lab1')).toBe('Start lab1')
})

test('what was probably meant', () => {
  expect(nearest('machin', ['machine', 'image'])).toBe('machine')
  expect(nearest('imgae', ['machine', 'image'])).toBe('image')
  expect(nearest('--frce', ['--force', '--json'])).toBe('--force')
  expect(nearest('zebra', ['machine', 'image'])).toBeNull()
  expect(nearest('x', ['qmp'])).toBeNull()
})

test('words for a shell are quoted where they have to be', () => {
  expect(['plain-1.0', 'a b', "it's", '$x', ''].map(shellQuote)).toEqual(['plain-1.0', "'a b'", "'it'\\''s'", "'$x'", "''"])
})

describe('help', () => {
  const look = { paint: plain, columns: 80 }
  test('names every command, and fits the terminal', () => {
    const text = overview(look)
    for (const command of allCommands) expect(text).toContain(`\n  ${command.shorthand ?? command.words.join(' ')} `)
    const pages = [text, nounHelp('machine', look), ...allCommands.map((command) => commandHelp(command, look))]
    const lines = pages.flatMap((page) => page.split('\n')).filter((line) => !line.startsWith('  strata ') && !line.startsWith('Usage'))
    for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(80)
    for (const line of lines) expect(line).toBe(line.trimEnd())
  })

  test('of a command tells its flags, their defaults and an example', () => {
    const create = allCommands.find((command) => command.operation === 'machine.create')
    const text = create ? commandHelp(create, look) : ''
    expect(text).toContain('Usage: strata machine create <name> [flags]')
    expect(text.replace(/\s+/g, ' ')).toContain('--source <source> builtin, none, or the name of an image in the library (default: builtin)')
    expect(text).toContain('--[no-]display')
    expect(text).toContain('--copy ')
    expect(text).toContain('--detach')
    expect(text).toContain('strata machine create lab1')
  })
})

test('a disk is shown as it lies, and its history as what can be done', () => {
  const layer = { nodeName: 'disk0-2', file: 'b', format: 'qcow2', createdAtMs: 0, note: '', commit: null, temporary: false, frozen: null }
  const file = { format: 'qcow2', backing: null, virtualSizeBytes: 2 ** 30, fileSizeBytes: 4096, health: { kind: 'ok' }, otherNames: [], users: ['lab1'], snapshots: [], sharedWith: [] }
  const of = { kind: 'layer', machineId: 'm', machine: 'lab1', disk: 'disk0', place: 'active', layer }
  const atMs = new Date(2026, 0, 31, 14, 5, 6).getTime()
  const sealed = { ...of, place: 'below', layer: { ...layer, nodeName: 'disk0-1', commit: { sequence: 1, atMs, note: 'one\n\x1b[31mtwo' } } }
  const files = [
    { ...file, path: '/b', of },
    { ...file, path: '/a', of: sealed, health: { kind: 'missing', message: 'It is not there.' } },
    { ...file, path: '/i', of: { kind: 'image', imageId: 'i', name: 'base' } }
  ]
  const history = [{ sequence: 1, atMs, note: 'one\n\x1b[31mtwo', bytes: 2 ** 20, state: 'applied' }]
  const view = { machineId: 'm', machine: 'lab1', disk: { id: 'disk0', sizeBytes: 2 ** 30, layers: [layer, sealed.layer], history, pending: null }, files, undone: [], historyBytes: 4096, historyBudgetBytes: 2 ** 30, inUse: true }
  expect(showResult('overlay.commit', view, plain, {}).split('\n')).toEqual([
    'disk0 of lab1: 1 GiB, open in its QEMU',
    'LAYER        IS                     ON DISK  FILE',
    'disk0-2      active                 4 KiB    /b',
    'disk0-1      commit 1: one [31mtwo  4 KiB    /a',
    'disk0-image  image base             4 KiB    /i',
    '/a is missing: It is not there.',
    '',
    'Commits (4 KiB of at most 1 GiB, not counting commit 1, the lowest layer):',
    'COMMIT  WHEN                 SIZE   STATE          NOTE',
    '1       2026-01-31 14:05:06  1 MiB  can be undone  one [31mtwo',
    ''
  ])
  const held = { ...view, files: files.map((one) => (one.path === '/a' ? { ...one, users: ['lab1', 'lab2'], snapshots: [{ id: 's', name: 'before', machine: 'lab1' }], sharedWith: ['web'] } : one)) }
  expect(showResult('disk.show', held, plain, {})).toMatch(/USED BY .*FILE\n[^]*lab1, lab2, snapshot before, web \(shared\) +\/a\n/)
  expect(showResult('disk.check', { files: [{ path: '/a', leakedClusters: 0, problems: null }, { path: '/b', leakedClusters: 2, problems: null }] }, plain, {})).toContain('/a: sound\n/b: sound; 2 leaked clusters')
})

test('a client that may have lost a request is told of, also where all write', () => {
  const client = { machineId: 'b', machine: 'lab2', transport: 'vhost-user-blk', transportReason: null, writes: true, version: null, limits: { requestsPerSecond: null, bytesPerSecond: null }, state: 'connected', reason: 'One may have been lost.' }
  const members = [['a', 'lab1'], ['b', 'lab2']].map(([machineId, machine], index) => ({ machineId, machine, node: index + 1, state: 'mounted', reason: null }))
  const share = { id: '1', machineId: 'a', machine: 'lab1', disk: 'disk1', sizeBytes: 2 ** 20, mode: 'cluster', ownerWrites: true, published: null, createdAtMs: 0, holdSeconds: null, writeThrough: false, server: { kind: 'machine', machine: 'lab1' }, clients: [client] }
  expect(showResult('share.show', { ...share, cluster: null }, plain, {})).toMatch(/^lab2 .*One may have been lost\.$/m)
  const text = showResult('share.show', { ...share, cluster: { folder: '/shared', members } }, plain, {})
  expect(text).toMatch(/^lab2 +mounted +2 +One may have been lost\.$/m)
  expect(text).toMatch(/^lab1 +mounted +1$/m)
})
