import { describe, expect, it } from 'vitest'
import { run, StepError } from '../../../scripts/lib/run.mjs'

const shell = (script, options) => run('sh', ['-c', script], options)

describe('running a step of set-up', () => {
  it('answers what the program wrote', async () => {
    expect(await shell('echo one; echo two')).toBe('one\ntwo')
  })

  it('fails with the command, the code, the last lines and what to do', async () => {
    const failure = await shell('for i in $(seq 50); do echo line $i; done; echo why >&2; exit 3', { next: 'Do this.' }).catch(
      (error) => error
    )
    expect(failure).toBeInstanceOf(StepError)
    expect(failure.message).toMatch(/^`sh -c .*` ended with code 3\.$/s)
    expect(failure.output).toHaveLength(20)
    expect(failure.output).toContain('why')
    expect(failure.output).toContain('line 50')
    expect(failure.output).not.toContain('line 30')
    expect(failure.next).toBe('Do this.')
  })

  it('leaves colours and stack frames out of what it shows', async () => {
    const failure = await shell(`printf '\\033[31mred\\033[0m\\n'; echo '    at make (file:///x/y.js:1:2)'; exit 1`).catch((error) => error)
    expect(failure.output).toEqual(['red'])
  })

  it('says so when the program was ended by a signal', async () => {
    await expect(shell('kill -9 $$')).rejects.toThrow('was ended by SIGKILL')
  })

  it('says so when there is no such program', async () => {
    await expect(run('no-such-program-here', [])).rejects.toThrow('no-such-program-here could not be started')
  })

  it('reads progress from descriptor 3 as well', async () => {
    const lines = []
    await shell('echo status >&3; echo word', { statusFd: true, onLine: (line) => lines.push(line) })
    expect(lines.sort()).toEqual(['status', 'word'])
  })

  it('forgets a line that its reader has used up', async () => {
    expect(await shell('echo 50%; echo kept', { onLine: (line) => !line.endsWith('%') })).toBe('kept')
  })
})
