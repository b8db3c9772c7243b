import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { commandList } from '../../../../renderer/app/commands/list'
import { setCommands } from '../../../../renderer/app/commands/registry'

const menu = readFileSync(resolve(import.meta.dirname, '../../../../electron/main/menu.ts'), 'utf8')
/** Entries of the application menu: id, and the shortcut that it shows. */
const entries = [...menu.matchAll(/command\('([\w.-]+)', '[^']+'(?:, '([^']+)')?\)/g)].map(([, id, keys]) => ({ id: id!, keys }))

it('knows every command that the application menu sends, by the same shortcut', () => {
  expect(entries.length).toBeGreaterThan(5)
  for (const { id, keys } of entries) {
    const command = commandList.find((one) => one.id === id)
    expect(command, id).toBeDefined()
    if (keys) expect(command?.keys, id).toContain(keys)
  }
})

it('has no command and no shortcut twice', () => {
  expect(() => setCommands(commandList)).not.toThrow()
})
