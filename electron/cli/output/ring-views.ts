import type { ResultOf } from '#contract'
import type { Paint } from './paint'
import { formatSize, table } from './text'

/** The ring for people: the service in a line or two, its clients as a table. */
export function ringBlock({ service, clients, compared }: ResultOf<'ring.show'>, paint: Paint): string {
  if (service.kind === 'missing') return `${service.reason}\n`
  if (service.kind === 'off') return 'No service runs. Start it: strata ring start\n' + (compared ? '\n' + comparisonTable(compared, paint) : '')
  const reads = service.cache.hits + service.cache.misses
  const head =
    `The service runs (pid ${service.pid}): ${service.image}, ${formatSize(service.sectors * 512)}, read with ${service.reads === 'io_uring' ? 'io_uring' : 'threads'}.\n` +
    `${service.requests} requests of ${service.clientsEver} clients so far; ${percent(service.cache.hits, reads)} of the reads came from the cache.\n`
  return head + (clients.length > 0 ? '\n' + clientTable(clients, paint) : '') + (compared ? '\n' + comparisonTable(compared, paint) : '')
}

function clientTable(clients: ResultOf<'ring.show'>['clients'], paint: Paint): string {
  const rows = clients.map((client) => [
    client.own ? `${client.pid} (strata)` : String(client.pid),
    String(client.slots),
    `${client.requests.producer} / ${client.requests.consumer}`,
    `${client.responses.producer} / ${client.responses.consumer}`,
    String(client.inFlight),
    String(client.answered),
    client.answered > 0 ? micros(client.latencySumNs / client.answered) : '-',
    percent(client.hits, client.hits + client.misses)
  ])
  return table(['CLIENT', 'SLOTS', 'REQUESTS', 'RESPONSES', 'IN FLIGHT', 'ANSWERED', 'LATENCY', 'CACHED'], rows, paint.dim)
}

export function comparisonTable({ ways }: ResultOf<'ring.compare'>, paint: Paint): string {
  const rows = ways.map((way) => [way.name, `${Math.round(way.perSecond)}/s`, micros(way.medianNs), micros(way.p99Ns)])
  return table(['WAY', 'READS', 'MEDIAN', '99 % BELOW'], rows, paint.dim)
}

export function loadTable({ clients, fairness }: ResultOf<'ring.load'>, paint: Paint): string {
  const rows = clients.map((client) => [String(client.pid), `${Math.round(client.perSecond)}/s`, micros(client.meanNs), micros(client.minNs), micros(client.maxNs), micros(client.deviationNs)])
  return table(['CLIENT', 'READS', 'MEAN', 'LEAST', 'MOST', 'STD. DEV.'], rows, paint.dim) + `Every sector was compared with the image. Fairness ${fairness.toFixed(3)}.\n`
}

/** A sector as bytes are shown: sixteen a line. */
export function sectorDump({ sector, ns, bytesBase64 }: ResultOf<'ring.read'>): string {
  const bytes = Buffer.from(bytesBase64, 'base64')
  const lines = Array.from({ length: bytes.length / 16 }, (_, line) => {
    const part = bytes.subarray(line * 16, line * 16 + 16)
    const hex = [...part].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    return `${(line * 16).toString(16).padStart(4, '0')}  ${hex}  ${[...part].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('')}`
  })
  return `Sector ${sector}, after ${micros(ns)}:\n${lines.join('\n')}\n`
}

const micros = (ns: number): string => `${(ns / 1000).toFixed(1)} µs`
const percent = (part: number, all: number): string => (all > 0 ? `${((100 * part) / all).toFixed(1)} %` : '-')
