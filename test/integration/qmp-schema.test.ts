import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, it, onTestFinished } from 'vitest'
import { QmpSession } from '#core/qmp/session'
import { waitForSocket } from '#core/host/socket'
import type { SchemaInfo } from '#core/qmp/commands'
import { scratchFolder } from '../support/scratch'

/** Members of the interfaces in commands.ts: command or event -> argument names, and which of them are optional. */
function declared(name: 'Commands' | 'Events'): Map<string, Map<string, boolean>> {
  const path = join(import.meta.dirname, '../../electron/core/qmp/commands.ts')
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true)
  const found = new Map<string, Map<string, boolean>>()
  const membersOf = (node: ts.TypeNode | undefined): Map<string, boolean> =>
    new Map(node && ts.isTypeLiteralNode(node) ? node.members.filter(ts.isPropertySignature).map((member) => [textOf(member.name), member.questionToken !== undefined]) : [])
  const textOf = (node: ts.PropertyName): string => (ts.isStringLiteral(node) || ts.isIdentifier(node) ? node.text : node.getText())
  file.forEachChild((node) => {
    if (!ts.isInterfaceDeclaration(node) || node.name.text !== name) return
    for (const member of node.members.filter(ts.isPropertySignature)) {
      const inner = member.type && ts.isTypeLiteralNode(member.type) ? member.type.members.filter(ts.isPropertySignature).find((one) => textOf(one.name) === 'arguments') : undefined
      found.set(textOf(member.name), membersOf(name === 'Commands' ? inner?.type : member.type))
    }
  })
  return found
}

it('every command, event and argument that Strata uses is one that the installed QEMU has', async () => {
  const path = join(scratchFolder(), 'qmp.sock')
  const qemu = spawn('qemu-system-x86_64', ['-M', 'none', '-nodefaults', '-display', 'none', '-qmp', `unix:${path},server=on,wait=off`], { stdio: 'ignore' })
  onTestFinished(() => void qemu.kill('SIGKILL'))
  const session = await QmpSession.over(await waitForSocket(path, { signal: new AbortController().signal, timeoutMs: 20_000 }))
  onTestFinished(() => session.close())
  const schema: SchemaInfo[] = await session.execute('query-qmp-schema')
  const byName = new Map(schema.map((info) => [`${info['meta-type']} ${info.name}`, info]))

  const problems: string[] = []
  const check = (kind: 'command' | 'event', uses: Map<string, Map<string, boolean>>): void => {
    for (const [name, used] of uses) {
      const info = byName.get(`${kind} ${name}`)
      if (info?.['meta-type'] !== kind) {
        problems.push(`QEMU has no ${kind} ${name}`)
        continue
      }
      const type = byName.get(`object ${info['arg-type']}`)
      const members = new Map(type?.['meta-type'] === 'object' ? type.members.map((member) => [member.name, 'default' in member]) : [])
      for (const argument of used.keys()) if (!members.has(argument)) problems.push(`${name} has no ${argument}`)
      if (kind === 'event') continue
      for (const [member, optional] of members) if (!optional && used.get(member) !== false) problems.push(`${name} needs ${member}`)
    }
  }
  const commands = declared('Commands')
  expect(commands.size).toBeGreaterThan(10)
  check('command', commands)
  check('event', declared('Events'))
  expect(problems).toEqual([])
})
