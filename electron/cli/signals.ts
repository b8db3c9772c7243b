const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
type Handler = (exitCode: number) => void

/** The latest registered one gets the signal. */
const handlers: Handler[] = []

/** Takes Ctrl+C and requests to end until it is released. @param handler is given the exit code that says so to a shell */
export function onEndRequest(handler: Handler): () => void {
  if (handlers.length === 0) for (const signal of Object.keys(SIGNALS)) process.on(signal, dispatch)
  handlers.push(handler)
  return () => {
    const index = handlers.lastIndexOf(handler)
    if (index >= 0) handlers.splice(index, 1)
    if (handlers.length === 0) for (const signal of Object.keys(SIGNALS)) process.off(signal, dispatch)
  }
}

function dispatch(signal: keyof typeof SIGNALS): void {
  handlers.at(-1)?.(SIGNALS[signal])
}
