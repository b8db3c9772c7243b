import { Duplex } from 'node:stream'
import type { z } from 'zod'
import { failure, type QmpTraffic, type StreamName, type streams } from '#contract'
import { connectUnix } from '../host/socket'
import type { ManagedMachine } from './machine'
import type { Machines } from './machines'

/** A reader of QMP traffic that falls so far behind misses messages: a monitor must not grow the process it watches. */
const TRAFFIC_BACKLOG = 10_000

type Openers = { [S in StreamName]: (machine: ManagedMachine, input: z.output<(typeof streams)[S]>) => Promise<Duplex> }

const openers: Openers = {
  console: (machine, input) => machine.openConsole(input.fromByte),
  display: (machine) => openDisplay(machine),
  'qmp-traffic': (machine) => Promise.resolve(openTraffic(machine))
}

export function openStream<S extends StreamName>(name: S, input: z.output<(typeof streams)[S]>, machines: Machines): Promise<Duplex> {
  return openers[name](machines.get(input.machine), input)
}

/** QEMU takes several VNC clients at once: each gets a connection of its own. */
function openDisplay(machine: ManagedMachine): Promise<Duplex> {
  const { runtime, record } = machine.live('shown')
  if (!record.definition.display) {
    throw failure('unsupported', `“${machine.name}” has no screen.`, { next: 'Switch the display on in its settings; it is there at the next start.' })
  }
  return connectUnix(runtime.vnc)
}

function openTraffic(machine: ManagedMachine): Duplex {
  const { qmp } = machine.live('watched')
  let waiting: QmpTraffic[] = []
  let wanted = false
  const flush = (stream: Duplex): void => {
    if (!wanted || waiting.length === 0) return
    const lines = waiting.map((traffic) => JSON.stringify(traffic) + '\n').join('')
    waiting = []
    wanted = stream.push(lines)
  }
  const stream: Duplex = new Duplex({
    read() {
      wanted = true
      flush(this)
    },
    write: (_bytes, _encoding, done) => done(),
    destroy: (error, done) => {
      unsubscribe()
      done(error)
    }
  })
  const unsubscribe = qmp.onTraffic((traffic) => {
    if (waiting.length < TRAFFIC_BACKLOG) waiting.push(traffic)
    flush(stream)
  })
  void qmp.closed.then(() => stream.push(null))
  return stream
}
