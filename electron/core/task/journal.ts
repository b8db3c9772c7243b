import { join } from 'node:path'
import { Task } from '#contract'
import { listFolder, readJson, removeFile, writeJsonAtomic } from '../host/files'

/**
 * One small file a running task, so that a start after a crash can tell what was cut off. What such a task left behind is
 * cleaned up by the library itself: half-made things lie in its folder for unfinished ones.
 */
export class TaskJournal {
  constructor(private readonly folder: string) {}

  begun(task: Task): Promise<void> {
    return writeJsonAtomic(this.file(task.id), { ...task, log: [] })
  }

  ended(task: Task): Promise<void> {
    return removeFile(this.file(task.id))
  }

  /** The tasks that the last owner did not end, as interrupted ones; they are told once. */
  async takeInterrupted(): Promise<Task[]> {
    const interrupted: Task[] = []
    for (const name of await listFolder(this.folder)) {
      const path = join(this.folder, name)
      try {
        interrupted.push({ ...(await readJson(path, Task)), state: { kind: 'interrupted' }, ratio: null, endedAtMs: Date.now() })
      } catch {
        // Cut off while it was written: then nothing had begun.
      }
      await removeFile(path)
    }
    return interrupted
  }

  private file(taskId: string): string {
    return join(this.folder, `${taskId}.json`)
  }
}
