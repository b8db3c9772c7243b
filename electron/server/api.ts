import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Core } from '#core/core'
import type { Door } from './admission'
import { ControlPorts } from './control-ports'
import { EventFeed } from './event-feed'
import { listenOnLoopback, listenOnSocket } from './listen'
import { answer, type Service } from './routes'
import { openUpgrade } from './upgrade'

export interface ApiOptions {
  /** In a folder that only this user can enter. The caller holds the library's lock: what is there is replaced. */
  socketPath: string
  tcp?: TcpOptions
  version: string
  /** Machines may have control ports of their own. */
  control?: { file: string; token: () => Promise<string> }
  limits?: Partial<Limits>
}
/** Port 0 takes a free one. */
export interface TcpOptions {
  port: number
  token: string
}
export interface Limits {
  bodyBytes: number
  /** A client has this long to send its headers, and its whole request. */
  headersMs: number
  requestMs: number
  heartbeatMs: number
  /** An event reader that is further behind is cut off. */
  eventBacklogBytes: number
  connections: number
  /** How long `close` waits for the answers that are under way. */
  drainMs: number
}
const LIMITS: Limits = {
  bodyBytes: 2 ** 20,
  headersMs: 10_000,
  requestMs: 30_000,
  heartbeatMs: 15_000,
  eventBacklogBytes: 4 * 2 ** 20,
  connections: 1024,
  drainMs: 1000
}

export interface Api {
  readonly address: { socketPath: string; tcp: { url: string; port: number } | null }
  /** Switches loopback TCP on, off, or to another port. @throws in-use, unsupported */
  setTcp(tcp: TcpOptions | null): Promise<void>
  /** Takes the socket's name away and refuses new work, so that the library can be given up in order. */
  retire(): Promise<void>
  /** Fulfilled when no request is being answered. Streams and events do not count. */
  idle(): Promise<void>
  /** Ends everything: answers under way get a moment, then all connections are closed. */
  close(): Promise<void>
}

/**
 * Serves the contract over HTTP: on a Unix socket without a token, and on loopback TCP with one when asked to.
 * @throws file, in-use, unsupported
 */
export async function serveApi(core: Core, options: ApiOptions): Promise<Api> {
  const limits = { ...LIMITS, ...options.limits }
  const feed = new EventFeed(core, limits)
  const service: Service = { core, version: options.version, feed, bodyBytes: limits.bodyBytes, control: null, retiring: false }
  const unix = openDoor(service, limits, { kind: 'unix' })
  let tcp: { door: OpenDoor; port: number } | null = null
  const removeSocket = await listenOnSocket(unix.server, options.socketPath)
  if (options.control) service.control = controlPorts(service, limits, options.control)
  await service.control?.recall()

  const api: Api = {
    get address() {
      return { socketPath: options.socketPath, tcp: tcp && { url: `http://127.0.0.1:${tcp.port}`, port: tcp.port } }
    },
    async setTcp(wanted) {
      // The request that switches it off may have come in here: it gets its answer.
      await tcp?.door.drain(limits.drainMs)
      await tcp?.door.close()
      tcp = null
      if (!wanted) return
      const door = openDoor(service, limits, { kind: 'tcp', token: wanted.token })
      tcp = { door, port: await listenOnLoopback(door.server, wanted.port) }
    },
    async retire() {
      service.retiring = true
      await removeSocket()
    },
    async idle() {
      await Promise.all([unix.drain(), tcp?.door.drain()])
    },
    async close() {
      await api.retire()
      await Promise.all([unix.drain(limits.drainMs), tcp?.door.drain(limits.drainMs)])
      feed.close()
      await Promise.all([unix.close(), tcp?.door.close(), service.control?.close()])
    }
  }
  if (options.tcp) {
    await api.setTcp(options.tcp).catch(async (error: unknown) => {
      await api.close()
      throw error
    })
  }
  return api
}

function controlPorts(service: Service, limits: Limits, { file, token }: NonNullable<ApiOptions['control']>): ControlPorts {
  return new ControlPorts(service.core, {
    file,
    listen: async (machine, port) => {
      const door = openDoor(service, limits, { kind: 'tcp', token: await token(), machine })
      return { port: await listenOnLoopback(door.server, port), close: () => door.close() }
    }
  })
}

interface OpenDoor {
  readonly server: Server
  /** Waits until no request is being answered, at most so long. */
  drain(waitMs?: number): Promise<void>
  close(): Promise<void>
}

function openDoor(service: Service, limits: Limits, door: Door): OpenDoor {
  const server = createServer({
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: Math.min(limits.headersMs, 5000),
    keepAliveTimeout: 30_000
  })
  server.maxConnections = limits.connections
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })

  let underWay = 0
  const onIdle = new Set<() => void>()
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    underWay += 1
    await answer(service, door, request, response)
    underWay -= 1
    if (underWay === 0) for (const resolve of onIdle) resolve()
  }
  server.on('request', (request, response) => void respond(request, response))
  // `Expect: 100-continue`: only whoever's body is small enough is told to go on.
  server.on('checkContinue', (request, response) => {
    if (Number(request.headers['content-length'] ?? 0) <= limits.bodyBytes) response.writeContinue()
    void respond(request, response)
  })
  server.on('upgrade', (request, socket, head) => void openUpgrade(service.core, door, request, socket, head))

  return {
    server,
    async drain(waitMs) {
      if (underWay === 0) return
      let timer: NodeJS.Timeout | undefined
      let done = (): void => {}
      await new Promise<void>((resolve) => {
        onIdle.add((done = resolve))
        if (waitMs !== undefined) timer = setTimeout(resolve, waitMs)
      })
      onIdle.delete(done)
      clearTimeout(timer)
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    }
  }
}
