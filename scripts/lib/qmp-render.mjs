// From QEMU's schema to TypeScript: struct -> object type, enum -> union of texts, tagged union -> union of object types.
import { BRANCHES, COMMANDS, EVENTS, NAMES, OPEN, UNSTABLE } from './qmp-names.mjs'
import { declaration, intersection, members, objectOf, union } from './qmp-print.mjs'

/** Of more members or values than this a type must have a name in qmp-names.mjs. */
const INLINE = { members: 6, values: 7 }
const BUILTIN = { string: 'string', int: 'number', number: 'number', boolean: 'boolean', null: 'null', value: 'unknown' }
const NONE = { text: 'None' }
const isEmpty = (info) => info['meta-type'] === 'object' && info.members.length === 0 && !info.variants

/**
 * The text of electron/core/qmp/commands.ts.
 * @param {object[]} schema what query-qmp-schema returns
 * @param {string} version of the QEMU that said it
 */
export function render(schema, version) {
  return new Renderer(schema).file(version)
}

class Renderer {
  problems = []
  /** Named types that were met and are to be written, with a path and the side they are on. */
  met = new Map()
  open = []

  constructor(schema) {
    this.roots = new Map(schema.filter((info) => isRoot(info)).map((info) => [info.name, info]))
    this.types = new Map(schema.filter((info) => !isRoot(info)).map((info) => [info.name, info]))
    this.names = new Map()
    for (const [name, path] of Object.entries(NAMES)) this.names.set(this.typeAt(path), name)
  }

