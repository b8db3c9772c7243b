import { existsSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { expect, it } from 'vitest'

const top = resolve(import.meta.dirname, '../../../..')

/** What a file imports when it is loaded: neither types nor `import()`. */
function importsOf(file: string): string[] {
  const source = readFileSync(file, 'utf8')
  const statements = source.matchAll(/^(?:import|export)\s+(?!type\b)(?:([^'"]*?)\sfrom\s+)?['"]([^'"]+)['"]/gm)
  return [...statements].filter(([, names]) => !names || !onlyTypes(names)).map(([, , from]) => from!)
}
const onlyTypes = (names: string): boolean =>
  /^\{[^}]*\}$/.test(names.trim()) &&
  names
    .trim()
    .slice(1, -1)
    .split(',')
    .every((name) => name.trim() === '' || name.trim().startsWith('type '))

function fileOf(from: string, importer: string): string | null {
  const path = from.startsWith('.')
    ? resolve(dirname(importer), from)
    : from === '#contract'
      ? resolve(top, 'electron/contract/index.ts')
      : null
  if (!path) return null
  return (
    ['', '.ts', '.tsx', '/index.ts', '/index.tsx']
      .map((end) => path + end)
      .find((candidate) => /\.tsx?$/.test(candidate) && existsSync(candidate)) ?? null
  )
}

/** Everything that the window loads before its first picture: own files and packages. */
function startGraph(): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>()
  const packages = new Set<string>()
  const visit = (file: string): void => {
    if (files.has(file)) return
    files.add(file)
    for (const from of importsOf(file)) {
      const next = fileOf(from, file)
      if (next) visit(next)
      else if (!from.startsWith('.')) packages.add(from)
    }
  }
  visit(resolve(top, 'renderer/app/main.tsx'))
  return { files, packages }
}

it('loads no more than the first picture of the window needs', () => {
  const { files, packages } = startGraph()
  expect(files.size).toBeGreaterThan(30)
  // Not among them: the schema library, terminal, VNC client, charts, tables, dialogs, menus, and the index of ui, which leads to them.
  expect([...packages].sort()).toEqual(
    ['@tanstack/react-virtual', 'lucide-react', 'react', 'react-dom/client', 'zustand']
      .concat([...packages].filter((name) => name === '#contract/bridge'))
      .sort()
  )
  expect(
    [...files]
      .map((file) => relative(top, file))
      .filter((file) => /contract\/index|ui\/index|ui\/(dialog|select|table|chart-plot|menu-open)/.test(file))
  ).toEqual([])
})
