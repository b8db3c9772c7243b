import { contextBridge, ipcRenderer, webUtils, type IpcRendererEvent } from 'electron'
import { channels, factsFromArguments, shellChannels, type ShellCalls } from '#contract/channels'
import type { Bridge, Event } from '#contract'

/**
 * All that the page can reach: `window.strata`, exactly the contract's `Bridge`. The page never sees ipcRenderer, nor the
 * event object that comes with a message.
 */
function subscribe<T>(channel: string, listener: (payload: T) => void): () => void {
  const forward = (_event: IpcRendererEvent, payload: T): void => listener(payload)
  ipcRenderer.on(channel, forward)
  return () => void ipcRenderer.off(channel, forward)
}

const shellCalls = Object.fromEntries(
  Object.entries(shellChannels).map(([name, channel]) => [name, (...given: unknown[]) => ipcRenderer.invoke(channel, ...given)])
) as unknown as ShellCalls

const bridge: Bridge = {
  call: (name, input) => ipcRenderer.invoke(channels.call, name, input),
  onEvent: (listener) => subscribe<Event>(channels.event, listener),
  openStream: (name, input) => ipcRenderer.invoke(channels.openStream, name, input),
  shell: {
    facts: factsFromArguments(process.argv),
    ...shellCalls,
    pathOf: (file) => webUtils.getPathForFile(file),
    onCommand: (listener) => subscribe<string>(channels.command, listener)
  }
}

// Ports cannot cross the context bridge: they are handed to the page as a message from its own window.
ipcRenderer.on(channels.stream, (event, streamId: string) => {
  window.postMessage({ strataStream: streamId }, window.location.origin, event.ports)
})

contextBridge.exposeInMainWorld('strata', bridge)
