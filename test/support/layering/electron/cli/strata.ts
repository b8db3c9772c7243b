/** Breaks cli-no-window: needs Electron. */
import { app } from 'electron'

export const usage: string = app.name
