import { z } from 'zod'
import { AppError, Event, Host, Image, Machine, operations, Settings, streams, Task, TaskRef, type ErrorCode, type Operation } from '#contract'
import { STATUS_OF } from './answer'
import { STREAM_PROTOCOL, type Owner } from './protocol'
import { CreateAnswer, CreateInput, SnapshotAnswer, SnapshotInput } from './two-endpoints'

/** What the document calls these, and refers to instead of repeating them. */
const MODELS = { Machine, Image, Task, TaskRef, Host, Settings, AppError, Event }

type Json = Record<string, unknown>
const reference = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })
const json = (schema: Json): Json => ({ 'application/json': { schema } })

let cached: { version: string; text: string } | null = null
/** The OpenAPI 3.1 document of the whole API, as text; made once. */
export function openApiDocument(version: string): string {
  if (cached?.version !== version) cached = { version, text: JSON.stringify(describeApi(version)) }
  return cached.text
}

/** The OpenAPI 3.1 document, derived from the contract: https://spec.openapis.org/oas/v3.1.1 */
export function describeApi(version: string): Json {
  const paths: Json = { '/v1/owner': ownerPath(), '/v1/openapi.json': documentPath(), '/v1/events': eventsPath(), '/snapshot': twoPath('snapshot', 'save a machine in two files', SnapshotInput, SnapshotAnswer), '/create': twoPath('create', 'make a machine that goes on from two files, or boots a kernel', CreateInput, CreateAnswer) }
  for (const [name, operation] of Object.entries(operations)) paths[`/v1/${name}`] = { post: operationPath(name, operation) }
  for (const name of Object.keys(streams)) paths[`/v1/streams/${name}`] = { get: streamPath(name) }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Strata',
      version,
      license: { name: 'MIT', identifier: 'MIT' },
      description:
        'Everything Strata can do, as the window and the command line do it. On its Unix socket no token is needed; on loopback TCP every request carries one. A long-running operation answers 202 with a task’s id; `task.wait` waits for its end, and `/v1/events` reports its progress.'
    },
    servers: [{ url: 'http://127.0.0.1:{port}', variables: { port: { default: '7411' } } }],
    security: [{ token: [] }],
    tags: [...new Set(Object.keys(operations).map(nounOf)), 'streams', 'api'].map((tag) => ({ name: tag })),
    paths,
    components: {
      schemas: schemas(),
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'Not needed on the Unix socket. `strata api show` names the file that holds it.' } },
      responses: { Error: { description: errorHelp(), content: json(reference('AppError')) } }
    }
  }
}

const twoPath = (id: string, summary: string, input: z.ZodType, answer: z.ZodType): Json => ({
  post: {
    operationId: id,
    tags: ['api'],
    summary,
    requestBody: { required: true, content: json(z.toJSONSchema(input, { io: 'input' })) },
    responses: { 200: { description: 'Done.', content: json(z.toJSONSchema(answer)) }, default: { $ref: '#/components/responses/Error' } }
  }
})

const nounOf = (name: string): string => name.split('.')[0] ?? name

function operationPath(name: string, operation: Operation): Json {
  const answer = operation.task
    ? { 202: { description: `It has begun. The task’s result is a \`${name}.result\`.`, content: json(reference('TaskRef')) } }
    : { 200: { description: 'Done.', content: json(reference(`${name}.result`)) } }
  return {
    operationId: name,
    tags: [nounOf(name)],
    summary: operation.help,
    requestBody: { required: !operation.input.safeParse({}).success, content: json(reference(`${name}.input`)) },
    responses: { ...answer, default: { $ref: '#/components/responses/Error' } }
  }
}

function streamPath(name: string): Json {
  return {
    operationId: `streams.${name}`,
    tags: ['streams'],
    summary: `open the ${name} stream: after the 101 its bytes go both ways as they are`,
    parameters: [
      { name: 'input', in: 'query', required: true, content: json(reference(`streams.${name}.input`)) },
      { name: 'Upgrade', in: 'header', required: true, schema: { const: STREAM_PROTOCOL } }
    ],
    responses: { 101: { description: 'The stream begins.' }, default: { $ref: '#/components/responses/Error' } }
  }
}

