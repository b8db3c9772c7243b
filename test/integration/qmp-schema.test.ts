import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SchemaInfo } from '#core/qmp/commands'
import { QmpSchema } from '#core/qmp/schema'
import { QmpSession } from '#core/qmp/session'
import { startQemu, type RealQemu } from '../support/qmp-qemu'
import { typeProblems } from '../support/qmp-types'

const TOP = join(import.meta.dirname, '../..')
let qemu: RealQemu
let session: QmpSession
let schema: SchemaInfo[]

beforeAll(async () => {
  qemu = await startQemu()
  session = await QmpSession.connect(qemu.socketPath)
  schema = await session.execute('query-qmp-schema')
})
afterAll(async () => {
  session.close()
  await qemu.stop()
})

describe('the types of commands and events', () => {
  it('fit the installed QEMU', () => expect(typeProblems(schema)).toEqual([]))

  it('are what the generator makes of it, if it is the version that they were made from', () => {
    const made = /what QEMU (\S+) says/.exec(readFileSync(join(TOP, 'electron/core/qmp/commands.ts'), 'utf8'))?.[1]
    if (!made || !session.version.startsWith(made + '.')) return
    execFileSync(process.execPath, [join(TOP, 'scripts/qmp-types.mjs'), '--check'], { stdio: 'pipe' })
  })

  /** The schema with what one command takes or returns changed. */
  const changed = (command: string, change: (info: Extract<SchemaInfo, { 'meta-type': 'object' }>) => void, part: 'arg-type' | 'ret-type' = 'arg-type'): SchemaInfo[] => {
    const copy = structuredClone(schema)
    const found = copy.find((info) => info.name === command)
    const type = found?.['meta-type'] === 'command' ? copy.find((info) => info.name === found[part]) : undefined
    if (type?.['meta-type'] !== 'object') throw new Error(`${command} has no object there`)
    change(type)
    return copy
  }

  it('would be found out by a QEMU that has lost a command, an argument or a value, or wants more or something else', () => {
    expect(typeProblems(schema.filter((info) => info.name !== 'block_resize'))).toEqual(['QEMU has no command block_resize'])
    const without = changed('block_resize', (info) => (info.members = info.members.filter((member) => member.name !== 'size')))
    expect(typeProblems(without)).toEqual(['block_resize arguments.size does not exist in QEMU'])
    const more = changed('block_resize', (info) => info.members.push({ name: 'reason', type: 'str' }))
    expect(typeProblems(more)).toEqual(['block_resize arguments.reason is mandatory in QEMU, and not known'])
    const other = changed('block_resize', (info) => (info.members = info.members.map((member) => (member.name === 'size' ? { ...member, type: 'str' } : member))))
    expect(typeProblems(other)).toEqual(['block_resize arguments.size is string in QEMU'])
    const formats = changed('screendump', (info) => (info.members = info.members.filter((member) => member.name !== 'format')))
    expect(typeProblems(formats)).toEqual(['screendump arguments.format does not exist in QEMU'])
    const unsure = changed('query-status', (info) => (info.members = info.members.map((member) => (member.name === 'running' ? { ...member, default: null } : member))), 'ret-type')
    expect(typeProblems(unsure)).toEqual(['query-status returns.running is optional in QEMU'])
  })
})

describe('introspection', () => {
  let known: QmpSchema
  beforeAll(() => {
    known = new QmpSchema(schema)
  })

  it('tells commands and events apart, and knows those that are not there', () => {
    expect(known.hasCommand('block-export-add')).toBe(true)
    expect(known.hasCommand('STOP')).toBe(false)
    expect(known.hasEvent('STOP')).toBe(true)
    expect(known.hasCommand('make-coffee')).toBe(false)
    expect(known.hasArgument('make-coffee', 'milk')).toBe(false)
  })

  it.each([
    ['block-stream', 'speed'],
    ['block-export-add', 'type=vhost-user-blk'],
    ['block-export-add', 'type=vhost-user-blk.num-queues'],
    ['block-export-add', 'type=vhost-user-blk.node-name'],
    ['blockdev-add', 'driver=qcow2.backing'],
    ['blockdev-add', 'driver=raw.file.driver=file.aio=native'],
    ['migrate-set-capabilities', 'capabilities.capability=background-snapshot'],
    ['screendump', 'format=png']
  ])('%s takes %s', (command, path) => expect(known.hasArgument(command, path)).toBe(true))

  it.each([
    ['block-stream', 'sped'],
    ['block-export-add', 'type=carrier-pigeon'],
    ['block-export-add', 'type=nbd.num-queues'],
    ['blockdev-add', 'driver=qcow2.aio=native'],
    ['block-stream', 'speed.more'],
    ['screendump', 'format=gif']
  ])('%s does not take %s', (command, path) => expect(known.hasArgument(command, path)).toBe(false))

  it('knows what comes back, and features', () => {
    expect(known.hasReturn('query-block', 'inserted.image.virtual-size')).toBe(true)
    expect(known.hasReturn('query-block', 'inserted.image.colour')).toBe(false)
    expect(known.hasFeature('device_add', 'json-cli')).toBe(true)
    expect(known.hasFeature('device_del', 'json-cli')).toBe(false)
  })
})
