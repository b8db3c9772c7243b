import { expect, test } from 'vitest'
import { operations, streams } from '#contract'
import { describeApi, openApiDocument } from '../../../electron/server/openapi'

type Json = { [key: string]: Json } & Json[]
const document = JSON.parse(openApiDocument('1.2.3')) as Json
const paths = document.paths as Json
const components = document.components as Json
const schemas = components.schemas as Json

/** Every object in a document, with the way to it. */
function* walk(value: unknown, path: string[] = []): Generator<[string[], Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield [path, value as Record<string, unknown>]
  for (const [key, inner] of Object.entries(value)) yield* walk(inner, [...path, key])
}
const resolve = (reference: string): unknown =>
  reference.replace(/^#\//, '').split('/').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], document)

test('it is an OpenAPI 3.1 document with the parts the specification asks for', () => {
  expect(document).toMatchObject({ openapi: expect.stringMatching(/^3\.1\.\d+$/) as unknown, info: { title: 'Strata', version: '1.2.3' } })
  expect(Object.keys(document).sort()).toEqual(['components', 'info', 'openapi', 'paths', 'security', 'servers', 'tags'])
  for (const name of Object.keys(components.schemas as Json)) expect(name).toMatch(/^[a-zA-Z0-9._-]+$/)
  expect(document.security).toEqual([{ token: [] }])
  expect(components.securitySchemes).toMatchObject({ token: { type: 'http', scheme: 'bearer' } })
})

test('every operation of the contract is there, with its input, its answer and its errors', () => {
  for (const [name, operation] of Object.entries(operations)) {
    const described = paths[`/v1/${name}`]?.post
    expect(described, name).toMatchObject({
      operationId: name,
      summary: operation.help,
      requestBody: { content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}.input` } } } },
      responses: { default: { $ref: '#/components/responses/Error' } }
    })
    expect(Object.keys(described?.responses as Json), name).toContain(operation.task ? '202' : '200')
    expect(resolve(`#/components/schemas/${name}.result`), name).toBeDefined()
  }
  for (const name of Object.keys(streams)) expect(paths[`/v1/streams/${name}`]?.get?.responses).toHaveProperty('101')
  expect(paths['/v1/events']?.get?.responses).toMatchObject({ 200: { content: { 'text/event-stream': { schema: { $ref: '#/components/schemas/Event' } } } } })
})

test('every response has a description, every operation an id of its own and a declared tag', () => {
  const tags = (document.tags as unknown as { name: string }[]).map((tag) => tag.name)
  const described = Object.values(paths as Record<string, Record<string, Json>>).flatMap((path) => Object.values(path))
  const ids = described.map((operation) => operation.operationId)
  expect(new Set(ids).size).toBe(ids.length)
  for (const operation of described) {
    expect(tags).toContain((operation.tags as unknown as string[])[0])
    for (const response of Object.values(operation.responses as Json)) expect(response.description ?? response.$ref).toBeTypeOf('string')
  }
})

test('every reference leads somewhere', () => {
  const references = [...walk(document)].flatMap(([path, value]) => (typeof value.$ref === 'string' ? [[path.join('/'), value.$ref] as const] : []))
  expect(references.length).toBeGreaterThan(60)
  for (const [path, reference] of references) expect(resolve(reference), `${path}: ${reference}`).toBeDefined()
})

test('schemas carry nothing that only the command line needs, and none of their own identities', () => {
  for (const [path, value] of walk(components.schemas)) {
    expect(Object.keys(value), path.join('/')).not.toContain('$schema')
    expect(Object.keys(value), path.join('/')).not.toContain('$id')
    if (path.at(-1) !== 'properties') expect(Object.keys(value), path.join('/')).not.toContain('cli')
  }
})

test('inputs take what people type, results give the structured form', () => {
  expect(schemas['machine.create.input']?.properties?.memory?.anyOf).toMatchObject([{ type: 'integer' }, { type: 'string' }])
  expect(schemas['machine.create.input']?.required).toEqual(['name'])
  const nic = (schemas.Machine?.properties?.definition?.anyOf as unknown as Json[])[0]?.properties?.nics?.items?.properties
  expect(nic?.forwards?.items).toMatchObject({ type: 'object', properties: { hostPort: { type: 'integer' } } })
  expect(nic?.network?.oneOf).toHaveLength(3)
})

test('models are described once and referred to', () => {
  expect(schemas['machine.show.result']).toEqual({ $ref: '#/components/schemas/Machine' })
  expect(schemas['machine.list.result']).toMatchObject({ type: 'array', items: { $ref: '#/components/schemas/Machine' } })
  expect(schemas['task.wait.result']).toEqual({ $ref: '#/components/schemas/Task' })
  expect(JSON.stringify(schemas.Task)).toContain('#/components/schemas/AppError')
})

test('it is the same each time', () => {
  expect(JSON.stringify(describeApi('1.2.3'))).toBe(openApiDocument('1.2.3'))
})