const eventsPath = (): Json => ({
  get: {
    operationId: 'events',
    tags: ['api'],
    summary: 'everything that changes from now on, as server-sent events',
    description: 'Each `data` is an Event, its `id` the event’s sequence number. After a gap, or when `owner` changes, read everything again.',
    responses: {
      200: { description: 'The events, until either side ends.', content: { 'text/event-stream': { schema: reference('Event') } } },
      default: { $ref: '#/components/responses/Error' }
    }
  }
})

const documentPath = (): Json => ({
  get: { operationId: 'openapi', tags: ['api'], summary: 'this document', responses: { 200: { description: 'The document.', content: json({ type: 'object' }) } } }
})

function ownerPath(): Json {
  const properties: Record<keyof Owner, Json> = { owner: { type: 'string' }, version: { type: 'string' }, pid: { type: 'integer' } }
  const schema = { type: 'object', properties, required: Object.keys(properties) }
  return { get: { operationId: 'owner', tags: ['api'], summary: 'who owns the library', responses: { 200: { description: 'The owner.', content: json(schema) } } } }
}

function errorHelp(): string {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const [code, status] of Object.entries(STATUS_OF) as [ErrorCode, number][]) byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  const lines = [...byStatus].sort(([a], [b]) => a - b).map(([status, codes]) => `${status}: ${codes.join(', ')}`)
  return `What went wrong. The status follows from the code: ${lines.join('; ')}. Also 403 (unauthorized: wrong Host or Origin), 405 and 413 (bad-input), 503 (connection-lost: the owner is about to end).`
}

/** Every schema by its name in the document. Results are what comes out, inputs what may go in. */
function schemas(): Json {
  const results = z.registry<{ id: string }>()
  for (const [id, model] of Object.entries(MODELS)) results.add(model, { id })
  const inputs = z.registry<{ id: string }>()
  for (const [name, operation] of Object.entries(operations) as [string, Operation][]) {
    inputs.add(operation.input, { id: `${name}.input` })
    // A result that is a model as it stands is registered already, and becomes a reference to it below.
    if (!results.has(operation.result)) results.add(operation.result, { id: `${name}.result` })
  }
  for (const [name, input] of Object.entries(streams)) if (!inputs.has(input)) inputs.add(input, { id: `streams.${name}.input` })
  const uri = (id: string): string => `#/components/schemas/${id}`
  const made: Json = {
    ...z.toJSONSchema(results, { io: 'output', uri, unrepresentable: 'any', override: showStructured }).schemas,
    ...z.toJSONSchema(inputs, { io: 'input', uri }).schemas
  }
  // One schema object may serve several operations; each gets its name all the same.
  const aliases: [string, string | undefined][] = [
    ...Object.entries(operations).flatMap(([name, operation]): [string, string | undefined][] => [
      [`${name}.input`, inputs.get(operation.input)?.id],
      [`${name}.result`, results.get(operation.result)?.id]
    ]),
    ...Object.entries(streams).map(([name, input]): [string, string | undefined] => [`streams.${name}.input`, inputs.get(input)?.id])
  ]
  for (const [name, target] of aliases) if (target !== undefined && target !== name) made[name] = reference(target)
  for (const schema of Object.values(made)) clean(schema)
  return made
}

/**
 * The contract's values (sizes, forwards, networks) take a typed or a structured form and give the structured one, which
 * is the first member of their union; JSON Schema cannot see that through the transformation.
 */
function showStructured({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: Json }): void {
  const { def } = zodSchema._zod
  if (def.type !== 'pipe') return
  const [from, to] = [def.in as z.core.$ZodTypes, def.out as z.core.$ZodTypes]
  if (to._zod.def.type !== 'transform' || from._zod.def.type !== 'union') return
  const [structured] = from._zod.def.options
  if (structured) Object.assign(jsonSchema, z.toJSONSchema(structured as z.ZodType, { io: 'output' }), { $schema: undefined })
}

/** Takes out what only the command line needs and what has no place inside a document. */
function clean(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return
  const fields = schema as Json
  for (const key of ['$schema', '$id', 'cli']) if (key !== 'cli' || typeof fields[key] === 'string') delete fields[key]
  for (const value of Object.values(fields)) clean(value)
}
