import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { app, clipboard, dialog, type BrowserWindow } from 'electron'
import type { ShellCalls } from '#contract/channels'
import type { Flags } from './flags'
import type { Log } from './log'

/** What only a window has: dialogs, the clipboard, full screen, and the tour's pictures. Inputs have been checked (shell-inputs.ts). */
export function createShell(browser: BrowserWindow, flags: Flags, log: Log, leave: (exitCode: number) => void): ShellCalls {
  let shots = 0
  const shotsFolder = flags.tourShots ?? path.join(app.getPath('userData'), 'tour')
  return {
    chooseFile: async ({ title, extensions }) => {
      const filters = extensions ? [{ name: title, extensions }, { name: 'All files', extensions: ['*'] }] : []
      const { canceled, filePaths } = await dialog.showOpenDialog(browser, { title, filters, properties: ['openFile', 'showHiddenFiles'] })
      return canceled ? null : (filePaths[0] ?? null)
    },
    chooseSaveFile: async ({ title, suggestedName }) => {
      const defaultPath = path.join(app.getPath('documents'), suggestedName)
      const { canceled, filePath } = await dialog.showSaveDialog(browser, { title, defaultPath })
      return canceled || filePath === '' ? null : filePath
    },
    readClipboard: () => Promise.resolve(clipboard.readText()),
    writeClipboard: (text) => Promise.resolve(clipboard.writeText(text)),
    setFullScreen: (on) => Promise.resolve(browser.setFullScreen(on)),
    saveShot: async (label) => {
      const picture = await browser.webContents.capturePage()
      const file = path.join(shotsFolder, `${String(++shots).padStart(2, '0')}-${label}.png`)
      await mkdir(shotsFolder, { recursive: true })
      await writeFile(file, picture.toPNG())
      return file
    },
    tourEnded: (problem) => {
      shots = 0
      if (problem !== null) log.error(`the tour failed: ${problem}`)
      // Started to play the tour: with a problem, or with nobody watching, the app ends with it.
      if (flags.tour && (problem !== null || flags.tourShots !== null)) leave(problem === null ? 0 : 1)
      return Promise.resolve()
    }
  }
}
