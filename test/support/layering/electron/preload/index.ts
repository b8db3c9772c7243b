/** Breaks preload-contract-only. Electron itself is allowed. */
export { contextBridge } from 'electron'
export { read } from '#core/host/files'
