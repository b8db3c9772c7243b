import { Settings, type ParsedInputOf } from '#contract'
import { exists, readJson, writeJsonAtomic } from './host/files'

/** The settings of a library: in memory, and in one file. */
export class SettingsStore {
  private constructor(
    private readonly path: string,
    private current: Settings,
    private readonly onDidChange: (settings: Settings) => void
  ) {}

  /** @throws bad-file, newer-version */
  static async open(path: string, onDidChange: (settings: Settings) => void): Promise<SettingsStore> {
    const settings = (await exists(path)) ? await readJson(path, Settings) : Settings.parse({})
    return new SettingsStore(path, settings, onDidChange)
  }

  get value(): Settings {
    return this.current
  }

  async edit(input: ParsedInputOf<'settings.edit'>): Promise<Settings> {
    const { apiTcp, apiPort, historyBudget, storeChunk, snapshotCache, ...rest } = input
    const named = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
    const edited: Settings = {
      ...this.current,
      ...named,
      historyBudgetBytes: historyBudget ?? this.current.historyBudgetBytes,
      storeChunkBytes: storeChunk ?? this.current.storeChunkBytes,
      snapshotCacheBytes: snapshotCache ?? this.current.snapshotCacheBytes,
      apiTcp: { enabled: apiTcp ?? this.current.apiTcp.enabled, port: apiPort ?? this.current.apiTcp.port }
    }
    await writeJsonAtomic(this.path, edited)
    this.current = edited
    this.onDidChange(edited)
    return edited
  }
}
