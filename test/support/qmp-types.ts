import { join } from 'node:path'
import ts from 'typescript'
import type { SchemaInfo } from '#core/qmp/commands'

const FILE = join(import.meta.dirname, '../../electron/core/qmp/commands.ts')
/** Given: what a command takes. Taken: what it returns, or what an event brings. */
type Side = 'given' | 'taken'
type ObjectInfo = Extract<SchemaInfo, { 'meta-type': 'object' }>

let program: ts.Program | undefined

/**
 * Where the types in commands.ts say something else than a QEMU's schema. Each member must exist there with a compatible
 * type; of arguments each mandatory one must be known, of answers none may be relied on that is optional. What the schema
 * has beyond that does not matter: a newer QEMU has more.
 */
export function typeProblems(schema: readonly SchemaInfo[]): string[] {
  program ??= ts.createProgram([FILE], { strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, lib: ['lib.es2022.d.ts'], types: [] })
  const source = program.getSourceFile(FILE)
  if (!source) throw new Error(`no ${FILE}`)
  return new Comparison(program.getTypeChecker(), source, schema).problems
}

class Comparison {
  problems: string[] = []
  private readonly infos: Map<string, SchemaInfo>
  private readonly compared = new Set<string>()
  private readonly numbers = new Map<ts.Type, number>()

  constructor(
    private readonly checker: ts.TypeChecker,
    private readonly source: ts.SourceFile,
    schema: readonly SchemaInfo[]
  ) {
    this.infos = new Map(schema.map((info) => [info.name, info]))
    for (const [name, type] of this.membersOf('Commands')) this.command(name, type)
    for (const [name, type] of this.membersOf('Events')) this.event(name, type)
  }

  private membersOf(name: string): [string, ts.Type][] {
    const found = this.source.statements.find((statement): statement is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(statement) && statement.name.text === name)
    if (!found) throw new Error(`commands.ts has no ${name}`)
    return this.checker.getTypeAtLocation(found).getProperties().map((symbol) => [symbol.name, this.typeOf(symbol)])
  }

  private typeOf(symbol: ts.Symbol): ts.Type {
    return this.checker.getTypeOfSymbolAtLocation(symbol, this.source)
  }

  private command(name: string, type: ts.Type): void {
    const info = this.infos.get(name)
    if (info?.['meta-type'] !== 'command') return void this.problems.push(`QEMU has no command ${name}`)
    const part = (key: string): ts.Type => this.typeOf(type.getProperty(key)!)
    this.compare(part('arguments'), info['arg-type'], 'given', `${name} arguments`)
    this.compare(part('returns'), info['ret-type'], 'taken', `${name} returns`)
  }

  private event(name: string, type: ts.Type): void {
    const info = this.infos.get(name)
    if (info?.['meta-type'] !== 'event') return void this.problems.push(`QEMU has no event ${name}`)
    this.compare(type, info['arg-type'], 'taken', `${name} data`)
  }

  private compare(type: ts.Type, schemaType: string, side: Side, path: string): void {
    if (!this.numbers.has(type)) this.numbers.set(type, this.numbers.size)
    const key = `${this.numbers.get(type)} ${schemaType} ${side}`
    if (this.compared.has(key)) return // types that hold themselves
    this.compared.add(key)
    const info = this.infos.get(schemaType)
    // A union is looked at one by one; the two values of a boolean are one type here.
    const parts = type.isUnion() && !(type.flags & ts.TypeFlags.Boolean) ? type.types : [type]
    for (const part of parts) {
      if (part.flags & ts.TypeFlags.Undefined) continue // of an optional member
      if (info) this.comparePart(part, info, side, path)
    }
  }

  private comparePart(type: ts.Type, info: SchemaInfo, side: Side, path: string): void {
    switch (info['meta-type']) {
      case 'builtin':
        return this.expect((type.flags & FLAGS[info['json-type'] as keyof typeof FLAGS]) !== 0, path, `is ${info['json-type']} in QEMU`)
      case 'enum':
        return this.expect(type.isStringLiteral() && info.members.some((member) => member.name === type.value), path, `does not take ${this.checker.typeToString(type)}`)
      case 'array':
        this.expect(this.checker.isArrayType(type), path, 'is a list in QEMU')
        for (const element of this.checker.getTypeArguments(type as ts.TypeReference)) this.compare(element, info['element-type'], side, `${path}[]`)
        return
      case 'alternate':
        return this.expect(info.members.some((member) => this.fits(type, member.type, side)), path, `does not take ${this.checker.typeToString(type)}`)
      case 'object':
        return this.object(type, info, side, path)
      default:
        this.problems.push(`${path} is a ${info['meta-type']}`)
    }
  }

  private fits(type: ts.Type, schemaType: string, side: Side): boolean {
    const before = this.problems
    this.problems = []
    const info = this.infos.get(schemaType)
    if (info) this.comparePart(type, info, side, '')
    const fits = this.problems.length === 0
    this.problems = before
    return fits
  }

  private object(type: ts.Type, info: ObjectInfo, side: Side, path: string): void {
    if (!(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection))) return void this.problems.push(`${path} is an object in QEMU`)
    const own = new Map(this.checker.getPropertiesOfType(type).map((symbol) => [symbol.name, symbol]))
    const tag = info.tag === undefined ? undefined : own.get(info.tag)
    const tagType = tag && this.typeOf(tag)
    for (const value of tagType ? (tagType.isUnion() ? tagType.types : [tagType]) : [null]) {
      const branch = value?.isStringLiteral() ? value.value : null
      const variant = info.variants?.find((one) => one.case === branch)
      const more = variant ? this.infos.get(variant.type) : undefined
      const members = new Map([info, more].flatMap((one) => (one?.['meta-type'] === 'object' ? one.members : [])).map((member) => [member.name, member]))
      const where = branch === null ? path : `${path}<${branch}>`
      for (const [name, symbol] of own) {
        const member = members.get(name)
        if (!member) {
          this.problems.push(`${where}.${name} does not exist in QEMU`)
          continue
        }
        const [optionalHere, optionalThere] = [(symbol.flags & ts.SymbolFlags.Optional) !== 0, 'default' in member]
        if (side === 'given') this.expect(optionalThere || !optionalHere, `${where}.${name}`, 'is mandatory in QEMU')
        else this.expect(optionalHere || !optionalThere, `${where}.${name}`, 'is optional in QEMU')
        this.compare(this.typeOf(symbol), member.type, side, `${where}.${name}`)
      }
      if (side === 'given') for (const [name, member] of members) this.expect('default' in member || own.has(name), `${where}.${name}`, 'is mandatory in QEMU, and not known')
    }
  }

  private expect(holds: boolean, path: string, otherwise: string): void {
    if (!holds) this.problems.push(`${path} ${otherwise}`)
  }
}

const FLAGS = {
  string: ts.TypeFlags.StringLike,
  int: ts.TypeFlags.NumberLike,
  number: ts.TypeFlags.NumberLike,
  boolean: ts.TypeFlags.BooleanLike,
  null: ts.TypeFlags.Null,
  value: ts.TypeFlags.Unknown
}