  file(version) {
    const commands = objectOf(COMMANDS.map((name) => ({ name, type: this.command(name) })))
    const events = objectOf(EVENTS.map((name) => ({ name, type: this.root(name, 'data', false) })))
    const declared = new Map()
    for (let left = [...this.met.values()]; left.length > 0; left = [...this.met.values()].filter(({ name }) => !declared.has(name))) {
      for (const { name, type, path, given } of left) declared.set(name, this.written(type, path, given))
    }
    for (const name of Object.keys(NAMES)) if (!declared.has(name)) this.problems.push(`${name} is not used`)
    if (this.problems.length > 0) throw new Error(['scripts/lib/qmp-names.mjs does not fit this QEMU:', ...new Set(this.problems)].join('\n  '))
    const types = [...declared].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, type]) => declaration(name, type))
    return [head(version), `export interface Commands ${members(commands, 0)}`, `export interface Events ${members(events, 0)}`, ...types].join('\n\n') + '\n'
  }

  command(name) {
    const given = this.root(name, 'arguments', true)
    const open = OPEN.includes(name) ? intersection([given, { text: '{ [property: string]: unknown }' }]) : given
    return objectOf([
      { name: 'arguments', type: open },
      { name: 'returns', type: this.root(name, 'returns', false) }
    ])
  }

  /** What a command takes or returns, or an event brings; written out there unless it has a name. */
  root(name, part, given) {
    const path = `${name} ${part}`
    const type = this.typeAt(path)
    const info = this.types.get(type)
    if (isEmpty(info)) return NONE
    return this.names.has(type) || info['meta-type'] !== 'object' ? this.use(type, path, given) : this.written(type, path, given)
  }

  /** A type where it is used: by its name, or written out if it is small and used nowhere else. */
  use(type, path, given) {
    const name = this.names.get(type)
    if (!name) return this.written(type, path, given, true)
    if (!this.met.has(type)) this.met.set(type, { name, type, path, given })
    else if (this.met.get(type).given !== given && BRANCHES[name]) this.problems.push(`${name} is both given and returned, and has not all its branches`)
    return { text: name }
  }

  written(type, path, given, inline = false) {
    const info = this.types.get(type)
    switch (info['meta-type']) {
      case 'builtin':
        return { text: BUILTIN[info['json-type']] }
      case 'array':
        return { array: this.use(info['element-type'], `${path}[]`, given) }
      case 'enum':
        if (inline && valuesOf(info).length > INLINE.values) this.problems.push(`no name for ${path} (enum of ${valuesOf(info).length})`)
        return literals(valuesOf(info))
      case 'alternate':
        return union(info.members.map((member, at) => this.use(member.type, `${path}|${at}`, given)))
      case 'object':
        return this.object(info, path, given, inline)
      default:
        throw new Error(`unknown meta-type ${info['meta-type']}`)
    }
  }

  object(info, path, given, inline) {
    const kept = info.members.filter(isKept)
    if (this.open.includes(info.name)) throw new Error(`no name for ${path}, which holds itself`)
    if (inline && kept.length > INLINE.members) this.problems.push(`no name for ${path} (object of ${kept.length})`)
    this.open.push(info.name)
    const own = (member) => ({ name: member.name, optional: 'default' in member, type: this.use(member.type, `${path}.${member.name}`, given) })
    const hasBranches = info.variants && BRANCHES[this.names.get(info.name)]?.length !== 0
    const branches = hasBranches ? this.branches(info, path, given) : null
    const common = kept.filter((member) => !branches || member.name !== info.tag).map(own)
    this.open.pop()
    if (!branches) return common.length > 0 ? objectOf(common) : NONE
    return intersection([...(common.length > 0 ? [objectOf(common)] : []), union(branches)])
  }

  /** One object type for all branches that are alike. An answer may be of a branch that is not kept. */
  branches(info, path, given) {
    const kept = BRANCHES[this.names.get(info.name)] ?? info.variants.map((variant) => variant.case)
    const alike = new Map()
    for (const { case: branch, type } of info.variants) {
      if (kept.includes(branch)) alike.set(type, [...(alike.get(type) ?? []), branch])
    }
    for (const branch of kept) if (!info.variants.some((variant) => variant.case === branch)) this.problems.push(`${path} has no branch ${branch}`)
    const others = info.variants.map((variant) => variant.case).filter((branch) => !kept.includes(branch))
    const tag = (values) => ({ name: info.tag, type: literals(values) })
    const types = [...alike].map(([type, values]) => {
      const inner = isEmpty(this.types.get(type)) ? NONE : this.use(type, `${path}<${values[0]}>`, given)
      if (inner === NONE) return objectOf([tag(values)])
      return inner.members ? objectOf([tag(values), ...inner.members]) : intersection([objectOf([tag(values)]), inner])
    })
    if (given || others.length === 0) return types
    const tags = this.names.get(info.members.find((member) => member.name === info.tag).type)
    const rest = { text: `Exclude<${tags}, ${kept.map(quoted).join(' | ')}>` }
    return [...types, objectOf([tags ? { name: info.tag, type: rest } : tag(others)])]
  }

  /** The schema's name of what a path leads to. */
  typeAt(path) {
    const [root, steps] = path.split(' ')
    const info = this.roots.get(root)
    if (!info) throw new Error(`QEMU has no ${root}`)
    const [part, ...rest] = steps.match(/^\w+|\.[\w-]+|\[\]|<[^>]+>|\|\d+/g)
    return rest.reduce((type, step) => this.step(this.types.get(type), step, path), part === 'returns' ? info['ret-type'] : info['arg-type'])
  }

  step(info, step, path) {
    const inner = step.replace(/[.<>|]/g, '')
    const found = {
      '.': () => info.members?.find((member) => member.name === inner)?.type,
      '[': () => info['element-type'],
      '<': () => info.variants?.find((variant) => variant.case === inner)?.type,
      '|': () => info.members?.[Number(inner)]?.type
    }[step[0]]()
    if (found === undefined) throw new Error(`nothing at ${path}`)
    return found
  }
}

const isRoot = (info) => ['command', 'event'].includes(info['meta-type'])
/** What is deprecated or unstable in QEMU is not for us. Not all that is unstable is marked so, but all that begins with x- is. */
const isKept = (member) => UNSTABLE.includes(member.name) || isStable(member)
const isStable = (member) => !member.name.startsWith('x-') && !member.features?.some((feature) => ['deprecated', 'unstable'].includes(feature))
const valuesOf = (info) => info.members?.filter(isKept).map((member) => member.name) ?? info.values
const quoted = (value) => `'${value}'`
const literals = (values) => union(values.map((value) => ({ text: quoted(value) })))

const head = (version) => `/**
 * The QMP commands and events that Strata uses. Made by scripts/qmp-types.mjs from what QEMU ${version} says of itself
 * (query-qmp-schema); to use one more, add its name to scripts/lib/qmp-names.mjs. What QEMU calls deprecated or unstable is
 * left out (but for UNSTABLE there). What only a newer QEMU has is asked for with core/qmp/schema.ts. Type names are those of QEMU's qapi/*.json.
 * test/integration/qmp-schema.test.ts checks all this against the installed QEMU.
 */

/** No members: a command that takes nothing, or returns nothing. */
export type None = Record<string, never>`
